/*
 * verdict.c - members that the JSON of check and of check --batch share
 * SPDX-License-Identifier: Apache-2.0
 */

#include <json-c/json.h>

#include "verdict.h"

const char *
verdict_name(enum cimd_err e)
{
	switch (cimd_err_class(e)) {
	case CIMD_ACCEPTED:
		return "accept";
	case CIMD_NOT_OURS:
		return "not_ours";
	case CIMD_REFUSED:
	case CIMD_UNAVAILABLE:
	case CIMD_BROKEN:
		break;
	}
	return "refuse";
}

void
verdict_put(struct maker *m, enum cimd_err e, const struct cimd_error *err)
{
	put_string(m, NULL, "verdict", verdict_name(e));
	put_string(m, NULL, "class", cimd_class_name(cimd_err_class(e)));
	put_string(m, NULL, "code", cimd_err_name(e));
	put_string(m, NULL, "section", e != CIMD_OK ? err->section : "");
	if (e != CIMD_OK)
		put_string(m, NULL, "detail", err->text);
}

void
verdict_put_warnings(struct maker *m, struct json_object *o, uint64_t bits)
{
	struct json_object *a = put_array(m, o, "warnings");
	unsigned int w;

	for (w = 0; w < WARN_COUNT; w++)
		if ((bits & WARN_BIT(w)) != 0)
			push_string(m, a, warning_name((enum cimd_warning)w));
}

void
verdict_put_methods(struct maker *m, const struct decision *d)
{
	static const char pkj[] = "private_key_jwt";
	struct json_object *a;

	put_string(m, NULL, "auth_method",
	    d->preferred == METHOD_PRIVATE_KEY_JWT ? pkj : "none");
	a = put_array(m, NULL, "auth_methods");
	if ((d->methods & METHOD_PRIVATE_KEY_JWT) != 0)
		push_string(m, a, pkj);
	if ((d->methods & METHOD_NONE) != 0)
		push_string(m, a, "none");
}
