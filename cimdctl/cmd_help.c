/*
 * cmd_help.c - "help" and "version"
 * SPDX-License-Identifier: Apache-2.0
 */

#include <stdio.h>

#include <json-c/json.h>

#include "api_json.h"
#include "commands.h"

static const char statuses[] =
    "\n"
    "exit status: 0 accepted or done, 1 refused or a check failed, 2 the\n"
    "command line is wrong, 3 unavailable for the moment, 4 cimdd cannot be\n"
    "reached, 5 anything else.  See cimdctl(8).\n";

static void
list_commands(FILE *f)
{
	const struct command *c;
	size_t i;

	(void)fprintf(f,
	    "usage: cimdctl COMMAND [options] [arguments]\n"
	    "\n");
	for (i = 0; (c = command_at(i)) != NULL; i++)
		if (!c->hidden)
			(void)fprintf(f, "  %-8s %-15s %s\n", c->name, c->args,
			    c->summary);
	(void)fprintf(f, "\n\"cimdctl help COMMAND\" says more.\n%s", statuses);
}

static void
list_options(const struct command *c, FILE *f)
{
	const struct opt_def *d;
	char letter[] = "-x,", name[40];
	int o;

	(void)fprintf(f, "\noptions:\n");
	for (o = 0; o < OPT_COUNT; o++) {
		if (!command_takes(c, (enum opt)o))
			continue;
		d = opt_def((enum opt)o);
		letter[1] = d->letter;
		(void)snprintf(name, sizeof(name), "--%s%s%s", d->name,
		    d->arg != NULL ? " " : "", d->arg != NULL ? d->arg : "");
		(void)fprintf(f, "  %-3s %-20s %s\n",
		    d->letter != 0 ? letter : "", name, d->help);
	}
}

/* The whole table, for tools. */
static enum ctl_exit
list_json(const struct ctl *c)
{
	enum ctl_exit status = CTL_OK;
	struct json_object *a, *o, *options;
	const struct command *row;
	struct maker m;
	size_t i;
	int opt;

	maker_init(&m);
	a = put_array(&m, NULL, "commands");
	for (i = 0; (row = command_at(i)) != NULL; i++) {
		o = push_object(&m, a);
		put_string(&m, o, "name", row->name);
		put_string(&m, o, "arguments", row->args);
		put_string(&m, o, "summary", row->summary);
		options = put_array(&m, o, "options");
		for (opt = 0; opt < OPT_COUNT; opt++)
			if (command_takes(row, (enum opt)opt))
				push_string(&m, options,
				    opt_def((enum opt)opt)->name);
	}
	if (m.failed)
		status = ctl_no_memory(c);
	else
		out_json(c->out, m.top);
	maker_clear(&m);
	return status;
}

enum ctl_exit
cmd_help(struct ctl *c)
{
	const struct command *about = c->command;
	FILE *f = c->out->f;

	if (c->opt[OPT_HELP] == NULL) {
		if (c->n_args == 0 && c->out->json)
			return list_json(c);
		if (c->n_args == 0) {
			list_commands(f);
			return CTL_OK;
		}
		if ((about = command_find(c->args[0])) == NULL) {
			complain("there is no command \"%s\"", c->args[0]);
			return CTL_USAGE;
		}
	}
	command_usage(about, f);
	(void)fprintf(f, "\n\n%s\n", about->summary);
	if (about->more != NULL)
		(void)fprintf(f, "\n%s\n", about->more);
	list_options(about, f);
	(void)fputs(statuses, f);
	return CTL_OK;
}

enum ctl_exit
cmd_version(struct ctl *c)
{
	struct maker m;

	if (!c->out->json) {
		(void)fprintf(c->out->f, "cimdctl %s\n", cimd_version());
		return CTL_OK;
	}
	maker_init(&m);
	put_string(&m, NULL, "version", cimd_version());
	if (!m.failed)
		out_json(c->out, m.top);
	maker_clear(&m);
	return CTL_OK;
}
