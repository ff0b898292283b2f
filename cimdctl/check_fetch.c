/*
 * check_fetch.c - the answer of a client's host, for "cimdctl check"
 * SPDX-License-Identifier: Apache-2.0
 */

#include <stdio.h>
#include <string.h>

#include "check_fetch.h"
#include "clock.h"
#include "country.h"
#include "dns.h"
#include "error.h"
#include "progress.h"
#include "uri.h"

static enum cimd_err
resolve(const struct check *c, int64_t deadline_ms, struct dns_addresses *out,
    struct cimd_error *err)
{
	struct progress *p = progress_begin("resolving");
	enum cimd_err e;

	e = dns_resolve(c->url.host, c->ask->settings->dns_servers, deadline_ms,
	    out, err);
	progress_end(&p);
	return e;
}

/* "192.0.2.1, 2001:db8::1", as many as fit. */
static void
say_addresses(struct check *c, const struct dns_addresses *a)
{
	char list[200] = "", text[NETADDR_TEXT];
	size_t i, len = 0;

	for (i = 0; i < a->n && len + NETADDR_TEXT + 6 < sizeof(list); i++)
		len += (size_t)snprintf(list + len, sizeof(list) - len, "%s%s",
		    i > 0 ? ", " : "", netaddr_text(&a->addr[i], text));
	check_say(c, CHECK_RESOLVE, "%s%s", list, i < a->n ? ", ..." : "");
}

static enum cimd_err
find_addresses(struct check *c, int64_t deadline_ms)
{
	const struct settings *s = c->ask->settings;
	struct dns_addresses addr;
	struct cimd_error err = { 0 };
	enum cimd_err e;

	if (s->proxy != NULL && s->proxy[0] != '\0') {
		c->warnings |= WARN_BIT(WARN_PROXY);
		check_stage(c, STAGE_RESOLVE, CIMD_OK, NULL);
		check_say(c, CHECK_RESOLVE, "the proxy does that");
		return CIMD_OK;
	}
	e = resolve(c, deadline_ms, &addr, &err);
	if (e == CIMD_OK)
		e = netaddr_judge(addr.addr, addr.n, s->development_loopback,
		    &err);
	if (s->development_loopback)
		c->warnings |= WARN_BIT(WARN_DEVELOPMENT_LOOPBACK);
	check_stage(c, STAGE_RESOLVE, e, &err);
	if (e == CIMD_OK || e == CIMD_E_ADDRESS)
		say_addresses(c, &addr);
	return e;
}

static enum cimd_err
make_fetcher(struct check *c, struct fetcher **f, struct cimd_error *err)
{
	const struct settings *s = c->ask->settings;
	struct fetch_settings fs = { .ca_path = c->ask->ca_path,
		.ca_file = c->ask->ca_file,
		.proxy = s->proxy,
		.dns_servers = s->dns_servers,
		.loopback_ok = s->development_loopback };

	(void)snprintf(c->agent, sizeof(c->agent), "cimdctl/%.32s%s%.200s%s",
	    cimd_version(), s->contact != NULL ? " (+" : "",
	    s->contact != NULL ? s->contact : "",
	    s->contact != NULL ? ")" : "");
	fs.user_agent = c->agent;
	return fetcher_new(&fs, f, err);
}

/* deny_country, which looks at the address that has answered. */
static enum cimd_err
judge_country(const struct check *c, const struct netaddr *peer,
    struct cimd_error *err)
{
	struct country *db;
	enum cimd_err e;

	if (!policy_has_countries(c->ask->policy))
		return CIMD_OK;
	e = country_open(c->ask->settings->country_database, &db, err);
	if (e == CIMD_OK)
		e = country_judge(db, c->ask->policy, peer, err);
	country_close(&db);
	return e;
}

static enum cimd_err
get(const struct check *c, struct fetcher *f, const struct fetch_request *req,
    struct fetch_response *out, struct cimd_error *err)
{
	struct progress *p = progress_begin("fetching");
	enum cimd_err e = fetch_get(f, req, out, err);

	progress_end(&p);
	if (e == CIMD_OK)
		e = judge_country(c, &out->peer, err);
	if (e != CIMD_OK)
		fetch_response_clear(out);
	return e;
}

enum cimd_err
check_fetch(struct check *c, struct fetcher **f, struct fetch_response *out)
{
	int64_t start = clock_ms();
	struct fetch_request req = { .url = c->url.whole,
		.host = c->url.host,
		.port = c->url.port,
		.max_bytes = CIMD_MAX_DOCUMENT,
		.deadline_ms = start + CIMD_FETCH_MS };
	char peer[NETADDR_TEXT];
	struct cimd_error err = { 0 };
	enum cimd_err e;

	*f = NULL;
	*out = (struct fetch_response){ 0 };
	e = find_addresses(c, start + CIMD_CONNECT_MS);
	if (e != CIMD_OK)
		return e;
	e = make_fetcher(c, f, &err);
	if (e == CIMD_OK)
		e = get(c, *f, &req, out, &err);
	check_stage(c, e == CIMD_E_ADDRESS ? STAGE_RESOLVE : STAGE_FETCH, e,
	    &err);
	if (e != CIMD_OK) {
		fetcher_free(f);
		return e;
	}
	check_say(c, CHECK_CONNECT, "%s after %lld ms",
	    netaddr_text(&out->peer, peer), (long long)(clock_ms() - start));
	return CIMD_OK;
}

enum cimd_err
check_fetch_keys(struct check *c, struct fetcher *f, struct span uri,
    struct fetch_response *out, bool *no_keys, struct cimd_error *err)
{
	struct fetch_request req = { .url = uri,
		.max_bytes = CIMD_MAX_JWKS,
		.deadline_ms = clock_ms() + CIMD_FETCH_MS };
	const char *why;
	enum cimd_err e;
	struct uri u;

	*no_keys = false;
	*out = (struct fetch_response){ 0 };
	if (!uri_split(uri, &u, &why))
		return err_set(err, CIMD_E_INTERNAL, "", "jwks_uri: %s", why);
	req.host = u.host;
	req.port = uri_port(&u);
	e = policy_judge_keys(&c->url, req.port, err);
	if (e == CIMD_OK)
		e = get(c, f, &req, out, err);
	if (e == CIMD_OK)
		e = http_judge(&out->facts, c->verdict.lenient_type,
		    &c->warnings, err);
	/* A bot wall is no withdrawal of the keys. */
	*no_keys = cimd_err_class(e) == CIMD_REFUSED && e != CIMD_E_STATUS &&
	    e != CIMD_E_BOT_WALL;
	if (e != CIMD_OK)
		err_prefix(err, "jwks_uri");
	return e;
}
