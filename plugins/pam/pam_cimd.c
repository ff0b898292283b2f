/*
 * pam_cimd.c - the entry points of pam_cimd.so
 * SPDX-License-Identifier: Apache-2.0
 *
 * auth: the password is a client assertion (private_key_jwt), which cimdd
 * verifies and uses up.  account: may this client come in, by the policy of
 * cimdd for this PAM service?  It is asked anew, also after auth: a block
 * acts at once, and an application may do both on handles of their own.
 */

#include <syslog.h>

#include <security/pam_ext.h>

#include "pam_cimd.h"

#define EXPORT __attribute__((visibility("default")))

/* The password that an earlier module asked for, or else ask for it. */
static int
get_token(const struct visit *v, const char **token)
{
	const void *item = NULL;
	int e;

	*token = NULL;
	if (v->options.use_first_pass) {
		e = pam_get_item(v->pamh, PAM_AUTHTOK, &item);
		*token = item;
	} else
		e = pam_get_authtok(v->pamh, PAM_AUTHTOK, token, NULL);
	if (e == PAM_CONV_AGAIN)
		return PAM_INCOMPLETE;
	if (e != PAM_SUCCESS || *token == NULL)
		return PAM_AUTH_ERR;
	return PAM_SUCCESS;
}

EXPORT int
pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	struct visit v;
	const char *token;
	int e;

	(void)flags;
	e = visit_begin(&v, pamh, GROUP_AUTH, argc, argv);
	if (e == PAM_SUCCESS)
		e = get_token(&v, &token);
	if (e == PAM_SUCCESS)
		e = visit_ask(&v, token);
	return e;
}

EXPORT int
pam_sm_acct_mgmt(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	struct visit v;
	int e;

	(void)flags;
	e = visit_begin(&v, pamh, GROUP_ACCOUNT, argc, argv);
	return e == PAM_SUCCESS ? visit_ask(&v, NULL) : e;
}

/* A client has no credentials to set and no session to open. */
static int
nothing_to_do(pam_handle_t *pamh, int argc, const char **argv)
{
	struct visit v;
	int e = visit_begin(&v, pamh, GROUP_ACCOUNT, argc, argv);

	return e == PAM_USER_UNKNOWN ? PAM_IGNORE : e;
}

EXPORT int
pam_sm_setcred(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	(void)flags;
	return nothing_to_do(pamh, argc, argv);
}

EXPORT int
pam_sm_open_session(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	(void)flags;
	return nothing_to_do(pamh, argc, argv);
}

EXPORT int
pam_sm_close_session(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	(void)flags;
	return nothing_to_do(pamh, argc, argv);
}
