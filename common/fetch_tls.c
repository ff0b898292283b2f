/*
 * fetch_tls.c - TLS sessions that all fetches share
 * SPDX-License-Identifier: Apache-2.0
 */

#include <pthread.h>
#include <stdlib.h>

#include "fetch_int.h"

struct tls_pool {
	CURLSH *share;
	int64_t born_ms;
	unsigned int refs;
	pthread_mutex_t locks[CURL_LOCK_DATA_LAST];
};

struct tls_sessions {
	pthread_mutex_t lock;
	struct tls_pool *pool;
};

static void
lock_data(CURL *curl, curl_lock_data data, curl_lock_access access, void *arg)
{
	struct tls_pool *pool = arg;

	(void)curl;
	(void)access;
	(void)pthread_mutex_lock(&pool->locks[data]);
}

static void
unlock_data(CURL *curl, curl_lock_data data, void *arg)
{
	struct tls_pool *pool = arg;

	(void)curl;
	(void)pthread_mutex_unlock(&pool->locks[data]);
}

static void
pool_free(struct tls_pool *pool)
{
	size_t i;

	if (pool == NULL)
		return;
	if (pool->share != NULL)
		(void)curl_share_cleanup(pool->share);
	for (i = 0; i < CURL_LOCK_DATA_LAST; i++)
		(void)pthread_mutex_destroy(&pool->locks[i]);
	free(pool);
}

static bool
share_sessions(struct tls_pool *pool)
{
	CURLSH *sh = pool->share;

	return curl_share_setopt(sh, CURLSHOPT_LOCKFUNC, lock_data) ==
	    CURLSHE_OK &&
	    curl_share_setopt(sh, CURLSHOPT_UNLOCKFUNC, unlock_data) ==
	    CURLSHE_OK &&
	    curl_share_setopt(sh, CURLSHOPT_USERDATA, pool) == CURLSHE_OK &&
	    curl_share_setopt(sh, CURLSHOPT_SHARE,
		CURL_LOCK_DATA_SSL_SESSION) == CURLSHE_OK;
}

static struct tls_pool *
pool_new(int64_t now_ms)
{
	struct tls_pool *pool;
	size_t i;

	pool = calloc(1, sizeof(*pool));
	if (pool == NULL)
		return NULL;
	for (i = 0; i < CURL_LOCK_DATA_LAST; i++)
		(void)pthread_mutex_init(&pool->locks[i], NULL);
	pool->refs = 1;
	pool->born_ms = now_ms;
	pool->share = curl_share_init();
	if (pool->share == NULL || !share_sessions(pool)) {
		pool_free(pool);
		return NULL;
	}
	return pool;
}

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
	if (s == NULL || *s == NULL)
		return;
	pool_free((*s)->pool);
	(void)pthread_mutex_destroy(&(*s)->lock);
	free(*s);
	*s = NULL;
}

/* Drop a reference under the lock; the pool if that was the last one. */
static struct tls_pool *
unref(struct tls_pool *pool)
{
	return pool != NULL && --pool->refs == 0 ? pool : NULL;
}

struct tls_pool *
tls_pool_get(struct tls_sessions *s, int64_t now_ms)
{
	struct tls_pool *pool, *old = NULL;

	(void)pthread_mutex_lock(&s->lock);
	if (s->pool == NULL || now_ms - s->pool->born_ms >= CIMD_TLS_SHARE_MS) {
		old = unref(s->pool);
		s->pool = pool_new(now_ms);
	}
	pool = s->pool;
	if (pool != NULL)
		pool->refs++;
	(void)pthread_mutex_unlock(&s->lock);
	pool_free(old);
	return pool;
}

void
tls_pool_drop(struct tls_sessions *s, struct tls_pool *pool)
{
	(void)pthread_mutex_lock(&s->lock);
	pool = unref(pool);
	(void)pthread_mutex_unlock(&s->lock);
	pool_free(pool);
}

CURLSH *
tls_pool_share(const struct tls_pool *pool)
{
	return pool->share;
}
