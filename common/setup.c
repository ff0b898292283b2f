/*
 * setup.c - what a configuration became
 * SPDX-License-Identifier: Apache-2.0
 */

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "json_scan.h"
#include "setup.h"

#include <json-c/json.h>

static enum cimd_err
make_user_agent(struct setup *s, struct cimd_error *err)
{
	const char *contact = s->settings.contact;
	int n;

	n = asprintf(&s->user_agent, "cimdd/%s%s%s%s", cimd_version(),
	    contact != NULL ? " (+" : "", contact != NULL ? contact : "",
	    contact != NULL ? ")" : "");
	if (n == -1) {
		s->user_agent = NULL;
		return err_no_memory(err);
	}
	return CIMD_OK;
}

static enum cimd_err
make_fetcher(struct setup *s, struct cimd_error *err)
{
	struct fetch_settings f = {
		.ca_path = s->settings.ca_path,
		.ca_file = s->settings.ca_file,
		.user_agent = s->user_agent,
		.proxy = s->settings.proxy,
		.dns_servers = s->settings.dns_servers,
		.loopback_ok = s->settings.development_loopback,
	};

	return fetcher_new(&f, &s->fetcher, err);
}

static enum cimd_err
open_country(struct setup *s, struct cimd_error *err)
{
	if (!policy_has_countries(s->policy))
		return CIMD_OK;
	return country_open(s->settings.country_database, &s->country, err);
}

enum cimd_err
setup_new(struct span config, struct setup **out, struct cimd_error *err)
{
	struct json_object *json = NULL;
	struct setup *s;
	enum cimd_err e = CIMD_OK;

	*out = NULL;
	if (config.n > CIMD_MAX_CONFIG)
		return err_set(err, CIMD_E_CONFIG, "policy",
		    "the configuration is larger than %d bytes",
		    CIMD_MAX_CONFIG);
	if ((s = calloc(1, sizeof(*s))) == NULL)
		return err_no_memory(err);
	atomic_init(&s->refs, 1);
	if (config.p != NULL)
		e = json_parse(config, &json, err);
	if (e == CIMD_E_JSON) {
		err_prefix(err, "configuration");
		e = err->code = CIMD_E_CONFIG;
	}
	if (e == CIMD_OK)
		e = settings_read(json, &s->settings, &s->policy, err);
	if (e == CIMD_OK)
		e = make_user_agent(s, err);
	if (e == CIMD_OK)
		e = make_fetcher(s, err);
	if (e == CIMD_OK)
		e = open_country(s, err);
	json_object_put(json);
	if (e != CIMD_OK)
		setup_free(&s);
	*out = s;
	return e;
}

struct setup *
setup_ref(struct setup *s)
{
	atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
	return s;
}

void
setup_free(struct setup **s)
{
	struct setup *old = *s;

	*s = NULL;
	if (old == NULL ||
	    atomic_fetch_sub_explicit(&old->refs, 1, memory_order_acq_rel) != 1)
		return;
	country_close(&old->country);
	fetcher_free(&old->fetcher);
	policy_free(&old->policy);
	settings_clear(&old->settings);
	free(old->user_agent);
	free(old);
}
