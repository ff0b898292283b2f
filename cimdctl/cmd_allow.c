/*
 * cmd_allow.c - "allow" and "deny"
 * SPDX-License-Identifier: Apache-2.0
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "catalog.h"
#include "commands.h"
#include "govern.h"
#include "jget.h"
#include "rule_file.h"
#include "talk.h"

/* A rule is written, but an administrator's block stands above it. */
static void
warn_if_blocked(const struct ctl *c, const char *client_id)
{
	struct json_object *entry = NULL;
	struct talk t = { .quiet = true };
	struct who who;
	char *path;

	if (!who_is_url(client_id) || strchr(client_id, '*') != NULL ||
	    !who_read(client_id, &who))
		return;
	if ((path = who_path(&who, NULL)) == NULL)
		return;
	t.path = path;
	t.silent = true;
	if (talk(c, &t, &entry) == CTL_OK &&
	    strcmp(jget_string(entry, "governance"), "blocked") == 0)
		complain("%s is still blocked by cimdctl deny; cimdctl "
			 "unblock takes that back",
		    client_id);
	json_object_put(entry);
	free(path);
}

static enum ctl_exit
allow_url(const struct ctl *c, const char *client_id)
{
	struct rule_file r = { .deed = "allowed", .about = client_id };
	char *name, *lines;
	struct cimd_error err;
	enum ctl_exit status;
	enum cimd_err e;

	e = rule_file_for_url(client_id, false, &name, &lines, &err);
	r.name = name;
	r.lines = lines;
	status = e == CIMD_OK ? rule_file_put(c, &r) : ctl_fail(c, e, &err);
	if (status == CTL_OK)
		warn_if_blocked(c, client_id);
	free(name);
	free(lines);
	return status;
}

static void
warn_if_any_blocked(const struct ctl *c, struct json_object *section)
{
	size_t i;

	for (i = 0; i < jget_count(section, "match"); i++)
		warn_if_blocked(c,
		    json_object_get_string(jget_item(section, "match", i)));
}

/* *section is borrowed from *config, which the caller frees. */
static enum cimd_err
find_entry(const struct ctl *c, const char *name, struct json_object **config,
    struct json_object **section, struct cimd_error *err)
{
	enum cimd_err e;

	*section = NULL;
	if ((e = catalog_load(c, config, err)) != CIMD_OK)
		return e;
	if ((*section = catalog_find(*config, name)) != NULL)
		return CIMD_OK;
	json_object_put(*config);
	*config = NULL;
	return err_set(err, CIMD_E_POLICY, "policy",
	    "\"%s\" is neither an https URL nor in the catalog; see cimdctl "
	    "catalog",
	    name);
}

static enum ctl_exit
allow_name(const struct ctl *c, const char *name)
{
	struct rule_file r = { .name = name, .deed = "allowed", .about = name };
	struct json_object *config, *section;
	char *lines = NULL;
	struct cimd_error err;
	enum ctl_exit status;
	enum cimd_err e;

	e = find_entry(c, name, &config, &section, &err);
	if (e == CIMD_OK)
		e = catalog_text(c, config, section, &lines, &err);
	r.lines = lines;
	status = e == CIMD_OK ? rule_file_put(c, &r) : ctl_fail(c, e, &err);
	if (status == CTL_OK)
		warn_if_any_blocked(c, section);
	free(lines);
	json_object_put(config);
	return status;
}

enum ctl_exit
cmd_allow(struct ctl *c)
{
	if (who_is_url(c->args[0]))
		return allow_url(c, c->args[0]);
	return allow_name(c, c->args[0]);
}

static enum ctl_exit
deny_in_conf(const struct ctl *c, const struct who *who)
{
	struct rule_file r = { .deed = "blocked", .about = who->client_id };
	char *name, *lines;
	struct cimd_error err;
	enum ctl_exit status;
	enum cimd_err e;

	if (who->client_id == NULL) {
		complain("to write a rule, the URL of the client is needed");
		return CTL_USAGE;
	}
	e = rule_file_for_url(who->client_id, true, &name, &lines, &err);
	r.name = name;
	r.lines = lines;
	status = e == CIMD_OK ? rule_file_put(c, &r) : ctl_fail(c, e, &err);
	free(name);
	free(lines);
	return status;
}

/* A section that blocks what the catalog's entry admits. */
static char *
blocking_lines(const char *name, struct json_object *section)
{
	char *text = NULL;
	size_t i, len = 0;
	FILE *f = open_memstream(&text, &len);

	if (f == NULL)
		return NULL;
	(void)fprintf(f, "client \"%s\" {\n\tmatch = {", name);
	for (i = 0; i < jget_count(section, "match"); i++)
		(void)fprintf(f, "%s \"%s\"", i > 0 ? "," : "",
		    json_object_get_string(jget_item(section, "match", i)));
	(void)fprintf(f, " }\n\ttrust = blocked\n}\n");
	if (fclose(f) == 0)
		return text;
	free(text);
	return NULL;
}

static enum ctl_exit
deny_name(const struct ctl *c, const char *name)
{
	struct rule_file r = { .name = name, .deed = "blocked", .about = name };
	struct json_object *config, *section;
	enum ctl_exit status;
	struct cimd_error err;
	enum cimd_err e;
	char *lines;

	if ((e = find_entry(c, name, &config, &section, &err)) != CIMD_OK)
		return ctl_fail(c, e, &err);
	lines = blocking_lines(name, section);
	r.lines = lines;
	status = lines != NULL ? rule_file_put(c, &r) : ctl_no_memory(c);
	free(lines);
	json_object_put(config);
	return status;
}

enum ctl_exit
cmd_deny(struct ctl *c)
{
	struct json_object *answer;
	enum ctl_exit status;
	struct who who;

	if (!who_is_url(c->args[0]) && !who_is_short(c->args[0]))
		return deny_name(c, c->args[0]);
	if (!who_read(c->args[0], &who))
		return CTL_USAGE;
	if (c->opt[OPT_CONFIG] != NULL || c->opt[OPT_CONF_DIR] != NULL ||
	    (who.client_id != NULL && strchr(who.client_id, '*') != NULL))
		return deny_in_conf(c, &who);
	/* Without a URL there is nothing that could be written instead. */
	status = govern(c, &who, "deny", who.client_id != NULL, &answer);
	if (status == CTL_NO_DAEMON && who.client_id != NULL)
		return deny_in_conf(c, &who);
	if (status == CTL_OK)
		govern_print(c, "blocked", answer);
	json_object_put(answer);
	return status;
}
