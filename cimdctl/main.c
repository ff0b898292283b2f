/*
 * main.c - cimdctl: finds the command and runs it
 * SPDX-License-Identifier: Apache-2.0
 */

#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <json-c/json.h>

#include "api_json.h"
#include "commands.h"

enum ctl_exit
ctl_exit_of(enum cimd_err e)
{
	/* Nothing stored, another document, a bad file: no cure in waiting. */
	if (e == CIMD_E_NOT_STORED || e == CIMD_E_STATE || e == CIMD_E_CONFIG)
		return CTL_REFUSED;
	if (e == CIMD_E_REQUEST)
		return CTL_USAGE;
	switch (cimd_err_class(e)) {
	case CIMD_ACCEPTED:
		return CTL_OK;
	case CIMD_REFUSED:
	case CIMD_NOT_OURS:
		return CTL_REFUSED;
	case CIMD_UNAVAILABLE:
		return CTL_UNAVAILABLE;
	case CIMD_BROKEN:
		break;
	}
	return CTL_BROKEN;
}

enum ctl_exit
ctl_fail(const struct ctl *c, enum cimd_err e, const struct cimd_error *err)
{
	struct maker m;

	if (c->out->json) {
		maker_init(&m);
		put_string(&m, NULL, "code", cimd_err_name(e));
		put_string(&m, NULL, "class",
		    cimd_class_name(cimd_err_class(e)));
		put_string(&m, NULL, "section", err->section);
		put_string(&m, NULL, "detail", err->text);
		if (!m.failed)
			out_json(c->out, m.top);
		maker_clear(&m);
	}
	complain("%s", err->text);
	return ctl_exit_of(e);
}

enum ctl_exit
ctl_no_memory(const struct ctl *c)
{
	struct cimd_error err;

	return ctl_fail(c, err_no_memory(&err), &err);
}

static enum ctl_exit
usage(const struct command *c)
{
	if (c == NULL)
		(void)fputs("usage: cimdctl COMMAND [options] [arguments]; "
			    "see \"cimdctl help\"",
		    stderr);
	else
		command_usage(c, stderr);
	(void)fputc('\n', stderr);
	return CTL_USAGE;
}

/* Has the command the options and as many arguments as it wants? */
static bool
fits(const struct ctl *c)
{
	int o;

	for (o = 0; o < OPT_COUNT; o++)
		if (c->opt[o] != NULL &&
		    !command_takes(c->command, (enum opt)o)) {
			complain("%s does not go with --%s", c->command->name,
			    opt_def((enum opt)o)->name);
			return false;
		}
	if (c->n_args < c->command->min_args) {
		complain("%s: an argument is missing", c->command->name);
		return false;
	}
	if (c->n_args > c->command->max_args) {
		complain("%s: \"%s\" is one argument too many",
		    c->command->name, c->args[c->command->max_args]);
		return false;
	}
	return true;
}

static enum ctl_exit
dispatch(struct ctl *c)
{
	if (c->opt[OPT_VERSION] != NULL && c->n_args == 0) {
		c->command = command_find("version");
		return cmd_version(c);
	}
	if (c->opt[OPT_HELP] != NULL && c->n_args == 0) {
		c->opt[OPT_HELP] = NULL;
		return cmd_help(c);
	}
	if (c->n_args == 0) {
		complain("a command is missing");
		return usage(NULL);
	}
	c->command = command_find(c->args[0]);
	if (c->command == NULL) {
		complain("there is no command \"%s\"", c->args[0]);
		return usage(NULL);
	}
	c->args++;
	c->n_args--;
	if (c->opt[OPT_HELP] != NULL)
		return cmd_help(c);
	if (!fits(c))
		return usage(c->command);
	return c->command->run(c);
}

/* Is nobody left to read what we print?  That is no fault of ours. */
static bool
is_unread(void)
{
	struct pollfd p = { .fd = STDOUT_FILENO, .events = POLLOUT };

	return poll(&p, 1, 0) == 1 && (p.revents & POLLERR) != 0;
}

static enum ctl_exit
finish(enum ctl_exit status)
{
	if (fflush(stdout) == 0 && ferror(stdout) == 0)
		return status;
	if (is_unread())
		return status;
	(void)fputs("cimdctl: cannot write to standard output\n", stderr);
	return CTL_BROKEN;
}

int
main(int argc, char **argv, char **environment)
{
	struct sigaction quiet = { .sa_handler = SIG_IGN };
	struct ctl c = { 0 };
	const char **args;
	enum ctl_exit status;
	struct out out;
	char *wrong = NULL;

	(void)setlocale(LC_CTYPE, "");
	(void)sigaction(SIGPIPE, &quiet, NULL);
	out_init(&out, environment);
	c.out = &out;
	args = calloc((size_t)argc + 1, sizeof(*args));
	if (args == NULL) {
		status = ctl_no_memory(&c);
		return (int)status;
	}
	if (opt_read(argc, argv, c.opt, args, &c.n_args, &wrong)) {
		c.args = args;
		out.json = c.opt[OPT_JSON] != NULL;
		status = dispatch(&c);
	} else {
		complain("%s", wrong != NULL ? wrong : "out of memory");
		status = usage(NULL);
	}
	free(wrong);
	free(args);
	status = finish(status);
	return (int)status;
}
