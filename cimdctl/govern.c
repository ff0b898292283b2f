/*
 * govern.c - what an administrator does to one client, through cimdd
 * SPDX-License-Identifier: Apache-2.0
 */

#include <stdlib.h>

#include <json-c/json.h>

#include "api_json.h"
#include "govern.h"
#include "jget.h"
#include "talk.h"

enum ctl_exit
govern(const struct ctl *c, const struct who *who, const char *verb, bool quiet,
    struct json_object **out)
{
	char *path = who_path(who, verb);
	struct talk t = { .path = path,
		.quiet = quiet,
		.doing = "waiting for cimdd" };
	enum ctl_exit status;
	struct maker m;

	*out = NULL;
	maker_init(&m);
	put_string(&m, NULL, "client_id", who->client_id);
	put_string(&m, NULL, "reason", c->opt[OPT_REASON]);
	put_string(&m, NULL, "document_sha256", c->opt[OPT_SHA256]);
	t.body = m.top;
	if (path == NULL || m.failed)
		status = ctl_no_memory(c);
	else
		status = talk(c, &t, out);
	maker_clear(&m);
	free(path);
	return status;
}

void
govern_print(const struct ctl *c, const char *deed, struct json_object *answer)
{
	const char *hash = jget_string(jget(answer, "live"), "document_sha256");

	if (c->out->json) {
		out_json(c->out, answer);
		return;
	}
	out_text(c->out, STYLE_PLAIN, "%s %s", deed,
	    jget_string(answer, "client_id"));
	if (*hash != '\0')
		out_text(c->out, STYLE_DIM, " (document %.12s)", hash);
	out_line(c->out, STYLE_PLAIN, "%s", "");
}
