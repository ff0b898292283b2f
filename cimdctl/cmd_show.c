/*
 * cmd_show.c - "show": all that cimdd knows of a client
 * SPDX-License-Identifier: Apache-2.0
 */

#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "clock.h"
#include "commands.h"
#include "facts.h"
#include "jget.h"
#include "talk.h"
#include "who.h"

static enum style
style_of(const char *word)
{
	static const char *const bad[] = { "blocked", "not admitted",
		"expired" };
	static const char *const good[] = { "trusted", "approved", "pinned",
		"fresh" };
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (strcmp(word, bad[i]) == 0)
			return STYLE_BAD;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (strcmp(word, good[i]) == 0)
			return STYLE_GOOD;
	return STYLE_PLAIN;
}

static void
add_word(struct table *t, const char *name, struct json_object *o,
    const char *member)
{
	const char *word = jget_string(o, member);

	fact_text(t, name, style_of(word), word);
}

static void
add_text(struct table *t, const char *name, struct json_object *o,
    const char *member)
{
	fact_text(t, name, STYLE_PLAIN, jget_string(o, member));
}

/* What stands in the document, as far as a provider would see it. */
static void
add_document(struct table *t, struct json_object *client)
{
	fact_list(t, "redirect URIs", client, "redirect_uris");
	fact_list(t, "grants", client, "grant_types");
	fact_list(t, "auth methods", client,
	    "token_endpoint_auth_methods_supported");
	add_text(t, "scope", client, "scope");
	add_text(t, "keys from", client, "jwks_uri");
	add_text(t, "home page", client, "client_uri");
	add_text(t, "logo", client, "logo_uri");
	add_text(t, "terms", client, "tos_uri");
	add_text(t, "privacy", client, "policy_uri");
}

/* What tenants saw first, where no document is approved for all. */
static void
add_baselines(struct table *t, struct json_object *o)
{
	size_t i, n = jget_count(o, "baselines");
	struct json_object *b;
	const char *tenant;

	for (i = 0; i < n; i++) {
		b = jget_item(o, "baselines", i);
		tenant = jget_string(b, "tenant");
		table_row(t);
		table_cell(t, STYLE_DIM, "%s", i == 0 ? "first seen by" : "");
		table_cell(t, STYLE_PLAIN, "%s: %s%s",
		    *tenant != '\0' ? tenant : "this machine's rules",
		    jget_string(b, "document_sha256"),
		    jget_true(b, "update_waits") ? ", update waits" : "");
	}
}

static enum ctl_exit
print_entry(const struct ctl *c, struct json_object *o)
{
	struct json_object *live = jget(o, "live");
	struct json_object *approved = jget(o, "approved");
	int64_t now = clock_utc();
	struct table t = { 0 };

	add_text(&t, "client", o, "client_id");
	add_text(&t, "short", o, "short");
	fact_text(&t, "host", STYLE_BOLD, jget_string(o, "client_host"));
	add_text(&t, "name", o, "client_name");
	add_word(&t, "trust", o, "trust");
	add_text(&t, "rule", o, "rule");
	add_text(&t, "update", o, "update");
	add_word(&t, "governance", o, "governance");
	if (jget_true(o, "update_waits"))
		fact_text(&t, "update waits", STYLE_WARN,
		    "yes; see cimdctl diff");
	add_word(&t, "freshness", o, "freshness");
	fact_time(&t, "first seen", jget_int(o, "first_seen"), now);
	fact_time(&t, "fetched", jget_int(o, "fetched_at"), now);
	fact_time(&t, "expires", jget_int(o, "expires_at"), now);
	add_text(&t, "document", live, "document_sha256");
	add_text(&t, "approved", approved, "document_sha256");
	add_baselines(&t, o);
	fact_list(&t, "warnings", live, "warnings");
	add_document(&t, jget(live, "client"));
	return table_print(&t, c->out) ? CTL_OK : ctl_no_memory(c);
}

enum ctl_exit
cmd_show(struct ctl *c)
{
	struct json_object *answer = NULL;
	struct talk t = { 0 };
	enum ctl_exit status;
	struct who who;
	char *path;

	if (!who_read(c->args[0], &who))
		return CTL_USAGE;
	if ((path = who_path(&who, NULL)) == NULL)
		return ctl_no_memory(c);
	t.path = path;
	t.client_id = who.client_id;
	status = talk(c, &t, &answer);
	free(path);
	if (status == CTL_OK && c->out->json)
		out_json(c->out, answer);
	else if (status == CTL_OK)
		status = print_entry(c, answer);
	json_object_put(answer);
	return status;
}
