/*
 * option.c - what the application's SASL configuration says
 * SPDX-License-Identifier: Apache-2.0
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/un.h>

#include "sasl_cimd.h"

enum {
	MIN_TIMEOUT_MS = 100,
	MAX_TIMEOUT_MS = 30000,
	MIN_LENGTH = 16, /* "https://a.example" has more */
};

/* The value of an option; NULL: it is not set. */
static const char *
get(const sasl_utils_t *utils, const char *name)
{
	const char *value = NULL;

	if (utils->getopt(utils->getopt_context, "cimd", name, &value, NULL) !=
		SASL_OK ||
	    value == NULL || value[0] == '\0')
		return NULL;
	return value;
}

/* A number in decimal digits within bounds; max where it is not set. */
static int
get_number(const sasl_utils_t *utils, const char *name, int min, int max,
    struct option_values *out)
{
	const char *value = get(utils, name);
	int n = 0;
	size_t i;

	if (value == NULL)
		return max;
	for (i = 0; value[i] >= '0' && value[i] <= '9' && n <= max; i++)
		n = n * 10 + (value[i] - '0');
	if (value[i] != '\0' || n < min || n > max)
		(void)snprintf(out->fault, sizeof(out->fault),
		    "%s must be a number from %d to %d", name, min, max);
	return n;
}

bool
option_transitions(const sasl_utils_t *utils)
{
	static const char *const off[] = { "0", "f", "false", "n", "no",
		"off" };
	const char *value = NULL;
	size_t i;

	if (utils->getopt(utils->getopt_context, NULL, "auto_transition",
		&value, NULL) != SASL_OK ||
	    value == NULL)
		return false;
	for (i = 0; i < sizeof(off) / sizeof(off[0]); i++)
		if (strcasecmp(value, off[i]) == 0)
			return false;
	return true;
}

bool
option_read(const sasl_utils_t *utils, struct option_values *out)
{
	const char *socket = get(utils, "cimd_socket");

	*out = (struct option_values){ .timeout_ms = CIMDCLIENT_TIMEOUT_MS };
	if (socket == NULL)
		return true;
	if (get(utils, "cimd_timeout") != NULL)
		out->timeout_ms = get_number(utils, "cimd_timeout",
		    MIN_TIMEOUT_MS, MAX_TIMEOUT_MS, out);
	out->max_length = (size_t)get_number(utils, "cimd_max_length",
	    MIN_LENGTH, SASL_CIMD_MAX_ID, out);
	if (socket[0] != '/' ||
	    strlen(socket) >= sizeof(((struct sockaddr_un *)NULL)->sun_path))
		(void)snprintf(out->fault, sizeof(out->fault),
		    "cimd_socket must be the path of a socket");
	if (option_transitions(utils))
		(void)snprintf(out->fault, sizeof(out->fault),
		    "auto_transition must be off: it keeps used assertions as "
		    "passwords");
	return (out->socket = strdup(socket)) != NULL;
}

void
option_clear(struct option_values *v)
{
	free(v->socket);
	v->socket = NULL;
}
