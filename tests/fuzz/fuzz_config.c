/*
 * fuzz_config.c - configuration JSON: settings, policies and their verdicts
 * SPDX-License-Identifier: Apache-2.0
 *
 * A configuration that is refused says why and leaves nothing behind.  One
 * that is accepted reads the same again, every setting is in its range, and
 * each rule is asked about the URLs that it names: blocked rules never let
 * one in, others do unless something else in the configuration forbids it.
 */

#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "error.h"
#include "json_scan.h"
#include "settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size,
    unsigned int seed);
/* Missing where corpora are only replayed. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size)
    __attribute__((weak));

static void
must(bool good)
{
	if (!good)
		abort();
}

static void
check_refusal(enum cimd_err e, const struct cimd_error *err)
{
	must(e == CIMD_E_CONFIG);
	must(err->code == e && err->text[0] != '\0');
	must(strcmp(err->section, "policy") == 0);
}

static void
check_settings(const struct settings *s)
{
	must(s->cache_min_s >= CIMD_TTL_MIN_S);
	must(s->cache_max_s <= CIMD_TTL_MAX_S);
	must(s->cache_min_s <= s->cache_default_s);
	must(s->cache_default_s <= s->cache_max_s);
	must(s->stale_token_s >= 0 && s->stale_token_s <= CIMD_STALE_MAX_S);
	must(s->stale_authorize_s >= 0);
	must(s->stale_authorize_s <= CIMD_STALE_MAX_S);
	must(s->max_clients > 0 && s->max_unverified > 0);
	must(s->fetch_rate > 0 && s->fetch_rate_host > 0);
	must(s->proxy == NULL || s->proxy_trust);
	must(s->state_dir != NULL);
}

static bool
allows_port(const struct rule *r, uint16_t port)
{
	size_t i;

	for (i = 0; i < r->n_ports; i++)
		if (r->ports[i] == port)
			return true;
	return port == 443;
}

/* What comes of asking for the URL that a rule names. */
static void
ask(const struct policy *p, const struct rule *r, const char *match)
{
	struct policy_question q = { p, NULL, NULL, NULL };
	struct cimd_error err = { 0 };
	struct span id = span_of(match);
	struct verdict v;
	struct url url;
	enum cimd_err e;

	must(policy_match(match, id));
	if (url_parse(id, policy_url_flags(p, NULL, id), &url, &err) !=
	    CIMD_OK) {
		/* Rules of the base may name what this policy refuses. */
		return;
	}
	q.url = &url;
	e = policy_judge(&q, &v, &err);
	if (e != CIMD_OK) {
		must(e == CIMD_E_BLOCKED || e == CIMD_E_PORT ||
		    e == CIMD_E_POLICY);
		must(e != CIMD_E_PORT || v.n_rules == 0);
		must(err.code == e && err.text[0] != '\0');
		return;
	}
	must(r->trust != TRUST_BLOCKED);
	must(v.explicit_rule && v.n_rules == 1);
	must(v.trust != TRUST_BLOCKED && v.trust == v.rule[0]->trust);
	must(allows_port(v.rule[0], url.port));
#ifdef CIMD_PLANTED
	/* Wrong on purpose: nobody is both trusted and lenient. */
	must(v.trust != TRUST_TRUSTED || !v.lenient_type);
#endif
}

static void
check_rule(const struct policy *p, const struct rule *r)
{
	size_t i;

	must(r->name[0] != '\0' && r->n_match > 0);
	must(r->methods != 0 && r->grants != 0);
	must((r->grants & GRANT_IMPLICIT) == 0);
	for (i = 0; i < r->n_redirects; i++) {
		bool has_value = r->redirects[i].kind == RULE_HOST ||
		    r->redirects[i].kind == RULE_SCHEME;

		must(has_value == (r->redirects[i].value != NULL));
	}
	for (i = 0; i < r->n_match; i++)
		ask(p, r, r->match[i]);
}

static void
check_policy(const struct policy *p)
{
	size_t i;

	for (i = 0; i < policy_rules(p); i++)
		check_rule(p, policy_rule(p, i));
	must(policy_rule(p, i) == NULL);
}

/* Read as what a realm or a test table says. */
static void
read_policies(struct json_object *json, const struct policy *base)
{
	struct policy *realm = NULL, *batch = NULL;
	struct cimd_error err = { 0 };
	enum cimd_err e;

	e = policy_read_with(json, POLICY_REALM, base, &realm, &err);
	if (e != CIMD_OK)
		check_refusal(e, &err);
	else
		check_policy(realm);
	memset(&err, 0, sizeof(err));
	e = policy_read_with(json, POLICY_BATCH, base, &batch, &err);
	if (e != CIMD_OK)
		check_refusal(e, &err);
	else
		check_policy(batch);
	/* What a realm may say, anybody may. */
	must(realm == NULL || batch != NULL);
	must(realm == NULL || policy_rules(realm) == policy_rules(batch));
	policy_free(&realm);
	policy_free(&batch);
}

static void
read_config(struct json_object *json)
{
	struct policy *p = NULL, *again = NULL;
	struct cimd_error err = { 0 };
	struct settings s, s2;
	enum cimd_err e;

	e = settings_read(json, &s, &p, &err);
	if (e != CIMD_OK) {
		check_refusal(e, &err);
		must(p == NULL && s.state_dir == NULL);
		read_policies(json, NULL);
		return;
	}
	check_settings(&s);
	check_policy(p);
	must(settings_read(json, &s2, &again, NULL) == CIMD_OK);
	must(policy_rules(again) == policy_rules(p));
	must(s2.cache_default_s == s.cache_default_s);
	read_policies(json, p);
	policy_free(&p);
	policy_free(&again);
	settings_clear(&s);
	settings_clear(&s2);
}

/* Strings, numbers and words of JSON, to be exchanged for others. */
static const char *const vocabulary[] = { "\"allow\"", "\"approve\"",
	"\"audiences\"", "\"auth\"", "\"batch\"", "\"blocked\"",
	"\"cache_max\"", "\"cache_min\"", "\"catalog\"", "\"client\"",
	"\"clients\"", "\"consumer\"", "\"content_type\"", "\"daemon\"",
	"\"default\"", "\"deny\"", "\"deny_suffix\"", "\"document\"",
	"\"forbidden_client_ids\"", "\"grants\"", "\"host:h.example.com\"",
	"\"https://a.example.com/*/c\"", "\"https://a.example.com/c\"",
	"\"https://192.0.2.1:8443/c\"", "\"https://a.internal/?q\"", "\"ietf\"",
	"\"lenient\"", "\"loopback-exact\"", "\"match\"", "\"name\"",
	"\"none\"", "\"pending\"", "\"pinned\"", "\"ports\"",
	"\"private_key_jwt\"", "\"profile\"", "\"proxy_trust\"", "\"query\"",
	"\"redirects\"", "\"root_path\"", "\"same-site\"", "\"scheme:app\"",
	"\"scopes\"", "\"special_names\"", "\"trust\"", "\"trusted\"",
	"\"uid\"", "\"unverified\"", "\"update\"", "\"yes\"", "\"@\"", "443",
	"8443", "0", "true", "false", "null", "[]", "{}" };

enum {
	WORDS = sizeof(vocabulary) / sizeof(vocabulary[0]),
	MAX_TOKENS = 192
};

static bool
is_plain(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
}

/* Find the strings, numbers and words of the text; returns how many. */
static size_t
tokens_of(const uint8_t *data, size_t size, struct span *out)
{
	size_t i = 0, start, n = 0;

	while (i < size && n < MAX_TOKENS) {
		start = i;
		if (data[i] == '"') {
			for (i++; i < size && data[i] != '"'; i++)
				continue;
			i += i < size;
		} else {
			while (i < size && is_plain(data[i]))
				i++;
		}
		if (i == start) {
			i++;
			continue;
		}
		out[n].p = (const char *)data + start;
		out[n++].n = i - start;
	}
	return n;
}

/* Put with in place of what; the size that comes of it, 0: no room. */
static size_t
put(uint8_t *data, size_t size, size_t max_size, struct span what,
    struct span with)
{
	size_t at = (size_t)(what.p - (const char *)data);
	char copy[256];

	if (with.n > sizeof(copy) || size - what.n + with.n > max_size)
		return 0;
	memcpy(copy, with.p, with.n);
	memmove(data + at + with.n, data + at + what.n, size - at - what.n);
	memcpy(data + at, copy, with.n);
	return size - what.n + with.n;
}

/* Half of the time exchange a token, which keeps the text JSON. */
size_t
LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size,
    unsigned int seed)
{
	struct span tokens[MAX_TOKENS], with;
	size_t n, got = 0;

	n = tokens_of(data, size, tokens);
	if (n > 0 && seed % 2 == 0) {
		seed /= 2;
		with = span_of(vocabulary[seed / 2 % WORDS]);
		if (seed % 2 == 0)
			with = tokens[seed / 2 % n];
		got = put(data, size, max_size, tokens[seed / 128 % n], with);
	}
	return got > 0 ? got : LLVMFuzzerMutate(data, size, max_size);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = { (const char *)data, size };
	struct json_object *json = NULL;

	if (size > 16384 || json_parse(text, &json, NULL) != CIMD_OK)
		return 0;
	read_config(json);
	json_object_put(json);
	return 0;
}
