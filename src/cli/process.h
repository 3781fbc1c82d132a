/* process: the pipeline in this process, for `run` and `poll`: signals, configuration, store. */
#ifndef CLI_PROCESS_H
#define CLI_PROCESS_H

#include "cli/cli.h"
#include "flow/app.h"

struct process {
	struct setup *setup;
	struct turn *turn;
	struct app *app;
};

/* EXIT_OK, or the exit code after the reason was printed; then there is nothing to end. */
int process_begin(struct process *p, const struct cli *cli);
/* From here on HUP reloads. One that came before must be kept blocked: see run.c. */
void process_reload_on_hangup(struct process *p);
void process_end(struct process *p);

#endif
