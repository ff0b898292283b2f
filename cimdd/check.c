/*
 * check.c - "cimdd -t": is the configuration good?
 * SPDX-License-Identifier: Apache-2.0
 */

#include <stdio.h>
#include <stdlib.h>

#include "check.h"
#include "config.h"
#include "options.h"

int
check_config(const struct conf_sources *from)
{
	struct cimd_error err;
	struct config config;
	struct cimd *r = NULL;
	char *faults = NULL;
	enum cimd_err e;

	e = config_load(from, &config, &faults, &err);
	if (e == CIMD_OK)
		e = cimd_new(config.json, config.len, &r, &err);
	if (e == CIMD_OK)
		printf("%s: the configuration is good\n", from->file);
	else if (faults != NULL)
		fprintf(stderr, "%s", faults);
	else
		fprintf(stderr, "%s\n", err.text);
	free(faults);
	cimd_free(&r);
	config_clear(&config);
	if (e == CIMD_OK)
		return fflush(stdout) == 0 ? EXIT_CLEAN : EXIT_RUNTIME;
	return e == CIMD_E_CONFIG ? EXIT_CONFIG : EXIT_RUNTIME;
}
