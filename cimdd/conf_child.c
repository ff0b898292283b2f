/*
 * conf_child.c - the configuration child, "cimdd -t --json"
 * SPDX-License-Identifier: Apache-2.0
 */

#include <stdio.h>
#include <sys/resource.h>

#include <json-c/json.h>

#include "conf_child.h"

enum {
	CHILD_CPU_S = 10, /* seconds; a parser that loops ends itself */
};

int
conf_child(const struct conf_sources *from)
{
	const struct rlimit cpu = { CHILD_CPU_S, CHILD_CPU_S };
	struct json_object *json = NULL;
	const char *text = NULL;
	enum cimd_err e;

	(void)setrlimit(RLIMIT_CPU, &cpu);
	e = conf_load(from, &json);
	if (json != NULL)
		text = json_object_to_json_string_ext(json,
		    JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
	if (text == NULL || printf("%s\n", text) < 0 || fflush(stdout) != 0) {
		fprintf(stderr, "cimdd: cannot print the configuration\n");
		e = CIMD_E_INTERNAL;
	}
	json_object_put(json);
	if (e == CIMD_OK)
		return EXIT_CLEAN;
	return e == CIMD_E_CONFIG ? EXIT_CONFIG : EXIT_RUNTIME;
}
