/*
 * check.h - every rule over one client, step by step
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: none; in: URL, policy; out: a finding for each rule; touches the
 * network unless the answer is given
 */

#ifndef CHECK_H
#define CHECK_H

#include "check_rules.h"
#include "decide.h"
#include "freshness.h"
#include "settings.h"

/* What is checked; all borrowed. */
struct check_ask {
	struct span url;
	struct span redirect_uri; /* absent: none */
	const struct policy *policy;
	const struct settings *settings; /* zeroed: defaults */
	const char *ca_path, *ca_file;   /* NULL: the system's */
	struct span document;            /* absent: not given */
	struct span response;            /* absent: not given */
};

enum check_level {
	LEVEL_SKIP = 0, /* not reached, or not asked for */
	LEVEL_PASS,
	LEVEL_WARN,
	LEVEL_FAIL,
};

struct finding {
	enum check_level level;
	char section[28];
	char text[256];    /* what was found; may be empty but for LEVEL_FAIL */
	uint64_t warnings; /* WARN_BIT()s of LEVEL_WARN */
};

struct check {
	const struct check_ask *ask;
	struct finding finding[CHECK_COUNT];
	enum cimd_err code; /* of the first rule that failed */
	struct cimd_error err;
	uint64_t warnings; /* all of them */
	struct url url;
	char agent[300]; /* User-Agent; the fetcher borrows it */
	bool judged;     /* verdict is there */
	struct verdict verdict;
	bool decided; /* decision is there */
	struct decision decision;
	bool redirect_ok;           /* of the one that was asked for */
	struct cimd_client *client; /* NULL: the document is no document */
};

/* Run the check; empty out with check_clear(). */
void check_run(const struct check_ask *ask, struct check *out);
void check_clear(struct check *c);

/* For the steps: all rules of a stage, which ended with e. */
void check_stage(struct check *c, enum check_stage stage, enum cimd_err e,
    const struct cimd_error *err);

/* For the steps: say more about a rule that has passed or is skipped. */
void check_say(struct check *c, enum check_id id, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* "pass", "warn", "fail", "skip". */
const char *check_level_name(enum check_level level);

#endif /* CHECK_H */
