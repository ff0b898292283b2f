/*
 * cmd_catalog.c - "catalog": the clients that can be allowed by name
 * SPDX-License-Identifier: Apache-2.0
 */

#include <json-c/json.h>

#include "api_json.h"
#include "catalog.h"
#include "commands.h"
#include "jget.h"

static void
add_entry(struct table *t, struct json_object *config,
    struct json_object *section)
{
	const char *name = jget_string(section, "name");
	bool allowed = catalog_is_allowed(config, name);
	size_t i, n = jget_count(section, "match");

	for (i = 0; i < n; i++) {
		table_row(t);
		table_cell(t, STYLE_BOLD, "%s", i == 0 ? name : "");
		table_cell(t, allowed ? STYLE_GOOD : STYLE_PLAIN, "%s",
		    i > 0 ? "" : (allowed ? "allowed" : "-"));
		table_cell(t, STYLE_PLAIN, "%s",
		    json_object_get_string(jget_item(section, "match", i)));
	}
}

static enum ctl_exit
print_entries(const struct ctl *c, struct json_object *config)
{
	size_t i, n = jget_count(config, "catalog");
	struct table t = { 0 };

	if (n == 0)
		out_line(c->out, STYLE_PLAIN, "the catalog is empty");
	for (i = 0; i < n; i++)
		add_entry(&t, config, jget_item(config, "catalog", i));
	return table_print(&t, c->out) ? CTL_OK : ctl_no_memory(c);
}

static enum ctl_exit
print_json(const struct ctl *c, struct json_object *config)
{
	struct json_object *a, *o, *section;
	size_t i, n = jget_count(config, "catalog");
	enum ctl_exit status = CTL_OK;
	struct maker m;

	maker_init(&m);
	a = put_array(&m, NULL, "catalog");
	for (i = 0; i < n; i++) {
		section = jget_item(config, "catalog", i);
		o = push_object(&m, a);
		put_string(&m, o, "name", jget_string(section, "name"));
		put_bool(&m, o, "allowed",
		    catalog_is_allowed(config, jget_string(section, "name")));
		put_tree(&m, o, "match",
		    json_object_get(jget(section, "match")));
	}
	if (m.failed)
		status = ctl_no_memory(c);
	else
		out_json(c->out, m.top);
	maker_clear(&m);
	return status;
}

enum ctl_exit
cmd_catalog(struct ctl *c)
{
	struct json_object *config;
	struct cimd_error err;
	enum ctl_exit status;
	enum cimd_err e;

	e = catalog_load(c, &config, &err);
	if (e != CIMD_OK)
		return ctl_fail(c, e, &err);
	status =
	    c->out->json ? print_json(c, config) : print_entries(c, config);
	json_object_put(config);
	return status;
}
