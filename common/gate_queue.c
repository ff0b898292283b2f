/*
 * gate_queue.c - which flight is next: hosts in turn, known clients' reserve
 * SPDX-License-Identifier: Apache-2.0
 */

#include <stdlib.h>
#include <string.h>

#include "gate_int.h"

enum {
	UNKNOWN = 0,
	KNOWN = 1,
	/* A quarter of everything is kept for known clients. */
	MAX_UNKNOWN = CIMD_MAX_FETCHES * 3 / 4,
	MAX_HOST_UNKNOWN = CIMD_MAX_HOST_FETCHES * 3 / 4,
	MAX_QUEUED_UNKNOWN = GATE_MAX_QUEUED * 3 / 4,
	MAX_HOSTS = GATE_MAX_QUEUED + CIMD_MAX_FETCHES,
};

bool
queue_init(struct queue *q, const uint8_t key[16])
{
	memset(q, 0, sizeof(*q));
	memcpy(q->key, key, sizeof(q->key));
	list_init(&q->ring);
	q->host = calloc(MAX_HOSTS, sizeof(struct host *));
	return q->host != NULL && tagmap_init(&q->hosts, MAX_HOSTS);
}

void
queue_clear(struct queue *q)
{
	tagmap_clear(&q->hosts);
	free(q->host);
	q->host = NULL;
}

/* The host of a name; made if it has no flight yet.  NULL: no memory. */
static struct host *
get_host(struct queue *q, struct span name)
{
	const struct tag tag = siphash_tag(q->key, name.p, name.n);
	uint32_t slot = tagmap_find(&q->hosts, tag);
	struct host *h;

	if (slot != TAGMAP_NONE)
		return q->host[slot];
	if ((h = calloc(1, sizeof(*h))) == NULL)
		return NULL;
	h->slot = tagmap_add(&q->hosts, tag);
	if (h->slot == TAGMAP_NONE) {
		free(h);
		return NULL;
	}
	list_init(&h->in_ring);
	list_init(&h->queue[UNKNOWN]);
	list_init(&h->queue[KNOWN]);
	q->host[h->slot] = h;
	return h;
}

/* Forget a host that has no flight any more. */
static void
release_host(struct queue *q, struct host *h)
{
	if (h->queued[UNKNOWN] + h->queued[KNOWN] > 0)
		return;
	list_del(&h->in_ring);
	if (h->running > 0)
		return;
	q->host[h->slot] = NULL;
	tagmap_remove(&q->hosts, h->slot);
	free(h);
}

static bool
is_full(const struct queue *q, bool known)
{
	return q->queued[UNKNOWN] + q->queued[KNOWN] >= GATE_MAX_QUEUED ||
	    (!known && q->queued[UNKNOWN] >= MAX_QUEUED_UNKNOWN);
}

/*
 * The newest unknown flight of the host that has most of them queued, if
 * that is fairer than to refuse one of host h.
 */
static struct flight *
find_victim(const struct queue *q, const struct host *h, bool known)
{
	uint32_t most = known ? 0 : h->queued[UNKNOWN] + 1;
	struct flight *victim = NULL;
	struct link *l;

	for (l = q->ring.next; l != &q->ring; l = l->next) {
		struct host *other = LIST_OF(l, struct host, in_ring);

		if (other->queued[UNKNOWN] <= most)
			continue;
		most = other->queued[UNKNOWN];
		victim =
		    LIST_OF(other->queue[UNKNOWN].prev, struct flight, in_host);
	}
	return victim;
}

static void
enqueue(struct queue *q, struct flight *f, struct host *h)
{
	f->host = h;
	list_add(f->known ? &h->queue[KNOWN] : &h->queue[UNKNOWN], &f->in_host);
	h->queued[f->known]++;
	q->queued[f->known]++;
	if (list_empty(&h->in_ring))
		list_add(&q->ring, &h->in_ring);
}

static void
dequeue(struct queue *q, struct flight *f)
{
	list_del(&f->in_host);
	f->host->queued[f->known]--;
	q->queued[f->known]--;
}

enum cimd_err
queue_add(struct queue *q, struct flight *f, struct flight **victim)
{
	struct host *h;

	*victim = NULL;
	if ((h = get_host(q, f->host_name)) == NULL)
		return CIMD_E_NO_MEMORY;
	if (is_full(q, f->known)) {
		*victim = find_victim(q, h, f->known);
		if (*victim == NULL) {
			release_host(q, h);
			return CIMD_E_BUSY;
		}
	}
	/* First in, then out: the victim may be the only other one of h. */
	enqueue(q, f, h);
	if (*victim != NULL)
		queue_remove(q, *victim);
	return CIMD_OK;
}

void
queue_remove(struct queue *q, struct flight *f)
{
	dequeue(q, f);
	release_host(q, f->host);
	f->host = NULL;
}

void
queue_promote(struct queue *q, struct flight *f)
{
	dequeue(q, f);
	f->known = true;
	enqueue(q, f, f->host);
}

/* The flight of h that may run now; NULL: none. */
static struct flight *
runnable(const struct queue *q, const struct host *h)
{
	if (h->running >= CIMD_MAX_HOST_FETCHES)
		return NULL;
	if (h->queued[KNOWN] > 0)
		return LIST_OF(h->queue[KNOWN].next, struct flight, in_host);
	if (h->queued[UNKNOWN] == 0 || q->running_unknown >= MAX_UNKNOWN ||
	    h->running_unknown >= MAX_HOST_UNKNOWN)
		return NULL;
	return LIST_OF(h->queue[UNKNOWN].next, struct flight, in_host);
}

struct flight *
queue_next(struct queue *q)
{
	struct flight *f, *best = NULL;
	struct host *h;
	struct link *l;

	if (q->running >= CIMD_MAX_FETCHES)
		return NULL;
	for (l = q->ring.next; l != &q->ring; l = l->next) {
		h = LIST_OF(l, struct host, in_ring);
		if (best != NULL && h->running >= best->host->running)
			continue;
		f = runnable(q, h);
		if (f != NULL)
			best = f;
	}
	if (best == NULL)
		return NULL;
	h = best->host;
	dequeue(q, best);
	list_del(&h->in_ring);
	if (h->queued[UNKNOWN] + h->queued[KNOWN] > 0)
		list_add(&q->ring, &h->in_ring);
	q->running++;
	h->running++;
	q->running_unknown += !best->known;
	h->running_unknown += !best->known;
	return best;
}

void
queue_done(struct queue *q, struct flight *f)
{
	q->running--;
	f->host->running--;
	q->running_unknown -= !f->known;
	f->host->running_unknown -= !f->known;
	release_host(q, f->host);
	f->host = NULL;
}
