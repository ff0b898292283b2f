/*
 * facts.c - "name  value" lines, aligned
 * SPDX-License-Identifier: Apache-2.0
 */

#include <json-c/json.h>

#include "facts.h"
#include "jget.h"
#include "when.h"

void
fact_text(struct table *t, const char *name, enum style style,
    const char *value)
{
	if (*value == '\0')
		return;
	table_row(t);
	table_cell(t, STYLE_DIM, "%s", name);
	table_cell(t, style, "%s", value);
}

void
fact_time(struct table *t, const char *name, int64_t then, int64_t now)
{
	char exact[WHEN_TEXT], relative[WHEN_TEXT];

	if (then == 0)
		return;
	table_row(t);
	table_cell(t, STYLE_DIM, "%s", name);
	table_cell(t, STYLE_PLAIN, "%s (%s)", when_exact(then, exact),
	    when_relative(then, now, relative));
}

void
fact_list(struct table *t, const char *name, struct json_object *o,
    const char *member)
{
	size_t i, n = jget_count(o, member);

	for (i = 0; i < n; i++) {
		table_row(t);
		table_cell(t, STYLE_DIM, "%s", i == 0 ? name : "");
		table_cell(t, STYLE_PLAIN, "%s",
		    json_object_get_string(jget_item(o, member, i)));
	}
}
