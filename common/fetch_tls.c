/*
 * fetch_tls.c - TLS sessions of earlier fetches
 * SPDX-License-Identifier: Apache-2.0
 */

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "fetch_int.h"

struct tls_slot {
	CURLSH *share; /* NULL: empty; of the fetch that took the slot */
	int64_t born_ms;
	bool taken;
	uint64_t turn; /* when it was taken last; 0: never */
	char host[CIMD_MAX_HOST + 1];
};

struct tls_sessions {
	pthread_mutex_t lock;
	uint64_t turns;
	struct tls_slot slots[CIMD_MAX_FETCHES];
};

struct tls_sessions *
tls_sessions_new(void)
{
	struct tls_sessions *s;

	s = calloc(1, sizeof(*s));
	if (s != NULL)
		(void)pthread_mutex_init(&s->lock, NULL);
	return s;
}

void
tls_sessions_free(struct tls_sessions **s)
{
	size_t i;

	if (s == NULL || *s == NULL)
		return;
	for (i = 0; i < CIMD_MAX_FETCHES; i++)
		(void)curl_share_cleanup((*s)->slots[i].share);
	(void)pthread_mutex_destroy(&(*s)->lock);
	free(*s);
	*s = NULL;
}

static bool
is_better(const struct tls_slot *a, const struct tls_slot *b, struct span host)
{
	bool mine = span_is(host, a->host);

	if (b == NULL || mine != span_is(host, b->host))
		return b == NULL || mine;
	return a->turn > b->turn;
}

/* Take the best of those that are free. */
static struct tls_slot *
choose(struct tls_sessions *s, struct span host)
{
	struct tls_slot *best = NULL;
	size_t i;

	for (i = 0; i < CIMD_MAX_FETCHES; i++)
		if (!s->slots[i].taken && is_better(&s->slots[i], best, host))
			best = &s->slots[i];
	if (best == NULL)
		return NULL;
	best->taken = true;
	best->turn = ++s->turns;
	if (host.n < sizeof(best->host)) {
		memcpy(best->host, host.p, host.n);
		best->host[host.n] = '\0';
	}
	return best;
}

/* An empty share, or none. */
static CURLSH *
new_share(void)
{
	CURLSH *share = curl_share_init();

	if (share != NULL &&
	    curl_share_setopt(share, CURLSHOPT_SHARE,
		CURL_LOCK_DATA_SSL_SESSION) != CURLSHE_OK) {
		(void)curl_share_cleanup(share);
		share = NULL;
	}
	return share;
}

struct tls_slot *
tls_slot_take(struct tls_sessions *s, struct span host, int64_t now_ms)
{
	struct tls_slot *slot;

	(void)pthread_mutex_lock(&s->lock);
	slot = choose(s, host);
	(void)pthread_mutex_unlock(&s->lock);
	if (slot == NULL)
		return NULL;
	if (slot->share != NULL &&
	    now_ms - slot->born_ms >= CIMD_TLS_SHARE_MS) {
		(void)curl_share_cleanup(slot->share);
		slot->share = NULL;
	}
	if (slot->share == NULL) {
		slot->share = new_share();
		slot->born_ms = now_ms;
	}
	return slot;
}

void
tls_slot_give(struct tls_sessions *s, struct tls_slot *slot)
{
	if (slot == NULL)
		return;
	(void)pthread_mutex_lock(&s->lock);
	slot->taken = false;
	(void)pthread_mutex_unlock(&s->lock);
}

CURLSH *
tls_slot_share(const struct tls_slot *slot)
{
	return slot != NULL ? slot->share : NULL;
}
