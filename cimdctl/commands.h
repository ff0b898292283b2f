/*
 * commands.h - the table of commands: names, arguments, options, help
 * SPDX-License-Identifier: Apache-2.0
 */

#ifndef COMMANDS_H
#define COMMANDS_H

#include "ctl.h"

struct command {
	const char *name;
	const char *args; /* "URL", "[NAME ...]"; "" for none */
	const char *summary;
	const char *more; /* paragraphs for its help, or NULL */
	uint64_t options; /* OPT_BIT()s besides help and json */
	size_t min_args, max_args;
	bool hidden; /* not for people */
	command_fn *run;
};

/* Row i of the table; NULL past the last. */
const struct command *command_at(size_t i);

/* By its name; NULL: there is none. */
const struct command *command_find(const char *name);

/* May the option be given to the command? */
bool command_takes(const struct command *c, enum opt o);

/* "usage: cimdctl check [options] URL", without a newline. */
void command_usage(const struct command *c, FILE *f);

#endif /* COMMANDS_H */
