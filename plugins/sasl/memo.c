/*
 * memo.c - answers of a moment ago
 * SPDX-License-Identifier: Apache-2.0
 */

#include <string.h>

#include "memo.h"

bool
memo_init(struct memo *m)
{
	memset(m, 0, sizeof(*m));
	return pthread_mutex_init(&m->lock, NULL) == 0;
}

void
memo_clear(struct memo *m)
{
	size_t i;

	for (i = 0; i < MEMO_ANSWERS; i++)
		cimdclient_free(&m->slot[i].answer);
	pthread_mutex_destroy(&m->lock);
}

static bool
is_late(const struct memo_slot *s, int64_t now_ms)
{
	return now_ms < s->born_ms || now_ms - s->born_ms >= MEMO_MS;
}

static bool
matches(const struct memo_slot *s, const struct memo_key *k)
{
	return s->conn == k->conn && s->id_len == k->id_len &&
	    memcmp(s->id, k->id, k->id_len) == 0 &&
	    strcmp(s->service, k->service) == 0 &&
	    strcmp(s->peer, k->peer) == 0;
}

struct cimdclient_answer *
memo_take(struct memo *m, const struct memo_key *key, int64_t now_ms,
    int64_t *born_ms)
{
	struct cimdclient_answer *out = NULL;
	struct memo_slot *s;
	size_t i;

	if (pthread_mutex_trylock(&m->lock) != 0)
		return NULL;
	for (i = 0; i < MEMO_ANSWERS; i++) {
		s = &m->slot[i];
		if (s->answer != NULL && is_late(s, now_ms))
			cimdclient_free(&s->answer);
		if (s->answer == NULL || out != NULL || !matches(s, key))
			continue;
		out = s->answer;
		s->answer = NULL;
		*born_ms = s->born_ms;
	}
	pthread_mutex_unlock(&m->lock);
	return out;
}

/* A free slot, else the oldest. */
static struct memo_slot *
find_room(struct memo *m)
{
	struct memo_slot *out = &m->slot[0];
	size_t i;

	for (i = 0; i < MEMO_ANSWERS; i++) {
		if (m->slot[i].answer == NULL)
			return &m->slot[i];
		if (m->slot[i].born_ms < out->born_ms)
			out = &m->slot[i];
	}
	return out;
}

void
memo_put(struct memo *m, const struct memo_key *key, int64_t born_ms,
    struct cimdclient_answer **a)
{
	const size_t service_len = strlen(key->service);
	const size_t peer_len = strlen(key->peer);
	struct memo_slot *s;

	if (service_len <= MEMO_MAX_TEXT && peer_len <= MEMO_MAX_TEXT &&
	    pthread_mutex_trylock(&m->lock) == 0) {
		s = find_room(m);
		cimdclient_free(&s->answer);
		s->answer = *a;
		*a = NULL;
		s->born_ms = born_ms;
		s->conn = key->conn;
		memcpy(s->service, key->service, service_len + 1);
		memcpy(s->peer, key->peer, peer_len + 1);
		memcpy(s->id, key->id, key->id_len);
		s->id_len = key->id_len;
		pthread_mutex_unlock(&m->lock);
	}
	cimdclient_free(a);
}
