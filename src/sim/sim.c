/*
 * sim: the front door. A fault is looked for first, as if a bad proxy stood before the API:
 * `status` and `html` answer in its place, the others spoil its own answer.
 */
#include "sim/sim.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "model/json.h"
#include "sim/api.h"
#include "sim/control.h"
#include "sim/webhooks.h"

enum { MESSAGE_MAX = 1024 };

struct sim *sim_new(const struct args *args, uint64_t seed)
{
	struct sim *sim = mem_new(sizeof(*sim));
	int64_t now = clock_now();
	/* what one run sealed does not open in the next, though the alerts are the same */
	uint64_t secret = dice_mix(seed ^ dice_mix((uint64_t)now));

	sim->args = args;
	sim->seed = seed;
	sim->crowd = crowd_new(seed, args->users);
	sim->world = world_new(seed, args->order);
	world_add_history(sim->world, args->history, now);
	sim->life = life_new(sim->world, seed, args->rate, clock_steady());
	gate_init(&sim->gate, args, secret);
	seal_init(&sim->seal, secret + 1);
	sim->request_ids.state = secret;
	if (args->hook_url != NULL) {
		/* ids of this run alone: who keeps those it has seen shall take them for new */
		webhooks_begin(sim, args->hook_url, args->hook_secret, secret + 2);
	}
	return sim;
}

void sim_free(struct sim **sim)
{
	if (*sim == NULL)
		return;
	hook_free(&(*sim)->hook);
	mem_free_secret(&(*sim)->hook_url);
	mem_free_secret(&(*sim)->hook_secret);
	life_free(&(*sim)->life);
	world_free(&(*sim)->world);
	crowd_free(&(*sim)->crowd);
	gate_release(&(*sim)->gate);
	mem_free(sim);
}

int64_t sim_live(struct sim *sim)
{
	return life_run(sim->life, clock_steady(), clock_now());
}

/* ---- answers ----------------------------------------------------------------------------- */

static const char *type_of(int status)
{
	static const struct {
		int status;
		const char *type;
	} types[] = {
		{ 401, "unauthorized" },
		{ 403, "forbidden" },
		{ 404, "not_found" },
		{ 429, "rate_limited" },
	};

	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (types[i].status == status)
			return types[i].type;
	return status >= 500 ? "internal_error" : "bad_request";
}

void sim_json(struct httpd_answer *answer)
{
	httpd_answer_header(answer, "Content-Type", "application/json");
}

void sim_refuse(struct sim *sim, struct httpd_answer *answer, int status, const char *format,
		...)
{
	struct buf message;
	va_list args;

	buf_init(&message, MESSAGE_MAX);
	va_start(args, format);
	buf_addv(&message, format, args);
	va_end(args);
	answer->status = status;
	buf_clear(&answer->body);
	buf_addf(&answer->body, "{\"error\":\"%s\",\"message\":", type_of(status));
	json_add_text(&answer->body, message.data, message.len);
	buf_addf(&answer->body, ",\"request_id\":\"req_%016" PRIx64 "\"}",
		 dice_next(&sim->request_ids));
	sim_json(answer);
	buf_release(&message);
}

/* ---- faults ------------------------------------------------------------------------------ */

static void answer_html(const struct fault *fault, struct httpd_answer *answer)
{
	answer->status = fault->status;
	httpd_answer_header(answer, "Content-Type", "text/html");
	buf_addf(&answer->body,
		 "<html>\r\n<head><title>%d</title></head>\r\n<body>\r\n"
		 "<center><h1>%d</h1></center>\r\n<hr><center>proxy</center>\r\n"
		 "</body>\r\n</html>\r\n",
		 fault->status, fault->status);
}

static void spoil(struct httpd_answer *answer, enum fault_kind kind)
{
	switch (kind) {
	case FAULT_RESET: answer->misdeed = HTTPD_RESET; break;
	case FAULT_HANG: answer->misdeed = HTTPD_HANG; break;
	case FAULT_TRUNCATE: answer->misdeed = HTTPD_TRUNCATE; break;
	case FAULT_DRIP: answer->misdeed = HTTPD_DRIP; break;
	case FAULT_BADJSON: buf_truncate(&answer->body, answer->body.len * 2 / 3); break;
	case FAULT_STATUS:
	case FAULT_HTML: break;
	}
}

static void answer_faulty(struct sim *sim, const struct httpd_request *request, int64_t now,
			  const struct fault *fault, struct httpd_answer *answer)
{
	if (fault->kind == FAULT_HTML)
		answer_html(fault, answer);
	else
		api_answer(sim, request, now, fault->kind == FAULT_STATUS ? fault->status : 0,
			   answer);
	if (fault->retry_after[0] != '\0')
		httpd_answer_header(answer, "Retry-After", fault->retry_after);
	spoil(answer, fault->kind);
}

static void count(struct sim *sim, const struct httpd_request *request,
		  const struct httpd_answer *answer)
{
	const char *path = request->path;
	char status[16];

	if (api_is_list(request))
		stats_count_list(&sim->stats, httpd_query(request, "status"),
				 httpd_query(request, "cursor") != NULL);
	snprintf(status, sizeof(status), "%d", answer->status);
	if (answer->misdeed == HTTPD_RESET)
		stats_count(&sim->stats, path, fault_word(FAULT_RESET));
	else if (answer->misdeed == HTTPD_HANG)
		stats_count(&sim->stats, path, fault_word(FAULT_HANG));
	else
		stats_count(&sim->stats, path, status);
}

void sim_handle(void *arg, const struct httpd_request *request, struct httpd_answer *answer)
{
	struct sim *sim = arg;
	int64_t now = clock_now();
	struct fault fault;

	if (control_is_path(request->path)) {
		control_answer(sim, request, now, answer);
		return;
	}
	if (faults_take(&sim->faults, request, now, &fault))
		answer_faulty(sim, request, now, &fault, answer);
	else
		api_answer(sim, request, now, 0, answer);
	count(sim, request, answer);
}
