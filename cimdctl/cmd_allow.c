/*
 * cmd_allow.c - "allow" and "deny"
 * SPDX-License-Identifier: Apache-2.0
 */

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

/* The entry of the catalog of that name.  The caller owns *config. */
static enum cimd_err
known(const struct ctl *c, const char *name, struct json_object **config,
    struct json_object **section, struct cimd_error *err)
{
	enum cimd_err e = catalog_load(c, config, err);

	*section = catalog_find(*config, name);
	if (e == CIMD_OK && *section == NULL)
		e = err_set(err, CIMD_E_POLICY, "policy",
		    "\"%s\" is neither an https URL nor in the catalog; see "
		    "cimdctl catalog",
		    name);
	return e;
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

	e = known(c, name, &config, &section, &err);
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

static enum ctl_exit
deny_one(const struct ctl *c, const char *client)
{
	struct json_object *answer;
	enum ctl_exit status;
	struct who who;

	if (!who_read(client, &who))
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

/* Each URL of an entry of the catalog. */
static enum ctl_exit
deny_name(const struct ctl *c, const char *name)
{
	struct json_object *config, *section;
	enum ctl_exit status = CTL_OK;
	struct cimd_error err;
	enum cimd_err e;
	size_t i;

	e = known(c, name, &config, &section, &err);
	if (e != CIMD_OK)
		status = ctl_fail(c, e, &err);
	for (i = 0; status == CTL_OK && i < jget_count(section, "match"); i++)
		status = deny_one(c,
		    json_object_get_string(jget_item(section, "match", i)));
	json_object_put(config);
	return status;
}

enum ctl_exit
cmd_deny(struct ctl *c)
{
	if (who_is_url(c->args[0]) || who_is_short(c->args[0]))
		return deny_one(c, c->args[0]);
	return deny_name(c, c->args[0]);
}
