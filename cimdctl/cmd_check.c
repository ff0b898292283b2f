/*
 * cmd_check.c - "check": every rule over a client; --batch: over many
 * SPDX-License-Identifier: Apache-2.0
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "batch.h"
#include "check_print.h"
#include "commands.h"
#include "file.h"
#include "ruleset.h"

enum {
	FILE_MAX = 1 << 20, /* bytes of --document and --response */
};

static bool
options_fit(const struct ctl *c)
{
	static const enum opt single[] = { OPT_DOCUMENT, OPT_RESPONSE,
		OPT_REDIRECT_URI };
	bool batch = c->opt[OPT_BATCH] != NULL;
	size_t i;

	for (i = 0; batch && i < sizeof(single) / sizeof(single[0]); i++)
		if (c->opt[single[i]] != NULL) {
			complain("check: --batch does not go with --%s",
			    opt_def(single[i])->name);
			return false;
		}
	if (c->opt[OPT_DOCUMENT] != NULL && c->opt[OPT_RESPONSE] != NULL) {
		complain("check: --document or --response, not both");
		return false;
	}
	if (batch != (c->n_args == 0)) {
		complain(batch ? "check: --batch takes no URL" :
				 "check: a URL is missing");
		return false;
	}
	return true;
}

static enum ctl_exit
run_batch(const struct ctl *c, struct ruleset *rules)
{
	const char *path = c->opt[OPT_BATCH];
	bool given = strcmp(path, "-") == 0;
	FILE *in = given ? stdin : fopen(path, "re");
	enum ctl_exit status = CTL_BROKEN;
	struct cimd_error err;
	bool ok;

	if (in == NULL) {
		(void)err_set(&err, CIMD_E_REQUEST, "", "cannot read %s: %s",
		    path, strerror(errno));
		return ctl_fail(c, CIMD_E_REQUEST, &err);
	}
	ok = batch_run(in, c->out->f, rules->policy);
	if (ok || ferror(c->out->f) != 0)
		status = CTL_OK; /* main() looks at the output */
	else if (ferror(in) != 0)
		complain("cannot read %s: %s", path, strerror(errno));
	else
		complain("out of memory");
	if (!given)
		(void)fclose(in);
	return status;
}

/* Read the file of an option; *out stays absent without it. */
static enum cimd_err
read_given(const struct ctl *c, enum opt o, struct span *out, char **data,
    struct cimd_error *err)
{
	enum cimd_err e;

	*data = NULL;
	if (c->opt[o] == NULL)
		return CIMD_OK;
	e = file_read(c->opt[o], FILE_MAX, data, &out->n, err);
	out->p = *data;
	return e;
}

static enum ctl_exit
status_of(const struct check *check)
{
	if (check->code != CIMD_OK)
		return ctl_exit_of(check->code);
	return check->finding[CHECK_REDIRECT_URI].level == LEVEL_FAIL ?
	    CTL_REFUSED :
	    CTL_OK;
}

/* What the command line says of certificates replaces what a file says. */
static void
set_trust(const struct ctl *c, struct check_ask *ask)
{
	ask->ca_path = c->opt[OPT_CA_PATH];
	ask->ca_file = c->opt[OPT_CA_FILE];
	if (ask->ca_path == NULL && ask->ca_file == NULL) {
		ask->ca_path = ask->settings->ca_path;
		ask->ca_file = ask->settings->ca_file;
	}
}

static enum ctl_exit
run_ask(const struct ctl *c, const struct check_ask *ask)
{
	struct check *check = malloc(sizeof(*check));
	enum ctl_exit status;

	if (check == NULL)
		return ctl_no_memory(c);
	check_run(ask, check);
	status = check_print(c, check);
	if (status == CTL_OK)
		status = status_of(check);
	check_clear(check);
	free(check);
	return status;
}

static enum ctl_exit
run_single(const struct ctl *c, struct ruleset *rules)
{
	struct check_ask ask = { .url = span_of(c->args[0]),
		.redirect_uri = span_of(c->opt[OPT_REDIRECT_URI]),
		.policy = rules->policy,
		.settings = &rules->settings };
	char *document, *response = NULL;
	enum ctl_exit status;
	struct cimd_error err;
	enum cimd_err e;

	set_trust(c, &ask);
	e = read_given(c, OPT_DOCUMENT, &ask.document, &document, &err);
	if (e == CIMD_OK)
		e = read_given(c, OPT_RESPONSE, &ask.response, &response, &err);
	status = e == CIMD_OK ? run_ask(c, &ask) : ctl_fail(c, e, &err);
	free(document);
	free(response);
	return status;
}

enum ctl_exit
cmd_check(struct ctl *c)
{
	struct ruleset rules;
	struct cimd_error err;
	enum ctl_exit status;
	enum cimd_err e;

	if (!options_fit(c))
		return CTL_USAGE;
	e = ruleset_load(c, &rules, &err);
	if (e == CIMD_E_CONFIG || e == CIMD_E_JSON) {
		(void)ctl_fail(c, e, &err);
		status = CTL_USAGE; /* not what is checked is at fault */
	} else if (e != CIMD_OK)
		status = ctl_fail(c, e, &err);
	else if (c->opt[OPT_BATCH] != NULL)
		status = run_batch(c, &rules);
	else
		status = run_single(c, &rules);
	ruleset_clear(&rules);
	return status;
}
