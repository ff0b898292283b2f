/*
 * check.c - "cimdd -t": is the configuration good?
 * SPDX-License-Identifier: Apache-2.0
 */

#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "check.h"
#include "config.h"
#include "options.h"

/*
 * Names in a file were looked up by the child.  A package makes the initial
 * ones, so that they may not be there yet: that is no fault.
 */
static void
tell_missing(const struct daemon_settings *s)
{
	static const char what[] =
	    "note: there is no %s \"%s\": before root can start cimdd, make it "
	    "or set \"%s\"\n";

	if (geteuid() != 0)
		return; /* only root becomes somebody else */
	if (getpwnam(s->user) == NULL)
		printf(what, "user", s->user, "user");
	if (getgrnam(s->socket_group) == NULL)
		printf(what, "group", s->socket_group, "socket_group");
	if (s->mux_socket[0] != '\0' && getgrnam(s->mux_group) == NULL)
		printf(what, "group", s->mux_group, "mux_group");
}

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
	if (e == CIMD_OK) {
		printf("%s: the configuration is good\n", from->file);
		tell_missing(&config.daemon);
	} else if (faults != NULL)
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
