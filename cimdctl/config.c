/*
 * config.c - the configuration as cimdd reads it
 * SPDX-License-Identifier: Apache-2.0
 */

#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "config.h"
#include "jget.h"
#include "run.h"

enum {
	MAX_ARGS = 10,
	EXIT_CONFIG = 1, /* of cimdd: the configuration is wrong */
};

struct config_files
config_files(const struct ctl *c)
{
	struct config_files f = { c->opt[OPT_CONFIG], c->opt[OPT_CONF_DIR],
		c->opt[OPT_CATALOG] };

	return f;
}

const char *
config_program(const struct ctl *c)
{
	return c->opt[OPT_CIMDD] != NULL ? c->opt[OPT_CIMDD] : CIMDD_PROGRAM;
}

static enum cimd_err
ask(const struct ctl *c, const struct config_files *f, bool json,
    struct run_output *o, struct cimd_error *err)
{
	const char *args[MAX_ARGS];
	size_t n = 0;

	args[n++] = "-t";
	if (json)
		args[n++] = "--json";
	if (f->file != NULL) {
		args[n++] = "-c";
		args[n++] = f->file;
	}
	if (f->dir != NULL) {
		args[n++] = "-d";
		args[n++] = f->dir;
	}
	if (f->catalog != NULL) {
		args[n++] = "-C";
		args[n++] = f->catalog;
	}
	args[n] = NULL;
	return run(config_program(c), args, o, err);
}

/* It ended with neither "good" nor "wrong". */
static enum cimd_err
odd(const struct ctl *c, const struct run_output *o, struct cimd_error *err)
{
	return err_set(err, CIMD_E_INTERNAL, "",
	    "%s -t ended with status %d: %.*s", config_program(c), o->status,
	    (int)strcspn(o->err, "\n"), o->err);
}

/* The first of the faults that "cimdd -t --json" prints. */
static enum cimd_err
first_fault(struct json_object *json, struct cimd_error *err)
{
	struct json_object *fault = jget_item(json, "errors", 0);
	size_t n = jget_count(json, "errors");
	int64_t line = jget_int(fault, "line");

	(void)err_set(err, CIMD_E_CONFIG, "policy", "%s",
	    jget_string(fault, "text"));
	if (line > 0)
		err_prefix(err, "%s:%lld", jget_string(fault, "file"),
		    (long long)line);
	else
		err_prefix(err, "%s", jget_string(fault, "file"));
	if (n > 1)
		err_prefix(err, "%zu faults, the first", n);
	return CIMD_E_CONFIG;
}

enum cimd_err
config_json(const struct ctl *c, const struct config_files *f,
    struct json_object **out, struct cimd_error *err)
{
	struct json_object *json = NULL;
	struct run_output o;
	enum cimd_err e;

	*out = NULL;
	e = ask(c, f, true, &o, err);
	if (e == CIMD_OK) {
		json = json_tokener_parse(o.out);
		if ((o.status != 0 && o.status != EXIT_CONFIG) ||
		    !json_object_is_type(json, json_type_object))
			e = odd(c, &o, err);
		else if (o.status == EXIT_CONFIG)
			e = first_fault(json, err);
	}
	run_clear(&o);
	if (e == CIMD_OK)
		*out = json;
	else
		json_object_put(json);
	return e;
}

enum cimd_err
config_test(const struct ctl *c, const struct config_files *f, char **faults,
    struct cimd_error *err)
{
	struct run_output o;
	enum cimd_err e;

	*faults = NULL;
	e = ask(c, f, false, &o, err);
	if (e == CIMD_OK && o.status == EXIT_CONFIG) {
		e = err_set(err, CIMD_E_CONFIG, "policy",
		    "cimdd would refuse the configuration");
		*faults = o.err;
		o.err = NULL;
	} else if (e == CIMD_OK && o.status != 0)
		e = odd(c, &o, err);
	run_clear(&o);
	return e;
}
