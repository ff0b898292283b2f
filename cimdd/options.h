/*
 * options.h - the command line of cimdd
 * SPDX-License-Identifier: Apache-2.0
 */

#ifndef OPTIONS_H
#define OPTIONS_H

#include "conf_load.h"

/* What cimdd ends with; cimdd(8) says the same. */
enum {
	EXIT_CLEAN = 0,
	EXIT_CONFIG = 1,  /* the configuration is wrong */
	EXIT_USAGE = 2,   /* the command line is wrong */
	EXIT_RUNTIME = 3, /* sockets, privileges, memory ... */
};

enum options_mode {
	MODE_RUN = 0,
	MODE_CHECK,      /* -t */
	MODE_CHECK_JSON, /* -t --json: the configuration child */
	MODE_DONE,       /* --help, --version: said already */
};

struct options {
	enum options_mode mode;
	struct conf_sources from;
	char *beside; /* owned: where from.dir is, if -d does not say it */
	bool verbose; /* log lines for debugging too */
	bool system;  /* the system's own configuration: no -c */
};

/*
 * Read the command line; prints for --help and --version, and what is wrong.
 * Release with options_clear().  Returns EXIT_CLEAN or EXIT_USAGE.
 */
int options_read(int argc, char **argv, struct options *out);

void options_clear(struct options *o);

#endif /* OPTIONS_H */
