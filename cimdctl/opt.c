/*
 * opt.c - the options of all commands
 * SPDX-License-Identifier: Apache-2.0
 */

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "opt.h"

static const struct opt_def defs[OPT_COUNT] = {
	[OPT_ALL] = { "all", 'a', NULL, "all of them, not only the latest" },
	[OPT_BATCH] = { "batch", 'b', "FILE",
	    "judge the JSON lines of FILE (-: stdin)" },
	[OPT_CA_FILE] = { "ca-file", 0, "FILE",
	    "trust the certificates in this file" },
	[OPT_CA_PATH] = { "ca-path", 0, "DIR",
	    "trust the certificates in this hashed directory" },
	[OPT_CATALOG] = { "catalog", 'C', "DIR", "where known clients are" },
	[OPT_CIMDD] = { "cimdd", 0, "PROGRAM",
	    "the daemon that reads configuration files" },
	[OPT_CONF_DIR] = { "conf-dir", 'd', "DIR",
	    "where rules are written (conf.d)" },
	[OPT_CONFIG] = { "config", 'c', "FILE", "the configuration" },
	[OPT_CONSUMER] = { "consumer", 0, "NAME",
	    "as this consumer section would ask" },
	[OPT_CONTAINS] = { "contains", 0, "TEXT",
	    "only those with this in their URL" },
	[OPT_DOCUMENT] = { "document", 0, "FILE",
	    "judge this document; fetch nothing (-: stdin)" },
	[OPT_HELP] = { "help", 'h', NULL, "how to use a command" },
	[OPT_JSON] = { "json", 'j', NULL, "answer with JSON" },
	[OPT_LIMIT] = { "limit", 'n', "NUMBER", "at most so many" },
	[OPT_POLICY] = { "policy", 'p', "FILE",
	    "judge by these rules (JSON, or as cimd.conf)" },
	[OPT_REASON] = { "reason", 'm', "TEXT", "for the audit log" },
	[OPT_REDIRECT_URI] = { "redirect-uri", 'r', "URI",
	    "the redirect_uri of a request" },
	[OPT_RESPONSE] = { "response", 0, "FILE",
	    "judge this HTTP response, as \"curl -i\" prints it" },
	[OPT_SHA256] = { "sha256", 0, "HASH",
	    "only if this is still the document" },
	[OPT_SOCKET] = { "socket", 's', "PATH", "where cimdd listens" },
	[OPT_VERSION] = { "version", 'V', NULL, "the version" },
};

const struct opt_def *
opt_def(enum opt o)
{
	return &defs[o];
}

/* What getopt_long() wants; values of long options are 256 + enum opt. */
static void
make_tables(char *shorts, struct option *longs)
{
	size_t i;

	*shorts++ = ':';
	for (i = 0; i < OPT_COUNT; i++) {
		longs[i].name = defs[i].name;
		longs[i].has_arg =
		    defs[i].arg != NULL ? required_argument : no_argument;
		longs[i].flag = NULL;
		longs[i].val = 256 + (int)i;
		if (defs[i].letter == 0)
			continue;
		*shorts++ = defs[i].letter;
		if (defs[i].arg != NULL)
			*shorts++ = ':';
	}
	*shorts = '\0';
	memset(&longs[OPT_COUNT], 0, sizeof(longs[OPT_COUNT]));
}

static enum opt
opt_of(int found)
{
	int i;

	if (found >= 256)
		return (enum opt)(found - 256);
	for (i = 0; i < OPT_COUNT; i++)
		if (defs[i].letter == found)
			break;
	return (enum opt)i;
}

static bool
complain(char **wrong, const char *what, const char *name)
{
	if (asprintf(wrong, "%s: %s", name, what) == -1)
		*wrong = NULL;
	return false;
}

static bool
take(int found, const char *word, const char *value[OPT_COUNT], char **wrong)
{
	enum opt o;

	if (found == '?')
		return complain(wrong, "there is no such option", word);
	if (found == ':')
		return complain(wrong, "a value is missing", word);
	o = opt_of(found);
	if (value[o] != NULL)
		return complain(wrong, "given twice", defs[o].name);
	value[o] = optarg != NULL ? optarg : "";
	return true;
}

bool
opt_read(int argc, char **argv, const char *value[OPT_COUNT], const char **args,
    size_t *n_args, char **wrong)
{
	struct option longs[OPT_COUNT + 1];
	char shorts[2 * OPT_COUNT + 2];
	int found, at;

	make_tables(shorts, longs);
	*n_args = 0;
	*wrong = NULL;
	opterr = 0;
	for (;;) {
		at = optind < argc ? optind : argc - 1;
		found = getopt_long(argc, argv, shorts, longs, NULL);
		if (found == -1)
			break;
		if (optind > at + 1 || found == '?' || found == ':')
			at = optind - 1;
		if (!take(found, argv[at], value, wrong))
			return false;
	}
	while (optind < argc)
		args[(*n_args)++] = argv[optind++];
	return true;
}

bool
opt_number(const char *text, int64_t min, int64_t max, int64_t *out)
{
	size_t i, n = strlen(text);
	int64_t v = 0;

	if (n == 0 || n > 15)
		return false;
	for (i = 0; i < n; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		v = v * 10 + (text[i] - '0');
	}
	if (v < min || v > max)
		return false;
	*out = v;
	return true;
}
