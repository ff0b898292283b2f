/*
 * cmd_clients.c - "clients": who was seen, when, how often
 * SPDX-License-Identifier: Apache-2.0
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>
#include <json-c/json.h>

#include "api_json.h"
#include "clock.h"
#include "commands.h"
#include "jget.h"
#include "talk.h"
#include "when.h"

enum {
	PAGE = 1000,   /* rows of one answer of cimdd */
	LATEST = 100,  /* rows without --all and --limit */
	MOST = 1000000 /* rows of --limit */
};

/* "/v1/clients?limit=100&offset=0&contains=..."; NULL: out of memory. */
static char *
page_path(const struct ctl *c, int64_t limit, size_t offset)
{
	const char *contains = c->opt[OPT_CONTAINS];
	char *path = NULL, *escaped = NULL;
	int n;

	if (contains != NULL &&
	    (escaped = curl_easy_escape(NULL, contains, 0)) == NULL)
		return NULL;
	n = asprintf(&path, "/v1/clients?limit=%lld&offset=%zu%s%s",
	    (long long)limit, offset, escaped != NULL ? "&contains=" : "",
	    escaped != NULL ? escaped : "");
	curl_free(escaped);
	return n == -1 ? NULL : path;
}

/* Add the rows of a page to all; *got is how many there were. */
static enum ctl_exit
add_page(const struct ctl *c, struct json_object *all, int64_t limit,
    size_t *got)
{
	char *path = page_path(c, limit, json_object_array_length(all));
	struct talk t = { .path = path };
	struct json_object *page = NULL;
	enum ctl_exit status;
	size_t i;

	*got = 0;
	if (path == NULL)
		return ctl_no_memory(c);
	status = talk(c, &t, &page);
	free(path);
	if (status != CTL_OK)
		return status;
	for (i = 0; i < jget_count(page, "clients"); i++) {
		struct json_object *row = jget_item(page, "clients", i);

		if (json_object_array_add(all, json_object_get(row)) == 0)
			++*got;
	}
	json_object_put(page);
	return CTL_OK;
}

static enum ctl_exit
add_pages(const struct ctl *c, struct json_object *all)
{
	int64_t left = LATEST, limit;
	enum ctl_exit status;
	size_t got;

	if (c->opt[OPT_ALL] != NULL)
		left = MOST;
	if (c->opt[OPT_LIMIT] != NULL &&
	    !opt_number(c->opt[OPT_LIMIT], 1, MOST, &left)) {
		complain("--limit: 1 to %d is expected", MOST);
		return CTL_USAGE;
	}
	do {
		limit = left < PAGE ? left : PAGE;
		status = add_page(c, all, limit, &got);
		left -= (int64_t)got;
	} while (status == CTL_OK && got == (size_t)limit && left > 0);
	return status;
}

static enum style
style_of(const char *trust)
{
	if (strcmp(trust, "trusted") == 0)
		return STYLE_GOOD;
	if (strcmp(trust, "blocked") == 0 || strcmp(trust, "not admitted") == 0)
		return STYLE_BAD;
	return STYLE_WARN;
}

static void
add_row(struct table *t, struct json_object *row, int64_t now)
{
	const char *trust = jget_string(row, "trust");
	const char *consumer = jget_string(row, "consumer");
	char buf[WHEN_TEXT];

	table_row(t);
	table_cell(t, STYLE_PLAIN, "%s",
	    when_relative(jget_int(row, "last_seen"), now, buf));
	table_cell(t, STYLE_PLAIN, "%s",
	    when_relative(jget_int(row, "first_seen"), now, buf));
	table_cell(t, STYLE_PLAIN, "%lld", (long long)jget_int(row, "lookups"));
	table_cell(t, STYLE_PLAIN, "%lld", (long long)jget_int(row, "refused"));
	table_cell(t, style_of(trust), "%s", trust);
	table_cell(t, STYLE_PLAIN, "%s%s", jget_string(row, "freshness"),
	    jget_true(row, "update_waits") ? ", update waits" : "");
	table_cell(t, STYLE_PLAIN, "%s", *consumer != '\0' ? consumer : "-");
	table_cell(t, STYLE_BOLD, "%s", jget_string(row, "client_host"));
	table_cell(t, STYLE_PLAIN, "%s", jget_string(row, "client_id"));
}

static enum ctl_exit
print_rows(const struct ctl *c, struct json_object *all)
{
	static const char *const heads[] = { "LAST SEEN", "FIRST SEEN",
		"LOOKUPS", "REFUSED", "TRUST", "FRESHNESS", "CONSUMER", "HOST",
		"CLIENT" };
	struct table t = { .right = 1U << 2 | 1U << 3 };
	size_t i, n = json_object_array_length(all);
	int64_t now = clock_utc();

	if (n == 0) {
		out_line(c->out, STYLE_PLAIN,
		    c->opt[OPT_CONTAINS] != NULL ? "no client matches" :
						   "no client was seen yet");
		return CTL_OK;
	}
	table_row(&t);
	for (i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
		table_cell(&t, STYLE_DIM, "%s", heads[i]);
	for (i = 0; i < n; i++)
		add_row(&t, json_object_array_get_idx(all, i), now);
	return table_print(&t, c->out) ? CTL_OK : ctl_no_memory(c);
}

enum ctl_exit
cmd_clients(struct ctl *c)
{
	struct json_object *all = NULL;
	enum ctl_exit status;
	struct maker m;

	maker_init(&m);
	all = put_array(&m, NULL, "clients");
	if (all == NULL)
		status = ctl_no_memory(c);
	else
		status = add_pages(c, all);
	if (status == CTL_OK && c->out->json)
		out_json(c->out, m.top);
	else if (status == CTL_OK)
		status = print_rows(c, all);
	maker_clear(&m);
	return status;
}
