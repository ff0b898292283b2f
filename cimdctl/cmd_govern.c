/*
 * cmd_govern.c - "approve", "pin", "refresh", "unblock", "forget"
 * SPDX-License-Identifier: Apache-2.0
 */

#include <string.h>

#include <json-c/json.h>

#include "commands.h"
#include "govern.h"
#include "jget.h"

/* One of any other form would only ever be told that it is another one. */
static bool
hash_read(const struct ctl *c)
{
	enum {
		DIGITS = 64
	};
	const char *hash = c->opt[OPT_SHA256];

	if (hash == NULL ||
	    (strlen(hash) == DIGITS &&
		strspn(hash, "0123456789abcdef") == DIGITS))
		return true;
	complain("--sha256: %d digits from 0 to f are expected", DIGITS);
	return false;
}

static enum ctl_exit
run(const struct ctl *c, const char *verb, const char *deed)
{
	struct json_object *answer;
	enum ctl_exit status;
	struct who who;

	if (!who_read(c->args[0], &who) || !hash_read(c))
		return CTL_USAGE;
	status = govern(c, &who, verb, false, &answer);
	if (status == CTL_OK)
		govern_print(c, deed, answer);
	json_object_put(answer);
	return status;
}

enum ctl_exit
cmd_approve(struct ctl *c)
{
	return run(c, "approve", "approved");
}

enum ctl_exit
cmd_pin(struct ctl *c)
{
	return run(c, "pin", "pinned");
}

enum ctl_exit
cmd_refresh(struct ctl *c)
{
	return run(c, "refresh", "fetched");
}

enum ctl_exit
cmd_unblock(struct ctl *c)
{
	return run(c, "unblock", "unblocked");
}

enum ctl_exit
cmd_forget(struct ctl *c)
{
	struct json_object *answer;
	enum ctl_exit status;
	struct who who;

	if (!who_read(c->args[0], &who))
		return CTL_USAGE;
	status = govern(c, &who, "forget", false, &answer);
	if (status == CTL_OK && !c->out->json &&
	    !jget_true(answer, "forgotten"))
		out_line(c->out, STYLE_PLAIN, "nothing was stored about %s",
		    jget_string(answer, "client_id"));
	else if (status == CTL_OK)
		govern_print(c, "forgot", answer);
	json_object_put(answer);
	return status;
}
