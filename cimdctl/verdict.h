/*
 * verdict.h - members that the JSON of check and of check --batch share
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: none; in: results; out: JSON; touches nothing
 */

#ifndef VERDICT_H
#define VERDICT_H

#include "api_json.h"
#include "decide.h"

/* "accept", "refuse" or "not_ours". */
const char *verdict_name(enum cimd_err e);

/* verdict, class, code, section; with an error its text as detail. */
void verdict_put(struct maker *m, enum cimd_err e,
    const struct cimd_error *err);

/* "warnings": ["url_query", ...]. */
void verdict_put_warnings(struct maker *m, struct json_object *o,
    uint64_t bits);

/* auth_method and auth_methods. */
void verdict_put_methods(struct maker *m, const struct decision *d);

#endif /* VERDICT_H */
