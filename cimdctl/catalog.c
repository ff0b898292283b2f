/*
 * catalog.c - the clients that are known by name
 * SPDX-License-Identifier: Apache-2.0
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "catalog.h"
#include "config.h"
#include "file.h"
#include "jget.h"

enum {
	FILE_MAX = 262144, /* bytes, as cimdd reads them */
};

static const char *
folder_of(const struct ctl *c)
{
	return c->opt[OPT_CATALOG] != NULL ? c->opt[OPT_CATALOG] : CIMD_CATALOG;
}

enum cimd_err
catalog_load(const struct ctl *c, struct json_object **out,
    struct cimd_error *err)
{
	struct config_files files = config_files(c);

	files.catalog = folder_of(c);
	return config_json(c, &files, out, err);
}

static struct json_object *
find_in(struct json_object *config, const char *list, const char *name)
{
	struct json_object *section;
	size_t i, n = jget_count(config, list);

	for (i = 0; i < n; i++) {
		section = jget_item(config, list, i);
		if (strcmp(jget_string(section, "name"), name) == 0)
			return section;
	}
	return NULL;
}

struct json_object *
catalog_find(struct json_object *config, const char *name)
{
	return find_in(config, "catalog", name);
}

bool
catalog_is_allowed(struct json_object *config, const char *name)
{
	return find_in(config, "client", name) != NULL ||
	    jget_lists(config, "allow", name);
}

/* "vscode.conf" of the place "/usr/share/cimd/catalog.d/vscode.conf:3". */
static struct span
file_of(struct json_object *section)
{
	const char *place = jget_string(jget(section, "@"), "");
	const char *slash = strrchr(place, '/');
	struct span s = span_of(slash != NULL ? slash + 1 : place);

	s.n = strcspn(s.p, ":");
	return s;
}

enum cimd_err
catalog_text(const struct ctl *c, struct json_object *config,
    struct json_object *section, char **out, struct cimd_error *err)
{
	struct span file = file_of(section);
	size_t i, len, same = 0;
	char *path = NULL;
	enum cimd_err e;

	*out = NULL;
	for (i = 0; i < jget_count(config, "catalog"); i++)
		if (span_eq(file, file_of(jget_item(config, "catalog", i))))
			same++;
	if (same != 1 || file.n == 0)
		return err_set(err, CIMD_E_CONFIG, "policy",
		    "%.*s in the catalog holds other clients too; copy it by "
		    "hand",
		    (int)file.n, file.p);
	if (asprintf(&path, "%s/%.*s", folder_of(c), (int)file.n, file.p) == -1)
		return err_no_memory(err);
	e = file_read(path, FILE_MAX, out, &len, err);
	free(path);
	return e;
}
