/* spend: working days are busy, weekends are not; some days nobody comes. */
#include "sim/spend.h"

#include "base/mem.h"
#include "sim/cast.h"
#include "sim/dice.h"

enum salt {
	SALT_MODEL = 1,
	SALT_SLOTS,
	SALT_AWAY,
	SALT_REQUESTS,
	SALT_INPUT,
	SALT_OUTPUT,
};
enum { HOURS = 24, USAGE_WORD = 0x5 };

/* US cents for a million tokens that go in, and that come out. */
static const struct {
	int64_t input, output;
} prices[CAST_MODELS] = {
	{ 3000, 6000 }, { 250, 1000 }, { 15, 60 }, { 300, 1500 }, { 1500, 7500 },
	{ 125, 500 },   { 200, 600 },  { 90, 90 }, { 250, 1000 }, { 14, 28 },
};

static uint64_t hash_of(uint64_t seed, uint32_t user)
{
	return dice_mix(seed ^ dice_mix((uint64_t)USAGE_WORD << 40 | user));
}

int spend_model(uint64_t seed, uint32_t user, uint32_t slot)
{
	uint64_t hash = hash_of(seed, user);

	if (slot > dice_pick(hash, SALT_SLOTS, SPEND_SLOTS))
		return -1;
	/* steps of 3 in a ring of 10 never meet */
	return (int)((dice_pick(hash, SALT_MODEL, CAST_MODELS) + 3 * slot) % CAST_MODELS);
}

/* The hour's part of a day's number: the parts add up to it. */
static int64_t part_of(int64_t whole, int hour)
{
	if (hour < 0)
		return whole;
	return whole * (hour + 1) / HOURS - whole * hour / HOURS;
}

static bool is_weekend(int64_t day)
{
	int64_t weekday = (day + 4) % 7; /* the epoch was a Thursday; 0 is Sunday */

	return weekday == 0 || weekday == 6;
}

void spend_add(struct spend *sum, uint64_t seed, uint32_t user, uint32_t slot, int64_t day,
	       int hour)
{
	int model = spend_model(seed, user, slot);
	uint64_t hash = dice_mix(hash_of(seed, user) ^ (uint64_t)day << 8 ^ slot);
	int64_t requests = 1 + dice_pick(hash, SALT_REQUESTS, 120);
	int64_t input, output;

	if (model < 0 || dice_pick(hash, SALT_AWAY, 5) == 0)
		return;
	if (is_weekend(day))
		requests = 1 + requests / 20;
	input = requests * (200 + dice_pick(hash, SALT_INPUT, 3000));
	output = requests * (100 + dice_pick(hash, SALT_OUTPUT, 900));
	sum->requests += part_of(requests, hour);
	sum->input_tokens += part_of(input, hour);
	sum->output_tokens += part_of(output, hour);
	sum->micros += part_of(
		(input * prices[model].input + output * prices[model].output) / 100, hour);
}
