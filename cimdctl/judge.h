/*
 * judge.h - run the rules over an answer that is at hand, without network
 * SPDX-License-Identifier: Apache-2.0
 */

#ifndef JUDGE_H
#define JUDGE_H

#include "decide.h"
#include "http_headers.h"
#include "policy.h"

struct json_object;

/* What is judged.  Spans are borrowed; absent ones were not given. */
struct judge_input {
	struct span url;
	struct json_object *addresses; /* array of texts; NULL: not given */
	int status;
	struct json_object *headers; /* array of [name, value]; NULL: JSON */
	struct span body;            /* absent: URL and addresses only */
	struct span redirect_uri;
	const struct policy *policy;
};

/* What came out; err is filled in unless code is CIMD_OK. */
struct judge_result {
	enum cimd_err code;
	struct cimd_error err;
	uint64_t warnings;
	bool decided; /* decision and client are there */
	struct decision decision;
	bool redirect_ok; /* of the redirect URI that is judged */
	struct cimd_client *client;
};

/* Judge; empty out with judge_clear(). */
void judge(const struct judge_input *in, struct judge_result *out);
void judge_clear(struct judge_result *r);

#endif /* JUDGE_H */
