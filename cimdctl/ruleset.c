/*
 * ruleset.c - the rules that "cimdctl check" judges by
 * SPDX-License-Identifier: Apache-2.0
 */

#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "config.h"
#include "file.h"
#include "json_scan.h"
#include "ruleset.h"

/* An empty policy of a line of --batch admits everybody as unverified. */
static enum cimd_err
load_nothing(struct ruleset *out, struct cimd_error *err)
{
	struct json_object *json = json_object_new_object();
	enum cimd_err e;

	if (json == NULL)
		return err_no_memory(err);
	e = policy_read(json, POLICY_BATCH, &out->policy, err);
	json_object_put(json);
	return e;
}

static enum cimd_err
load_json(struct span text, struct ruleset *out, struct cimd_error *err)
{
	struct json_object *json = NULL;
	enum cimd_err e;

	e = json_parse(text, &json, err);
	if (e == CIMD_OK)
		e = policy_read(json, POLICY_BATCH, &out->policy, err);
	json_object_put(json);
	return e;
}

static enum cimd_err
load_conf(const struct ctl *c, const char *path, struct ruleset *out,
    struct cimd_error *err)
{
	struct config_files files = { .file = path };
	struct json_object *json = NULL;
	enum cimd_err e;

	e = config_json(c, &files, &json, err);
	if (e == CIMD_OK) {
		json_object_object_del(json, "daemon"); /* cimdd's own */
		e = settings_read(json, &out->settings, &out->policy, err);
	}
	json_object_put(json);
	return e;
}

/* JSON starts with a brace; a cimd.conf cannot. */
static bool
is_json(struct span text)
{
	size_t i = 0;

	while (i < text.n && strchr(" \t\r\n", text.p[i]) != NULL)
		i++;
	return i < text.n && text.p[i] == '{';
}

enum cimd_err
ruleset_load(const struct ctl *c, struct ruleset *out, struct cimd_error *err)
{
	const char *path = c->opt[OPT_POLICY];
	struct span text;
	enum cimd_err e;
	char *data;

	*out = (struct ruleset){ 0 };
	if (path == NULL)
		return load_nothing(out, err);
	e = file_read(path, CIMD_MAX_CONFIG, &data, &text.n, err);
	if (e != CIMD_OK)
		return e;
	text.p = data;
	if (is_json(text)) {
		e = load_json(text, out, err);
		if (e != CIMD_OK)
			err_prefix(err, "%s", path);
	} else
		e = load_conf(c, path, out, err);
	free(data);
	return e;
}

void
ruleset_clear(struct ruleset *r)
{
	policy_free(&r->policy);
	settings_clear(&r->settings);
	*r = (struct ruleset){ 0 };
}
