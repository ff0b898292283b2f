/*
 * check_rules.h - the rules that "cimdctl check" prints, in their order
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: none; in: nothing; out: a table; touches nothing
 */

#ifndef CHECK_RULES_H
#define CHECK_RULES_H

#include "cimd_int.h"

enum check_stage {
	STAGE_URL,
	STAGE_POLICY,
	STAGE_RESOLVE,
	STAGE_FETCH,
	STAGE_ANSWER,
	STAGE_DOCUMENT,
	STAGE_MEMBERS, /* judged as they come: no order among its rules */
	STAGE_AUTH,
	STAGE_DECIDE,
	STAGE_REQUEST,
};

enum check_id {
	CHECK_URL,
	CHECK_URL_PATH,
	CHECK_URL_QUERY,
	CHECK_POLICY,
	CHECK_PORT,
	CHECK_RESOLVE,
	CHECK_ADDRESSES,
	CHECK_CONNECT,
	CHECK_CERTIFICATE,
	CHECK_HTTP,
	CHECK_SIZE,
	CHECK_STATUS,
	CHECK_TYPE,
	CHECK_ENCODING,
	CHECK_CACHING,
	CHECK_JSON,
	CHECK_CLIENT_ID,
	CHECK_SECRETS,
	CHECK_MEMBERS,
	CHECK_LINKS,
	CHECK_REDIRECT_URIS,
	CHECK_AUTH_METHOD,
	CHECK_KEYS,
	CHECK_PROFILE,
	CHECK_METHODS,
	CHECK_GRANTS,
	CHECK_REDIRECTS,
	CHECK_LOOPBACK,
	CHECK_SCOPES,
	CHECK_APPROVAL,
	CHECK_REDIRECT_URI,
	CHECK_COUNT
};

enum {
	CHECK_CODES = 5,
};

struct check_rule {
	const char *name;    /* stable, for --json */
	const char *section; /* of the draft, or where the rule stands */
	const char *what;    /* holds when it passes */
	const char *advice;  /* what to do when it does not */
	enum check_stage stage;
	enum cimd_err codes[CHECK_CODES]; /* that break it; CIMD_OK ends */
	uint64_t warnings;                /* WARN_BIT()s that belong to it */
};

const struct check_rule *check_rule(enum check_id id);

#endif /* CHECK_RULES_H */
