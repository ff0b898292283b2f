/*
 * commands.c - the table of commands: names, arguments, options, help
 * SPDX-License-Identifier: Apache-2.0
 *
 * "cimdctl help", the completion of the shell and cimdctl(8) say what stands
 * here; a test compares them.
 */

#include <string.h>

#include "commands.h"

#define ON_DAEMON OPT_BIT(OPT_SOCKET)
#define ON_TLS (OPT_BIT(OPT_CA_FILE) | OPT_BIT(OPT_CA_PATH))
#define ON_CONFIG                                                              \
	(OPT_BIT(OPT_CATALOG) | OPT_BIT(OPT_CIMDD) | OPT_BIT(OPT_CONF_DIR) |   \
	    OPT_BIT(OPT_CONFIG))

static const struct command table[] = {
	{ .name = "check",
	    .args = "URL",
	    .summary = "run every rule over a client; needs no daemon",
	    .more = "Resolves, fetches and judges what URL answers, and prints "
		    "each rule\nwith pass, warn or fail, where it stands, and "
		    "what to do.  With\n--document or --response nothing is "
		    "fetched.  With --batch there is\nno URL: each line of "
		    "the input is a JSON object, see cimdctl(8).",
	    .options = OPT_BIT(OPT_BATCH) | OPT_BIT(OPT_CIMDD) |
		OPT_BIT(OPT_DOCUMENT) | OPT_BIT(OPT_POLICY) |
		OPT_BIT(OPT_REDIRECT_URI) | OPT_BIT(OPT_RESPONSE) | ON_TLS,
	    .max_args = 1,
	    .run = cmd_check },
	{ .name = "doctor",
	    .args = "ISSUER",
	    .summary = "does a provider publish what MCP clients need?",
	    .more = "Fetches the metadata of an authorization server "
		    "(RFC 8414, OpenID\nConnect Discovery) and judges it.  "
		    "The issuer may be on a private network.",
	    .options = ON_TLS,
	    .min_args = 1,
	    .max_args = 1,
	    .run = cmd_doctor },
	{ .name = "clients",
	    .args = "",
	    .summary = "the clients that were seen, latest first",
	    .options = ON_DAEMON | OPT_BIT(OPT_ALL) | OPT_BIT(OPT_CONTAINS) |
		OPT_BIT(OPT_LIMIT),
	    .run = cmd_clients },
	{ .name = "show",
	    .args = "URL|SHORT",
	    .summary = "all that cimdd knows of a client",
	    .options = ON_DAEMON,
	    .min_args = 1,
	    .max_args = 1,
	    .run = cmd_show },
	{ .name = "catalog",
	    .args = "",
	    .summary = "the clients that can be allowed by name",
	    .options = ON_CONFIG,
	    .run = cmd_catalog },
	{ .name = "allow",
	    .args = "NAME|URL",
	    .summary = "write a rule that admits a client, and reload",
	    .more = "A name is copied from the catalog into conf.d.  For a "
		    "URL, a rule is\nwritten that admits exactly this URL; "
		    "* stands for a path segment.",
	    .options = ON_DAEMON | ON_CONFIG,
	    .min_args = 1,
	    .max_args = 1,
	    .run = cmd_allow },
	{ .name = "deny",
	    .args = "NAME|URL|SHORT",
	    .summary = "block a client, from its next request on",
	    .more = "The block is kept by cimdd.  For a name of the catalog, "
		    "for a pattern,\nwith --config or --conf-dir, and where "
		    "cimdd does not run, a rule is\nwritten into conf.d "
		    "instead.",
	    .options = ON_DAEMON | ON_CONFIG | OPT_BIT(OPT_REASON),
	    .min_args = 1,
	    .max_args = 1,
	    .run = cmd_deny },
	{ .name = "unblock",
	    .args = "URL|SHORT",
	    .summary = "take a block of deny back",
	    .options = ON_DAEMON | OPT_BIT(OPT_REASON),
	    .min_args = 1,
	    .max_args = 1,
	    .run = cmd_unblock },
	{ .name = "approve",
	    .args = "URL|SHORT",
	    .summary = "approve the present document; also unblocks",
	    .options = ON_DAEMON | OPT_BIT(OPT_REASON) | OPT_BIT(OPT_SHA256),
	    .min_args = 1,
	    .max_args = 1,
	    .run = cmd_approve },
	{ .name = "pin",
	    .args = "URL|SHORT",
	    .summary = "approve the present document and no later one",
	    .options = ON_DAEMON | OPT_BIT(OPT_REASON) | OPT_BIT(OPT_SHA256),
	    .min_args = 1,
	    .max_args = 1,
	    .run = cmd_pin },
	{ .name = "refresh",
	    .args = "URL|SHORT",
	    .summary = "fetch the document now",
	    .options = ON_DAEMON | OPT_BIT(OPT_REASON),
	    .min_args = 1,
	    .max_args = 1,
	    .run = cmd_refresh },
	{ .name = "forget",
	    .args = "URL|SHORT",
	    .summary = "drop what is stored, but for a block",
	    .options = ON_DAEMON | OPT_BIT(OPT_REASON),
	    .min_args = 1,
	    .max_args = 1,
	    .run = cmd_forget },
	{ .name = "diff",
	    .args = "URL|SHORT",
	    .summary = "the document now against the approved one",
	    .options = ON_DAEMON,
	    .min_args = 1,
	    .max_args = 1,
	    .run = cmd_diff },
	{ .name = "policy",
	    .args = "test URL",
	    .summary = "which rule applies to a client, and why",
	    .more = "A dry run in cimdd: nothing is fetched, nothing is "
		    "stored.",
	    .options =
		ON_DAEMON | OPT_BIT(OPT_CONSUMER) | OPT_BIT(OPT_REDIRECT_URI),
	    .min_args = 2,
	    .max_args = 2,
	    .run = cmd_policy },
	{ .name = "status",
	    .args = "",
	    .summary = "how cimdd is",
	    .options = ON_DAEMON,
	    .run = cmd_status },
	{ .name = "reload",
	    .args = "",
	    .summary = "let cimdd read its configuration again",
	    .options = ON_DAEMON,
	    .run = cmd_reload },
	{ .name = "audit",
	    .args = "",
	    .summary = "the last deeds and changes, oldest first",
	    .options = ON_DAEMON | OPT_BIT(OPT_LIMIT),
	    .run = cmd_audit },
	{ .name = "metrics",
	    .args = "",
	    .summary = "the counters of cimdd, as Prometheus reads them",
	    .options = ON_DAEMON,
	    .run = cmd_metrics },
	{ .name = "help",
	    .args = "[COMMAND]",
	    .summary = "this, or how to use a command",
	    .max_args = 1,
	    .run = cmd_help },
	{ .name = "version",
	    .args = "",
	    .summary = "the version of cimdctl",
	    .run = cmd_version },
	{ .name = "complete",
	    .args = "[COMMAND]",
	    .summary = "words for the completion of a shell",
	    .options = ON_DAEMON | ON_CONFIG,
	    .max_args = 1,
	    .hidden = true,
	    .run = cmd_complete },
};

const struct command *
command_at(size_t i)
{
	return i < sizeof(table) / sizeof(table[0]) ? &table[i] : NULL;
}

const struct command *
command_find(const char *name)
{
	const struct command *c;
	size_t i;

	for (i = 0; (c = command_at(i)) != NULL; i++)
		if (strcmp(c->name, name) == 0)
			break;
	return c;
}

bool
command_takes(const struct command *c, enum opt o)
{
	uint64_t all = c->options | OPT_BIT(OPT_HELP) | OPT_BIT(OPT_JSON);

	return (all & OPT_BIT(o)) != 0;
}

void
command_usage(const struct command *c, FILE *f)
{
	(void)fprintf(f, "usage: cimdctl %s [options]%s%s", c->name,
	    c->args[0] != '\0' ? " " : "", c->args);
}
