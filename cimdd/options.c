/*
 * options.c - the command line of cimdd
 * SPDX-License-Identifier: Apache-2.0
 */

#include <assert.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"

#define DEFAULT_FILE CIMD_SYSCONFDIR "/cimd/cimd.conf"
#define DEFAULT_CATALOG CIMD_DATADIR "/cimd/catalog.d"

static const char usage[] =
    "usage: cimdd [-v] [-c FILE] [-d DIR] [-C DIR]\n"
    "       cimdd -t [--json] [-c FILE] [-d DIR] [-C DIR]\n"
    "       cimdd --help | --version\n";

static const char help[] =
    "\n"
    "Answers lookups of OAuth clients over UNIX sockets, in the foreground.\n"
    "\n"
    "  -c, --config FILE   configuration (" DEFAULT_FILE ")\n"
    "  -d, --conf-dir DIR  more of it (conf.d beside the configuration)\n"
    "  -C, --catalog DIR   known clients (" DEFAULT_CATALOG ")\n"
    "  -t, --test          check the configuration and end\n"
    "      --json          with -t: print it as JSON, unjudged\n"
    "  -v, --verbose       log what helps to find faults, too\n"
    "  -h, --help          this\n"
    "  -V, --version       the version\n"
    "\n"
    "SIGHUP reloads the configuration; SIGTERM and SIGINT end cleanly.\n"
    "Exit status: 0 ended cleanly, 1 the configuration is wrong, 2 the\n"
    "command line is wrong, 3 anything else.  See cimdd(8).\n";

enum {
	OPTION_JSON = 256,
};

static const struct option longs[] = {
	{ "catalog", required_argument, NULL, 'C' },
	{ "conf-dir", required_argument, NULL, 'd' },
	{ "config", required_argument, NULL, 'c' },
	{ "help", no_argument, NULL, 'h' },
	{ "json", no_argument, NULL, OPTION_JSON },
	{ "test", no_argument, NULL, 't' },
	{ "verbose", no_argument, NULL, 'v' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

struct wanted {
	bool test;
	bool json;
};

static int
wrong(const char *what)
{
	fprintf(stderr, "cimdd: %s\n%s", what, usage);
	return EXIT_USAGE;
}

static int
take(int option, struct options *o, struct wanted *w)
{
	switch (option) {
	case 'C':
		o->from.catalog = optarg;
		break;
	case 'c':
		o->from.file = optarg;
		o->system = false;
		break;
	case 'd':
		o->from.dir = optarg;
		break;
	case 'v':
		o->verbose = true;
		break;
	case 't':
		w->test = true;
		break;
	case OPTION_JSON:
		w->json = true;
		break;
	case 'h':
		printf("%s%s", usage, help);
		o->mode = MODE_DONE;
		break;
	case 'V':
		printf("cimdd %s\n", cimd_version());
		o->mode = MODE_DONE;
		break;
	default:
		return wrong("an option is not known or lacks its value");
	}
	return EXIT_CLEAN;
}

/* conf.d beside the file. */
static bool
place_dir(struct options *o)
{
	const char *slash;
	int n;

	assert(o->from.file != NULL);
	slash = strrchr(o->from.file, '/');
	n = slash == NULL ? 0 : (int)(slash + 1 - o->from.file);
	if (asprintf(&o->beside, "%.*sconf.d", n, o->from.file) == -1)
		o->beside = NULL;
	o->from.dir = o->beside;
	return o->beside != NULL;
}

int
options_read(int argc, char **argv, struct options *out)
{
	struct wanted w = { false, false };
	int option, status;

	*out = (struct options){ .system = true,
		.from = { .file = DEFAULT_FILE, .catalog = DEFAULT_CATALOG } };
	opterr = 0;
	while ((option = getopt_long(argc, argv, "C:c:d:htVv", longs, NULL)) !=
	    -1) {
		status = take(option, out, &w);
		if (status != EXIT_CLEAN || out->mode == MODE_DONE)
			return status;
	}
	if (optind < argc)
		return wrong("there are no arguments but options");
	if (w.json && !w.test)
		return wrong("--json goes with -t");
	if (w.test)
		out->mode = w.json ? MODE_CHECK_JSON : MODE_CHECK;
	if (out->from.dir == NULL && !place_dir(out)) {
		fprintf(stderr, "cimdd: out of memory\n");
		return EXIT_RUNTIME;
	}
	return EXIT_CLEAN;
}

void
options_clear(struct options *o)
{
	free(o->beside);
	*o = (struct options){ 0 };
}
