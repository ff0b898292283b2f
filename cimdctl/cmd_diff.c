/*
 * cmd_diff.c - "diff": the document now against the approved one
 * SPDX-License-Identifier: Apache-2.0
 */

#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "commands.h"
#include "govern.h"
#include "jget.h"
#include "talk.h"

static void
print_side(struct out *o, enum style style, const char *sign,
    struct json_object *change, const char *side)
{
	size_t i, n = jget_count(change, side);

	for (i = 0; i < n; i++)
		out_line(o, style, "%s%s", sign,
		    json_object_get_string(jget_item(change, side, i)));
}

static void
print_head(struct out *o, const char *sign, const char *name,
    const char *sha256)
{
	out_line(o, STYLE_BOLD, "%s %s  document %s", sign, name, sha256);
}

static void
print_diff(const struct ctl *c, struct json_object *diff,
    struct json_object *entry)
{
	const char *id = jget_string(diff, "client_id");
	const char *now = jget_string(jget(entry, "live"), "document_sha256");
	struct json_object *changes = jget(diff, "changes");
	struct out *o = c->out;

	if (!json_object_is_type(changes, json_type_object) ||
	    json_object_object_length(changes) == 0) {
		out_line(o, STYLE_PLAIN,
		    "%s: what a provider sees of the document has not changed",
		    id);
		return;
	}
	if (jget(diff, "approved_sha256") != NULL)
		print_head(o, "---", "approved",
		    jget_string(diff, "approved_sha256"));
	else /* what was served first, to a tenant or to all */
		print_head(o, "---", "first   ",
		    jget_string(diff, "first_sha256"));
	print_head(o, "+++", "now     ", now);
	json_object_object_foreach(changes, member, change)
	{
		out_line(o, STYLE_DIM, "@@ %s @@", member);
		print_side(o, STYLE_REMOVED, "-", change, "removed");
		print_side(o, STYLE_ADDED, "+", change, "added");
	}
	out_line(o, STYLE_PLAIN, "%s", "");
	out_line(o, STYLE_PLAIN,
	    "changed: %s.  To accept it:", jget_string(diff, "severity"));
	out_line(o, STYLE_PLAIN, "  cimdctl approve --sha256 %s %s", now, id);
}

/* The entry first: if the document changes after that, approving its hash
 * fails, which is the safe way round. */
enum ctl_exit
cmd_diff(struct ctl *c)
{
	struct json_object *entry = NULL, *diff = NULL;
	struct talk t = { 0 };
	enum ctl_exit status;
	struct who who;
	char *path;

	if (!who_read(c->args[0], &who))
		return CTL_USAGE;
	if ((path = who_path(&who, NULL)) == NULL)
		return ctl_no_memory(c);
	t.path = path;
	status = talk(c, &t, &entry);
	free(path);
	if (status == CTL_OK)
		status = govern(c, &who, "diff", false, &diff);
	if (status == CTL_OK && c->out->json)
		out_json(c->out, diff);
	else if (status == CTL_OK)
		print_diff(c, diff, entry);
	json_object_put(diff);
	json_object_put(entry);
	return status;
}
