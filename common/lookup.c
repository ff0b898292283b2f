/*
 * lookup.c - what surrounds one lookup: who asks, flights, the report
 * SPDX-License-Identifier: Apache-2.0
 */

#include <stdio.h>

#include "clock.h"
#include "error.h"
#include "resolve.h"

/* No section is for who asks. */
static enum cimd_err
refuse(const struct cimd_caller *who, enum asker asker, struct cimd_error *err)
{
	long long uid = (long long)who->uid;

	if (asker == ASKER_CLAIMS)
		return err_set(err, CIMD_E_CONSUMER, "policy",
		    "the uid %lld may not speak for the service \"%s\": no "
		    "consumer section names both",
		    uid, who->service);
	if (asker == ASKER_UNNAMED)
		return err_set(err, CIMD_E_CONSUMER, "policy",
		    "no consumer section names the service \"%s\", and none "
		    "has service = \"*\"",
		    who->service);
	return err_set(err, CIMD_E_CONSUMER, "policy",
	    "no consumer section names the uid %lld or its groups", uid);
}

static enum cimd_err
find_consumer(struct lookup *l, const struct cimd_caller *who,
    struct cimd_error *err)
{
	const struct policy *p = l->setup->policy;
	const char *name = l->request.consumer;
	enum asker asker;

	if (name != NULL) {
		l->consumer = policy_consumer_named(p, name);
		if (l->consumer == NULL)
			return err_set(err, CIMD_E_CONSUMER, "policy",
			    "no consumer is named \"%s\"", name);
		return CIMD_OK;
	}
	if (who == NULL)
		return CIMD_OK;
	l->consumer = policy_consumer(p, who, &asker);
	if (asker == ASKER_KNOWN || asker == ASKER_OPEN || who->admin)
		return CIMD_OK;
	return refuse(who, asker, err);
}

enum cimd_err
lookup_consumer(struct lookup *l, const struct cimd_caller *who,
    struct cimd_error *err)
{
	enum cimd_err e;

	if ((e = find_consumer(l, who, err)) != CIMD_OK)
		return e;
	if (l->consumer != NULL)
		l->consumer_index = resolver_consumer(l->r, l->consumer->name);
	return CIMD_OK;
}

void
lookup_tenant(const struct lookup *l, char out[LOOKUP_TENANT])
{
	const char *consumer = l->consumer != NULL ? l->consumer->name : "";
	const struct cimd_request *r = &l->request;

	out[0] = '\0';
	if (l->verdict.realm_update)
		(void)snprintf(out, LOOKUP_TENANT, "%s/%.*s", consumer,
		    (int)r->tenant_len, r->tenant != NULL ? r->tenant : "");
}

static enum cimd_err
start_flight(const struct lookup *l, gate_done_fn *done, void *ctx,
    struct cimd_error *err)
{
	struct gate_ask ask = {
		.url = l->url.whole,
		.variant = l->verdict.lenient_type ? 1 : 0,
		.host = l->url.host,
		.known = refresh_is_known(&l->verdict, l->known),
		.force = l->force,
		.done = done,
		.ctx = ctx,
	};

	if ((ask.arg = refresh_new(l)) == NULL)
		return err_no_memory(err);
	gate_start(l->r->gate, &ask);
	return CIMD_OK;
}

void
lookup_refresh(const struct lookup *l)
{
	(void)start_flight(l, NULL, NULL, NULL);
}

enum cimd_err
lookup_fetch(struct lookup *l, gate_done_fn *done, void *ctx,
    struct cimd_error *err)
{
	l->fetched = true;
	return start_flight(l, done, ctx, err);
}

uint64_t
lookup_warnings(const struct lookup *l, const struct entry *e,
    enum source_state state)
{
	const struct settings *s = &l->setup->settings;
	uint64_t w = 0;

	if (state == SOURCE_STALE)
		w |= WARN_BIT(WARN_STALE);
	if (state == SOURCE_PINNED)
		w |= WARN_BIT(WARN_UPDATE_WAITS);
	if (e->freshness.floor_only)
		w |= WARN_BIT(WARN_NO_STORE);
	if (s->development_loopback)
		w |= WARN_BIT(WARN_DEVELOPMENT_LOOPBACK);
	if (s->proxy != NULL)
		w |= WARN_BIT(WARN_PROXY);
	return w;
}

const char *
purpose_name(enum cimd_purpose p)
{
	switch (p) {
	case CIMD_AUTHORIZE:
		return "authorize";
	case CIMD_TOKEN:
		return "token";
	case CIMD_DISPLAY:
		break;
	}
	return "display";
}

void
lookup_log(struct lookup *l, const char *event, enum cimd_err e,
    const struct cimd_error *err)
{
	struct log_line line = {
		.level = CIMD_LOG_NOTICE,
		.event = event,
		.client_id = { l->request.client_id, l->request.client_id_len },
		.purpose = purpose_name(l->request.purpose),
		.rule = l->verdict.name,
		.code = e,
		.err = e == CIMD_OK ? NULL : err,
		.remote_addr = l->remote_addr,
		.ms = (clock_us() - l->started_us) / 1000,
	};

	if (e == CIMD_E_NOT_CIMD)
		return; /* not ours: no noise */
	if (l->consumer != NULL)
		line.consumer = l->consumer->name;
	if (cimd_err_class(e) == CIMD_BROKEN)
		line.level = CIMD_LOG_ERROR;
	log_write(l->r->log, &line);
}

/*
 * What the store knew was counted when it was found; the first lookup of a
 * client, and what rules refuse, is counted here.
 */
static void
count(struct lookup *l, enum cimd_err e)
{
	struct span id = { l->request.client_id, l->request.client_id_len };
	bool refused = cimd_err_class(e) == CIMD_REFUSED;

	if (l->request.purpose == CIMD_DISPLAY || l->verdict.name == NULL)
		return;
	if (refused || (e == CIMD_OK && !l->counted))
		table_count(l->r->table, id, l->consumer_index, clock_utc(),
		    refused);
}

void
lookup_report(struct lookup *l, enum cimd_err e, const struct cimd_error *err)
{
	metrics_lookup(&l->r->metrics, l->consumer_index, e,
	    l->fetched ? METRICS_FETCHED : METRICS_STORED,
	    clock_us() - l->started_us);
	count(l, e);
	if (e == CIMD_OK && !l->fetched)
		return; /* the usual case costs no line */
	lookup_log(l, "lookup", e, err);
}

void
lookup_clear(struct lookup *l)
{
	entry_free(&l->known);
	policy_free(&l->realm);
	setup_free(&l->setup);
}
