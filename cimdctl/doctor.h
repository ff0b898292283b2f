/*
 * doctor.h - does an authorization server publish what MCP clients need?
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: none; in: issuer; out: findings; touches the network
 *
 * Sources: RFC 8414, OpenID Connect Discovery 1.0, RFC 9207, RFC 7636, the
 * draft (section 5), MCP authorization of 2025-11-25 and later.
 */

#ifndef DOCTOR_H
#define DOCTOR_H

#include "ctl.h"
#include "http.h"

struct json_object;

/* Where metadata may be, in the order in which MCP clients look. */
enum doctor_place {
	PLACE_OAUTH = 0,    /* RFC 8414: between host and path */
	PLACE_OIDC_INSERT,  /* the same for openid-configuration */
	PLACE_OIDC_APPEND,  /* OpenID Connect Discovery: behind the path */
	PLACE_OAUTH_APPEND, /* where some servers have it; nobody looks there */
	PLACE_COUNT
};

/* What one place answered. */
struct doctor_answer {
	char *url;                /* NULL: the same as an earlier place */
	struct json_object *json; /* NULL: no metadata, why says why */
	char why[256];
	bool missing; /* merely 404 */
	enum http_result result;
};

enum doctor_level {
	DOCTOR_PASS,
	DOCTOR_WARN,
	DOCTOR_FAIL,
};

struct doctor_finding {
	const char *name;    /* stable, for --json */
	const char *section; /* where the rule stands */
	enum doctor_level level;
	char text[320];
	const char *consequence; /* unless it passes */
};

enum {
	DOCTOR_FINDINGS = 24,
};

struct doctor {
	const char *issuer;
	struct doctor_answer at[PLACE_COUNT];
	int found; /* the place that clients use; -1: none */
	struct doctor_finding finding[DOCTOR_FINDINGS];
	size_t n;
};

/*
 * Fetch from every place; false: out of memory.  Empty d with
 * doctor_clear(), always.
 */
bool doctor_fetch(const struct ctl *c, const char *issuer, struct doctor *d);
void doctor_clear(struct doctor *d);

/* Judge what was fetched. */
void doctor_judge(struct doctor *d);

/* For the rules: add a finding. */
void doctor_add(struct doctor *d, const struct doctor_finding *f,
    const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* "pass", "warn", "fail". */
const char *doctor_level_name(enum doctor_level level);

#endif /* DOCTOR_H */
