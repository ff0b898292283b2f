/*
 * setup.h - what a configuration became: immutable, reference-counted
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: none; in: configuration JSON; out: settings, policy, fetcher
 */

#ifndef SETUP_H
#define SETUP_H

#include "country.h"
#include "fetch.h"
#include "settings.h"

struct setup {
	_Atomic uint32_t refs;
	struct settings settings;
	struct policy *policy;
	struct fetcher *fetcher;
	struct country *country; /* NULL: no deny_country */
	char *user_agent;
};

/*
 * Read a configuration (absent: all defaults) and make what hangs on it.
 * err must not be NULL.  Fails with: CIMD_E_CONFIG, CIMD_E_NO_MEMORY.
 */
enum cimd_err setup_new(struct span config, struct setup **out,
    struct cimd_error *err);

/* One more reference; returns s. */
struct setup *setup_ref(struct setup *s);

/* Drop a reference; accepts NULL; sets *s to NULL.  Thread-safe. */
void setup_free(struct setup **s);

#endif /* SETUP_H */
