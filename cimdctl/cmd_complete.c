/*
 * cmd_complete.c - "complete": words for the completion of a shell
 * SPDX-License-Identifier: Apache-2.0
 */

#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include "catalog.h"
#include "commands.h"
#include "jget.h"
#include "talk.h"

static void
put_commands(struct out *o)
{
	const struct command *c;
	size_t i;

	for (i = 0; (c = command_at(i)) != NULL; i++)
		if (!c->hidden)
			out_line(o, STYLE_PLAIN, "%s", c->name);
}

/* "--policy=FILE" and "-p=FILE" where a value follows. */
static void
put_options(struct out *o, const struct command *c)
{
	const struct opt_def *d;
	int i;

	for (i = 0; i < OPT_COUNT; i++) {
		if (!command_takes(c, (enum opt)i))
			continue;
		d = opt_def((enum opt)i);
		out_line(o, STYLE_PLAIN, "--%s%s%s", d->name,
		    d->arg != NULL ? "=" : "", d->arg != NULL ? d->arg : "");
		if (d->letter != 0)
			out_line(o, STYLE_PLAIN, "-%c%s%s", d->letter,
			    d->arg != NULL ? "=" : "",
			    d->arg != NULL ? d->arg : "");
	}
}

static void
put_names(const struct ctl *c)
{
	struct json_object *config;
	struct cimd_error err;
	size_t i;

	if (catalog_load(c, &config, &err) != CIMD_OK)
		return;
	for (i = 0; i < jget_count(config, "catalog"); i++)
		out_line(c->out, STYLE_PLAIN, "%s",
		    jget_string(jget_item(config, "catalog", i), "name"));
	json_object_put(config);
}

static void
put_clients(const struct ctl *c)
{
	struct talk t = { .path = "/v1/clients?limit=100",
		.quiet = true,
		.silent = true };
	struct json_object *answer;
	size_t i;

	if (talk(c, &t, &answer) != CTL_OK)
		return;
	for (i = 0; i < jget_count(answer, "clients"); i++)
		out_line(c->out, STYLE_PLAIN, "%s",
		    jget_string(jget_item(answer, "clients", i), "client_id"));
	json_object_put(answer);
}

enum ctl_exit
cmd_complete(struct ctl *c)
{
	const struct command *about;

	c->out->json = false;
	if (c->n_args == 0) {
		put_commands(c->out);
		return CTL_OK;
	}
	if ((about = command_find(c->args[0])) == NULL)
		return CTL_USAGE;
	put_options(c->out, about);
	if (strcmp(about->name, "help") == 0)
		put_commands(c->out);
	else if (strcmp(about->name, "policy") == 0)
		out_line(c->out, STYLE_PLAIN, "test");
	if (strstr(about->args, "NAME") != NULL)
		put_names(c);
	if (strstr(about->args, "SHORT") != NULL ||
	    strcmp(about->name, "policy") == 0)
		put_clients(c);
	return CTL_OK;
}
