/*
 * main: runs seeds of the world, each in a process of its own.
 *
 *   tocsin-world [--seeds FROM-TO] [--seed N] [--steps K] [--jobs J] [--bug NAME] [--verbose]
 *                [--only polling|delivery]
 *   tocsin-world --bugs [--seeds FROM-TO]
 *
 * 100 seeds of 20 steps, unless others are asked for: many short stories find more than a few long
 * ones. A seed of 12 steps takes a tenth of a second of CPU.
 *
 * Odd seeds try polling, even ones delivery; --only leaves the others out.
 * A seed that fails, crashes or hangs is named with what was violated, the fewest of its steps
 * that still fail, and the command that replays them. With --bug the program has that mistake;
 * --bugs runs the seeds with each mistake until one fails: a mistake that no seed finds is a
 * failure. Exits 0 when all is as it should be.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/num.h"
#include "world/bugs.h"
#include "world/world.h"

enum { STEPS = 20, CPU_S_MAX = 120, JOBS_MAX = 64, SAID_MAX = 4096, TOLD_EACH = 1000 };

struct options {
	int64_t from, to, steps, jobs;
	bool all_bugs, is_verbose;
	const char *bug;
	bool leaves_out[2]; /* seeds that are even, odd */
};

/* One run under way. */
struct run {
	pid_t pid; /* 0: none */
	uint64_t seed;
	char folder[200];
};

struct tally {
	size_t held, failed;
	double days;
};

/* ---- one run ---- */

static void make_folder(char *folder, size_t size)
{
	const char *top = getenv("TMPDIR");

	snprintf(folder, size, "%.100s/tocsin_world_XXXXXX", top != NULL ? top : "/tmp");
	if (mkdtemp(folder) == NULL) {
		perror(folder);
		exit(1);
	}
}

static void remove_folder(const char *folder)
{
	char path[500];
	DIR *dir = opendir(folder);

	for (struct dirent *e; dir != NULL && (e = readdir(dir)) != NULL;) {
		snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);
		unlink(path);
	}
	if (dir != NULL)
		closedir(dir);
	rmdir(folder);
}

/* Output of the run goes beside its store, to be told only when it failed. */
static void hush(const char *folder)
{
	char path[300];

	snprintf(path, sizeof(path), "%s/said", folder);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	dup2(fd, STDOUT_FILENO);
	dup2(fd, STDERR_FILENO);
	close(fd);
}

static _Noreturn void live(const struct run *run, size_t steps, bool is_verbose)
{
	char path[300];

	if (!is_verbose)
		hush(run->folder);
	setrlimit(RLIMIT_CPU, &(struct rlimit){ CPU_S_MAX, CPU_S_MAX });
	int64_t lived_ms = world_run(run->seed, steps, run->folder, is_verbose);

	snprintf(path, sizeof(path), "%s/lived", run->folder);
	FILE *out = fopen(path, "w");

	fprintf(out, "%" PRId64 "\n", lived_ms);
	fclose(out);
	exit(0);
}

static void start(struct run *run, uint64_t seed, size_t steps, bool is_verbose)
{
	run->seed = seed;
	make_folder(run->folder, sizeof(run->folder));
	fflush(stdout);
	run->pid = fork();
	if (run->pid == 0)
		live(run, steps, is_verbose);
}

static double days_of(const struct run *run)
{
	char path[300];
	int64_t ms = 0;

	snprintf(path, sizeof(path), "%s/lived", run->folder);
	FILE *in = fopen(path, "r");

	if (in == NULL)
		return 0;
	if (fscanf(in, "%" SCNd64, &ms) != 1)
		ms = 0;
	fclose(in);
	return (double)ms / DAY;
}

/* The end of it: what was violated stands there. */
static void print_said(const struct run *run)
{
	char path[300], text[SAID_MAX];

	snprintf(path, sizeof(path), "%s/said", run->folder);
	FILE *in = fopen(path, "r");

	if (in == NULL)
		return;
	if (fseek(in, -(long)sizeof(text), SEEK_END) != 0)
		rewind(in);
	fwrite(text, 1, fread(text, 1, sizeof(text), in), stdout);
	fclose(in);
}

/* True when those steps of the seed hold. */
static bool holds(uint64_t seed, size_t steps)
{
	struct run run;
	int status;

	start(&run, seed, steps, false);
	waitpid(run.pid, &status, 0);
	remove_folder(run.folder);
	return status == 0;
}

/* The fewest steps that fail: doubled until they do, then halved, then looked at closely. */
static size_t shrink(uint64_t seed, size_t steps)
{
	size_t good = 0, bad = 1;

	if (!holds(seed, 0))
		return 0;
	while (bad < steps && holds(seed, bad)) {
		good = bad;
		bad *= 2;
	}
	bad = bad < steps ? bad : steps;
	while (bad - good > 1) {
		size_t middle = good + (bad - good) / 2;

		if (holds(seed, middle))
			good = middle;
		else
			bad = middle;
	}
	return bad;
}

static void tell_failure(const struct run *run, int status, const struct options *o)
{
	printf("seed %" PRIu64 " fails%s\n", run->seed,
	       WIFSIGNALED(status) ? ", by a signal, or it is too slow" : "");
	print_said(run);
	size_t steps = shrink(run->seed, (size_t)o->steps);

	printf("          its first %zu steps suffice: tocsin-world --seed %" PRIu64
	       " --steps %zu%s%s --verbose\n",
	       steps, run->seed, steps, o->bug != NULL ? " --bug " : "",
	       o->bug != NULL ? o->bug : "");
}

/* ---- many runs ---- */

static struct run *find_run(struct run *runs, size_t count, pid_t pid)
{
	for (size_t i = 0; i < count; i++)
		if (runs[i].pid == pid)
			return &runs[i];
	return NULL;
}

static void reap(struct run *runs, const struct options *o, struct tally *t, bool tells)
{
	int status;
	pid_t pid = waitpid(-1, &status, 0);
	struct run *run = find_run(runs, (size_t)o->jobs, pid);

	if (run == NULL)
		return;
	run->pid = 0;
	t->days += days_of(run);
	t->held += status == 0;
	t->failed += status != 0;
	if (status != 0 && tells)
		tell_failure(run, status, o);
	if (tells && (t->held + t->failed) % TOLD_EACH == 0)
		printf("%zu seeds so far, %zu failed\n", t->held + t->failed, t->failed);
	remove_folder(run->folder);
}

static size_t under_way(const struct run *runs, const struct options *o)
{
	size_t count = 0;

	for (int64_t i = 0; i < o->jobs; i++)
		count += runs[i].pid != 0;
	return count;
}

/* Until the first failure, or all of them. */
static struct tally run_seeds(const struct options *o, bool until_failure)
{
	struct run runs[JOBS_MAX] = { { .pid = 0 } };
	struct tally t = { .held = 0 };

	for (int64_t seed = o->from; seed <= o->to; seed++) {
		if (until_failure && t.failed > 0)
			break;
		if (o->leaves_out[seed % 2])
			continue;
		start(find_run(runs, (size_t)o->jobs, 0), (uint64_t)seed, (size_t)o->steps,
		      o->is_verbose);
		if (under_way(runs, o) == (size_t)o->jobs)
			reap(runs, o, &t, !until_failure);
	}
	while (under_way(runs, o) > 0)
		reap(runs, o, &t, !until_failure);
	return t;
}

static void prepare(void)
{
	char folder[200];

	make_folder(folder, sizeof(folder));
	world_prepare(folder);
	remove_folder(folder);
}

static int run_clean(const struct options *o)
{
	struct timespec began, ended;

	clock_gettime(CLOCK_MONOTONIC, &began);
	struct tally t = run_seeds(o, false);

	clock_gettime(CLOCK_MONOTONIC, &ended);
	double took = (double)(ended.tv_sec - began.tv_sec) +
		      (double)(ended.tv_nsec - began.tv_nsec) / 1e9;

	printf("%zu seeds held, %zu failed; %.0f simulated days in %.0f s, %.0f a minute\n",
	       t.held, t.failed, t.days, took, took > 0 ? t.days * 60 / took : 0);
	return t.failed > 0;
}

static int run_bugs(const struct options *o)
{
	int missed = 0;

	for (size_t i = 0; bugs_name(i) != NULL; i++) {
		struct options those = *o;

		bugs_choose(bugs_name(i));
		those.leaves_out[bugs_of_delivery(i)] = true;
		struct tally t = run_seeds(&those, true);

		printf("%s: %s after %zu seeds\n", bugs_name(i),
		       t.failed > 0 ? "found" : "NOT FOUND", t.held + t.failed);
		missed += t.failed == 0;
	}
	printf("%d bugs missed\n", missed);
	return missed > 0;
}

/* ---- the command line ---- */

static bool take_number(const char *text, int64_t *out)
{
	struct err err;

	return text != NULL && num_parse_int(text, out, &err) && *out >= 0;
}

static bool take_range(const char *text, struct options *o)
{
	return text != NULL && sscanf(text, "%" SCNd64 "-%" SCNd64, &o->from, &o->to) == 2 &&
	       o->from >= 0 && o->from <= o->to;
}

static bool take_one(struct options *o, const char *name, const char *value)
{
	if (strcmp(name, "--seeds") == 0)
		return take_range(value, o);
	if (strcmp(name, "--seed") == 0)
		return take_number(value, &o->from) && take_number(value, &o->to);
	if (strcmp(name, "--steps") == 0)
		return take_number(value, &o->steps);
	if (strcmp(name, "--jobs") == 0)
		return take_number(value, &o->jobs) && o->jobs >= 1 && o->jobs <= JOBS_MAX;
	if (strcmp(name, "--only") == 0 && value != NULL) {
		o->leaves_out[0] = strcmp(value, "polling") == 0;
		o->leaves_out[1] = strcmp(value, "delivery") == 0;
		return o->leaves_out[0] || o->leaves_out[1];
	}
	if (strcmp(name, "--bug") == 0 && value != NULL)
		return bugs_choose(o->bug = value);
	return false;
}

static bool take_options(struct options *o, int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "--verbose") == 0)
			o->is_verbose = true;
		else if (strcmp(argv[i], "--bugs") == 0)
			o->all_bugs = true;
		else if (!take_one(o, argv[i], argv[i + 1]))
			return false;
		else
			i++;
	return true;
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	struct options o = { .from = 1, .to = 100, .steps = STEPS, .jobs = 2 };

	if (!take_options(&o, argc, argv)) {
		fprintf(stderr, "usage: tocsin-world [--seeds FROM-TO | --seed N] [--steps K] "
				"[--jobs J] [--bug NAME | --bugs] [--verbose] "
				"[--only polling|delivery]\n");
		return 2;
	}
	prepare();
	return o.all_bugs ? run_bugs(&o) : run_clean(&o);
}
