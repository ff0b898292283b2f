/*
 * pam_cimd.h - what the management groups of pam_cimd.so share
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: none; in: PAM handle; out: PAM codes; touches cimdd's socket, syslog
 */

#ifndef PAM_CIMD_H
#define PAM_CIMD_H

#include <security/pam_modules.h>

#include "cimdclient.h"
#include "name.h"
#include "options.h"

/* Which management group asks; the same refusal has two codes. */
enum group {
	GROUP_AUTH,
	GROUP_ACCOUNT,
};

/* A transaction: its options and who it is about. */
struct visit {
	pam_handle_t *pamh;
	struct options options;
	enum group group;
	char client_id[CIMD_MAX_URL + 1];
};

/*
 * Read options and user name.  PAM_SUCCESS: v->client_id is there.  Else
 * what the module has to return: PAM_SERVICE_ERR for an option that is
 * wrong, PAM_USER_UNKNOWN or PAM_IGNORE for a user that is no client.
 */
int visit_begin(struct visit *v, pam_handle_t *pamh, enum group group, int argc,
    const char **argv);

/* Ask cimdd: jwt is NULL for the account group.  Returns a PAM code. */
int visit_ask(const struct visit *v, const char *jwt);

#endif /* PAM_CIMD_H */
