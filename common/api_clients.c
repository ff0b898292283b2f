/*
 * api_clients.c - "clients", "audit", "status", "metrics", "healthz"
 * SPDX-License-Identifier: Apache-2.0
 */

#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "api_entry.h"
#include "clock.h"
#include "error.h"

enum {
	CLIENTS_MAX = 1000, /* rows of one answer */
	AUDIT_MAX = 1000
};

static void
fail(struct call *c, enum cimd_err e, const struct cimd_error *err)
{
	struct api_problem p = { .e = e, .err = err };

	api_fail(c, &p);
}

/*
 * The consumer whose rows may be seen: NULL for the administrator, who sees
 * all.  The caller frees *name.
 */
static enum cimd_err
visible_to(struct call *c, char **name, struct cimd_error *err)
{
	const struct consumer *consumer = NULL;
	enum asker asker = ASKER_UNKNOWN;
	struct setup *setup;
	enum cimd_err e;

	*name = NULL;
	if ((e = resolver_enter(c->r, &setup, err)) != CIMD_OK)
		return e;
	if (!c->who->admin) {
		consumer = policy_consumer(setup->policy, c->who, &asker);
		if (consumer == NULL && asker != ASKER_OPEN)
			e = err_set(err, CIMD_E_CONSUMER, "policy",
			    "no consumer section names who asks");
		else if ((*name = strdup(
			      consumer != NULL ? consumer->name : "")) == NULL)
			e = err_no_memory(err);
	}
	setup_free(&setup);
	return e;
}

struct rows {
	struct cimd *r;
	struct maker m;
	struct json_object *array;
};

static void
add_row(void *ctx, const struct store_row *row)
{
	struct rows *rows = ctx;

	api_put_row(&rows->m, push_object(&rows->m, rows->array), rows->r, row);
}

static bool
read_query(struct json_object *args, struct store_query *q, const char **why)
{
	struct span contains = { 0 };
	int64_t limit = 100, offset = 0;

	if (!get_span(args, "contains", &contains, why) ||
	    !get_int(args, "limit", &limit, why) ||
	    !get_int(args, "offset", &offset, why))
		return false;
	if (limit < 1 || limit > CLIENTS_MAX) {
		*why = "limit: 1 to 1000 is expected";
		return false;
	}
	if (offset < 0 || offset > INT32_MAX) {
		*why = "offset is out of range";
		return false;
	}
	q->contains = contains.p;
	q->limit = (uint32_t)limit;
	q->offset = (uint32_t)offset;
	return true;
}

void
api_clients(struct call *c)
{
	struct rows rows = { .r = c->r };
	struct store_query q = { 0 };
	struct cimd_error err = { 0 };
	const char *why = "";
	char *consumer;
	enum cimd_err e;

	if (!read_query(c->args, &q, &why)) {
		api_fail_request(c, why);
		return;
	}
	if ((e = visible_to(c, &consumer, &err)) != CIMD_OK) {
		fail(c, e, &err);
		return;
	}
	q.consumer = consumer;
	/* Others make us write to the disk every few seconds, not at will. */
	if (c->who->admin)
		resolver_flush(c->r);
	maker_init(&rows.m);
	rows.array = put_array(&rows.m, NULL, "clients");
	e = store_list(c->r->store, &q, add_row, &rows, &err);
	free(consumer);
	if (e == CIMD_OK)
		api_reply(c, &rows.m);
	else {
		maker_clear(&rows.m);
		fail(c, e, &err);
	}
}

static void
add_line(void *ctx, const char *line)
{
	struct rows *rows = ctx;
	struct json_object *v = json_tokener_parse(line);

	if (v == NULL || rows->m.failed ||
	    json_object_array_add(rows->array, v) != 0) {
		json_object_put(v);
		rows->m.failed = true;
	}
}

void
api_audit(struct call *c)
{
	struct rows rows = { .r = c->r };
	struct cimd_error err = { 0 };
	struct setup *setup;
	const char *why = "";
	int64_t n = 100;
	enum cimd_err e;

	if (!get_int(c->args, "n", &n, &why) || n < 1 || n > AUDIT_MAX) {
		api_fail_request(c, "n: 1 to 1000 is expected");
		return;
	}
	maker_init(&rows.m);
	rows.array = put_array(&rows.m, NULL, "lines");
	e = resolver_enter(c->r, &setup, &err);
	setup_free(&setup);
	if (e == CIMD_OK)
		e = store_audit_tail(c->r->store, (uint32_t)n, add_line, &rows,
		    &err);
	if (e == CIMD_OK)
		api_reply(c, &rows.m);
	else {
		maker_clear(&rows.m);
		fail(c, e, &err);
	}
}

static void
put_rules(struct maker *m, const struct policy *p)
{
	struct json_object *a = put_array(m, NULL, "rules");
	struct json_object *o;
	const struct rule *rule;
	size_t i;

	for (i = 0; i < policy_rules(p); i++) {
		rule = policy_rule(p, i);
		o = push_object(m, a);
		put_string(m, o, "name", rule->name);
		put_string(m, o, "trust", trust_name(rule->trust));
		put_string(m, o, "update", update_name(rule->update));
		if (rule->where[0] != '\0')
			put_string(m, o, "where", rule->where);
	}
}

static void
put_gate(struct maker *m, struct cimd *r)
{
	struct json_object *o = put_object(m, NULL, "fetches");
	struct gate_figures f;

	gate_read(r->gate, &f);
	put_int(m, o, "running", f.running);
	put_int(m, o, "queued", f.queued);
	put_int(m, o, "started", (int64_t)f.started);
	put_int(m, o, "joined", (int64_t)f.joined);
	put_int(m, o, "limited", (int64_t)f.limited);
	put_int(m, o, "busy", (int64_t)f.busy);
}

void
api_status(struct call *c)
{
	struct cimd_error err = { 0 };
	struct setup *setup;
	struct maker m;
	char problem[256];
	enum cimd_err e;

	if ((e = resolver_enter(c->r, &setup, &err)) != CIMD_OK) {
		fail(c, e, &err);
		return;
	}
	maker_init(&m);
	put_string(&m, NULL, "version", cimd_version());
	put_int(&m, NULL, "started_at", c->r->started_at);
	put_int(&m, NULL, "now", clock_utc());
	put_string(&m, NULL, "state_dir", setup->settings.state_dir);
	put_string(&m, NULL, "store_problem",
	    store_problem(c->r->store, problem, sizeof(problem)));
	put_bool(&m, NULL, "development_loopback",
	    setup->settings.development_loopback);
	put_string(&m, NULL, "proxy", setup->settings.proxy);
	put_gate(&m, c->r);
	put_rules(&m, setup->policy);
	setup_free(&setup);
	api_reply(c, &m);
}

void
api_healthz(struct call *c)
{
	struct cimd_error err = { 0 };
	struct setup *setup;
	struct maker m;
	char problem[256];
	const char *why;
	enum cimd_err e;

	if ((e = resolver_enter(c->r, &setup, &err)) != CIMD_OK) {
		fail(c, e, &err);
		return;
	}
	setup_free(&setup);
	why = store_problem(c->r->store, problem, sizeof(problem));
	maker_init(&m);
	put_string(&m, NULL, "status", why == NULL ? "ok" : "degraded");
	if (c->who->admin)
		put_string(&m, NULL, "store_problem", why);
	api_reply(c, &m);
}

/* Whose figures have the consumer's name on them for who asks. */
static uint32_t
named_in_metrics(const struct call *c, const struct policy *p)
{
	const struct consumer *consumer;
	enum asker asker;
	uint32_t index;

	if (c->who->admin)
		return METRICS_ALL;
	consumer = policy_consumer(p, c->who, &asker);
	if (consumer == NULL)
		return METRICS_NOBODY;
	index = resolver_consumer(c->r, consumer->name);
	return index == RESOLVER_OTHERS ? METRICS_NOBODY : index;
}

static const char *
consumer_name(void *ctx, uint32_t consumer)
{
	return resolver_consumer_name(ctx, consumer);
}

static void
write_gate(struct cimd *r, FILE *out)
{
	struct gate_figures f;

	gate_read(r->gate, &f);
	(void)fprintf(out,
	    "# HELP cimd_fetches_running Fetches under way.\n"
	    "# TYPE cimd_fetches_running gauge\n"
	    "cimd_fetches_running %u\n"
	    "# HELP cimd_fetches_queued Fetches that wait for a slot.\n"
	    "# TYPE cimd_fetches_queued gauge\n"
	    "cimd_fetches_queued %u\n",
	    f.running, f.queued);
	(void)fprintf(out,
	    "# HELP cimd_flights_total Lookups that needed a fetch, by what "
	    "became of them.\n"
	    "# TYPE cimd_flights_total counter\n"
	    "cimd_flights_total{result=\"started\"} %llu\n"
	    "cimd_flights_total{result=\"joined\"} %llu\n"
	    "cimd_flights_total{result=\"limited\"} %llu\n"
	    "cimd_flights_total{result=\"busy\"} %llu\n",
	    (unsigned long long)f.started, (unsigned long long)f.joined,
	    (unsigned long long)f.limited, (unsigned long long)f.busy);
}

void
api_metrics(struct call *c)
{
	struct cimd_error err = { 0 };
	struct metrics_names names = { .fn = consumer_name, .ctx = c->r };
	struct setup *setup;
	char *text = NULL, problem[256];
	size_t len = 0;
	enum cimd_err e;
	FILE *out;
	bool degraded;

	e = resolver_enter(c->r, &setup, &err);
	if (e == CIMD_OK)
		names.which = named_in_metrics(c, setup->policy);
	setup_free(&setup);
	if (e == CIMD_OK && (out = open_memstream(&text, &len)) == NULL)
		e = err_no_memory(&err);
	if (e != CIMD_OK) {
		fail(c, e, &err);
		return;
	}
	metrics_write(&c->r->metrics, &names, out);
	write_gate(c->r, out);
	degraded = store_problem(c->r->store, problem, sizeof(problem)) != NULL;
	(void)fprintf(out,
	    "# HELP cimd_store_degraded 1 while nothing can be written.\n"
	    "# TYPE cimd_store_degraded gauge\n"
	    "cimd_store_degraded %d\n",
	    degraded);
	if (fclose(out) != 0 || text == NULL) {
		free(text);
		fail(c, err_no_memory(&err), &err);
		return;
	}
	api_reply_text(c, "text/plain; version=0.0.4; charset=utf-8", text,
	    len);
	free(text);
}
