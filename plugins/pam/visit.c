/*
 * visit.c - one question of a PAM service to cimdd
 * SPDX-License-Identifier: Apache-2.0
 */

#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include <security/pam_ext.h>

#include "pam_cimd.h"

enum {
	MAX_SHOWN = 200,    /* bytes of foreign text in a log line */
	MAX_ENV_NAME = 256, /* bytes of CIMD_CLIENT_NAME */
};

/* Codes of class refused that are about the rules of this machine. */
static const char *const policy_codes[] = { "CIMD_E_POLICY", "CIMD_E_BLOCKED",
	"CIMD_E_PENDING", "CIMD_E_CONSUMER", "CIMD_E_PORT",
	"CIMD_E_AUTH_METHOD" };

/* Those about the assertion, and what it is verified with. */
static const char *const token_codes[] = { "CIMD_E_ASSERTION", "CIMD_E_REPLAY",
	"CIMD_E_KEYS" };

static bool
is_in(const char *const *list, size_t n, const char *code)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (strcmp(list[i], code) == 0)
			return true;
	return false;
}

/* A copy of at most size - 1 bytes, all of them printable ASCII. */
static void
copy_printable(char *out, size_t size, const char *text)
{
	size_t i;

	for (i = 0; i + 1 < size && text[i] != '\0'; i++)
		out[i] = text[i] >= ' ' && text[i] <= '~' ? text[i] : '?';
	out[i] = '\0';
}

int
visit_begin(struct visit *v, pam_handle_t *pamh, enum group group, int argc,
    const char **argv)
{
	const char *bad = NULL, *user = NULL;
	char shown[MAX_SHOWN + 1];
	int e;

	*v = (struct visit){ .pamh = pamh, .group = group };
	if (!options_read(argc, argv, &v->options, &bad)) {
		copy_printable(shown, sizeof(shown), bad);
		pam_syslog(pamh, LOG_ERR, "wrong option, nobody is let in: %s",
		    shown);
		return PAM_SERVICE_ERR;
	}
	if ((e = pam_get_user(pamh, &user, NULL)) != PAM_SUCCESS)
		return e == PAM_CONV_AGAIN ? PAM_INCOMPLETE : e;
	if (user == NULL)
		return PAM_USER_UNKNOWN;
	switch (name_read(user, v->options.decode_user, v->client_id)) {
	case NAME_CLIENT:
		return PAM_SUCCESS;
	case NAME_BAD:
		copy_printable(shown, sizeof(shown), user);
		pam_syslog(pamh, LOG_NOTICE, "no client_id: %s", shown);
		return PAM_USER_UNKNOWN;
	case NAME_OTHER:
		break;
	}
	if (v->options.debug)
		pam_syslog(pamh, LOG_DEBUG, "the user is no client");
	return v->options.ignore_unknown ? PAM_IGNORE : PAM_USER_UNKNOWN;
}

/* The one table of answers; pam_cimd(8) shows it. */
static int
code_of(const struct visit *v, const struct cimdclient_answer *a)
{
	const char *code = cimdclient_code(a);

	switch (cimdclient_class(a)) {
	case CIMD_ACCEPTED:
		return PAM_SUCCESS;
	case CIMD_UNAVAILABLE:
		return PAM_AUTHINFO_UNAVAIL;
	case CIMD_NOT_OURS:
		return PAM_USER_UNKNOWN;
	case CIMD_REFUSED:
		if (is_in(policy_codes,
			sizeof(policy_codes) / sizeof(policy_codes[0]), code))
			return v->group == GROUP_AUTH ? PAM_AUTH_ERR :
							PAM_PERM_DENIED;
		if (v->group == GROUP_AUTH &&
		    is_in(token_codes,
			sizeof(token_codes) / sizeof(token_codes[0]), code))
			return PAM_AUTH_ERR;
		return PAM_USER_UNKNOWN;
	case CIMD_BROKEN:
		break;
	}
	return PAM_SERVICE_ERR;
}

static void
log_answer(const struct visit *v, const struct cimdclient_answer *a)
{
	enum cimd_class c = cimdclient_class(a);
	char shown[MAX_SHOWN + 1];

	copy_printable(shown, sizeof(shown), v->client_id);
	if (c == CIMD_ACCEPTED && v->options.debug)
		pam_syslog(v->pamh, LOG_DEBUG, "%s: %s, rule \"%s\"", shown,
		    cimdclient_trust(a), cimdclient_rule(a));
	else if (c != CIMD_ACCEPTED)
		pam_syslog(v->pamh,
		    c == CIMD_BROKEN || c == CIMD_UNAVAILABLE ? LOG_ERR :
								LOG_NOTICE,
		    "%s: %s (%s)", shown, cimdclient_detail(a),
		    cimdclient_code(a));
}

/* CIMD_CLIENT_ID and CIMD_CLIENT_NAME, for hosts that pass them on. */
static int
put_environment(const struct visit *v, const struct cimdclient_answer *a)
{
	const char *name = cimdclient_text(a, "client_name");
	char line[sizeof(v->client_id) + 32], shown[MAX_ENV_NAME + 1];
	int e;

	(void)snprintf(line, sizeof(line), "CIMD_CLIENT_ID=%s", v->client_id);
	if ((e = pam_putenv(v->pamh, line)) != PAM_SUCCESS || name == NULL)
		return e;
	copy_printable(shown, sizeof(shown), name);
	(void)snprintf(line, sizeof(line), "CIMD_CLIENT_NAME=%s", shown);
	return pam_putenv(v->pamh, line);
}

/* A string item of the handle, or NULL. */
static const char *
item_of(const struct visit *v, int item)
{
	const void *value = NULL;

	if (pam_get_item(v->pamh, item, &value) != PAM_SUCCESS)
		return NULL;
	return value;
}

int
visit_ask(const struct visit *v, const char *jwt)
{
	const struct options *o = &v->options;
	struct cimdclient_ask ask = {
		.socket = o->socket,
		.timeout_ms = o->timeout_ms,
		.client_id = v->client_id,
		.client_id_len = strlen(v->client_id),
		.assertion = jwt,
		.assertion_len = jwt != NULL ? strlen(jwt) : 0,
		.purpose = CIMD_TOKEN,
		.service = item_of(v, PAM_SERVICE),
		.audiences = o->n_audiences > 0 ? o->audiences : NULL,
		.remote_addr = item_of(v, PAM_RHOST),
	};
	struct cimdclient_answer *a = NULL;
	enum cimd_class c;
	int e;

	if (jwt != NULL)
		c = cimdclient_verify(&ask, &a);
	else
		c = cimdclient_lookup(&ask, &a);
	log_answer(v, a);
	e = code_of(v, a);
	if (c == CIMD_ACCEPTED && o->env)
		e = put_environment(v, a);
	cimdclient_free(&a);
	return e;
}
