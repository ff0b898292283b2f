/*
 * log.c - audit lines as JSON, repeated ones rate-limited
 * SPDX-License-Identifier: Apache-2.0
 */

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "log.h"
#include "tagmap.h"

enum {
	WINDOW_MS = 60000,
	MAX_EVENT = 32, /* bytes of an event's name that are kept */
	MAX_VALUE = 160 /* bytes of any value but client_id and text */
};

static const char no_memory[] =
    "{\"level\":\"error\",\"event\":\"log\",\"code\":\"CIMD_E_NO_MEMORY\"}";

/* One key that lines are counted under. */
struct repeat {
	int64_t since_ms; /* begin of the minute */
	uint32_t written;
	uint64_t held;
	enum cimd_level level;
	enum cimd_err code;
	char event[MAX_EVENT];
	char *client_id; /* made when the first line is held back */
	size_t client_id_len;
};

struct log {
	pthread_mutex_t lock;
	cimd_log_fn *fn;
	void *ctx;
	uint8_t key[16];
	struct tagmap keys;
	struct repeat *repeat; /* by slot of keys */
};

struct log *
log_new(void)
{
	struct log *l;

	if ((l = calloc(1, sizeof(*l))) == NULL)
		return NULL;
	clock_random(l->key, sizeof(l->key));
	l->repeat = calloc(LOG_KEYS, sizeof(*l->repeat));
	if (l->repeat == NULL || !tagmap_init(&l->keys, LOG_KEYS) ||
	    pthread_mutex_init(&l->lock, NULL) != 0) {
		tagmap_clear(&l->keys);
		free(l->repeat);
		free(l);
		return NULL;
	}
	return l;
}

void
log_free(struct log **l)
{
	size_t i;

	if (*l == NULL)
		return;
	for (i = 0; i < LOG_KEYS; i++)
		free((*l)->repeat[i].client_id);
	free((*l)->repeat);
	tagmap_clear(&(*l)->keys);
	(void)pthread_mutex_destroy(&(*l)->lock);
	free(*l);
	*l = NULL;
}

void
log_set(struct log *l, cimd_log_fn *fn, void *ctx)
{
	(void)pthread_mutex_lock(&l->lock);
	l->fn = fn;
	l->ctx = ctx;
	(void)pthread_mutex_unlock(&l->lock);
}

/* A line that is being made; all values that it takes fit. */
struct text {
	char *p;
	size_t n;
};

enum {
	MAX_TEXT = sizeof(((struct cimd_error *)0)->text) +
	    sizeof(((struct cimd_error *)0)->section),
	MAX_BYTES = CIMD_MAX_URL + MAX_TEXT + 6 * MAX_VALUE
};
static_assert(6 * MAX_BYTES + 512 <= LOG_MAX_LINE,
    "a line of the longest values fits, each byte as \\u00XX");

static void
put(struct text *t, const char *s)
{
	const size_t n = strlen(s);

	assert(n < LOG_MAX_LINE - t->n);
	memcpy(t->p + t->n, s, n + 1);
	t->n += n;
}

static void
put_escaped(struct text *t, struct span s, size_t max)
{
	char one[8];
	size_t i;

	for (i = 0; i < s.n && i < max; i++) {
		const unsigned char c = (unsigned char)s.p[i];

		if (c < 0x20 || c > 0x7e)
			(void)snprintf(one, sizeof(one), "\\u%04x", c);
		else if (c == '"' || c == '\\')
			(void)snprintf(one, sizeof(one), "\\%c", c);
		else
			(void)snprintf(one, sizeof(one), "%c", c);
		put(t, one);
	}
}

/* A string member; absent and empty ones are left out. */
static void
put_span(struct text *t, const char *name, struct span s, size_t max)
{
	if (s.p == NULL || s.n == 0)
		return;
	put(t, t->n > 1 ? ",\"" : "\"");
	put(t, name);
	put(t, "\":\"");
	put_escaped(t, s, max);
	put(t, "\"");
}

static void
put_string(struct text *t, const char *name, const char *s)
{
	put_span(t, name, span_of(s), MAX_VALUE);
}

static void
put_number(struct text *t, const char *name, uint64_t n)
{
	char number[64];

	(void)snprintf(number, sizeof(number), ",\"%s\":%" PRIu64, name, n);
	put(t, number);
}

static void
put_time(struct text *t, int64_t utc)
{
	const time_t seconds = (time_t)utc;
	char s[64] = "";
	struct tm tm;

	if (gmtime_r(&seconds, &tm) != NULL)
		(void)strftime(s, sizeof(s), "%Y-%m-%dT%H:%M:%SZ", &tm);
	put_string(t, "time", s);
}

static const char *
level_name(enum cimd_level level)
{
	switch (level) {
	case CIMD_LOG_ERROR:
		break;
	case CIMD_LOG_NOTICE:
		return "notice";
	case CIMD_LOG_DEBUG:
		return "debug";
	}
	return "error";
}

static void
put_error(struct text *t, const struct log_line *line)
{
	if (line->code == CIMD_OK)
		return;
	put_string(t, "code", cimd_err_name(line->code));
	put_string(t, "class", cimd_class_name(cimd_err_class(line->code)));
	if (line->err == NULL)
		return;
	put_string(t, "section", line->err->section);
	put_span(t, "text", span_of(line->err->text), sizeof(line->err->text));
}

/* Make the line and hand it over; without the lock. */
static void
emit(struct log *l, const struct log_line *line, int64_t utc,
    uint64_t suppressed)
{
	struct text t = { malloc(LOG_MAX_LINE), 0 };
	cimd_log_fn *fn;
	void *ctx;

	(void)pthread_mutex_lock(&l->lock);
	fn = l->fn;
	ctx = l->ctx;
	(void)pthread_mutex_unlock(&l->lock);
	if (fn != NULL && t.p == NULL)
		fn(ctx, CIMD_LOG_ERROR, no_memory);
	if (fn == NULL || t.p == NULL) {
		free(t.p);
		return;
	}
	put(&t, "{");
	put_time(&t, utc);
	put_string(&t, "level", level_name(line->level));
	put_string(&t, "event", line->event);
	put_span(&t, "client_id", line->client_id, CIMD_MAX_URL);
	if (line->uid != NULL)
		put_number(&t, "uid", (uint64_t)*line->uid);
	put_string(&t, "consumer", line->consumer);
	put_string(&t, "purpose", line->purpose);
	put_string(&t, "rule", line->rule);
	put_error(&t, line);
	put_string(&t, "detail", line->detail);
	if (line->ms >= 0)
		put_number(&t, "ms", (uint64_t)line->ms);
	put_string(&t, "remote_addr", line->remote_addr);
	if (suppressed > 0)
		put_number(&t, "suppressed", suppressed);
	put(&t, "}");
	fn(ctx, line->level, t.p);
	free(t.p);
}

/* A count that is written as a line of its own, and then emptied. */
struct summary {
	bool is;
	struct log_line line;
	char event[MAX_EVENT];
	char *client_id; /* owned */
	uint64_t held;
};

/* With the lock: take what r holds back. */
static void
summarise(struct repeat *r, struct summary *out)
{
	if (r->held == 0)
		return;
	out->is = true;
	memset(&out->line, 0, sizeof(out->line));
	memcpy(out->event, r->event, sizeof(out->event));
	out->client_id = r->client_id;
	if (r->client_id != NULL)
		out->line.client_id =
		    (struct span){ r->client_id, r->client_id_len };
	out->line.level = r->level;
	out->line.code = r->code;
	out->line.ms = -1;
	out->held = r->held;
	r->client_id = NULL;
	r->held = 0;
}

static void
emit_summary(struct log *l, struct summary *s, int64_t utc)
{
	if (!s->is)
		return;
	s->line.event = s->event;
	emit(l, &s->line, utc, s->held);
	free(s->client_id);
	s->client_id = NULL;
	s->is = false;
}

/* client_id NULL: of all lines with this event and code together. */
static struct tag
key_of(const struct log *l, const struct log_line *line,
    const struct span *client_id)
{
	uint8_t bytes[MAX_EVENT + 5 + CIMD_MAX_URL] = { 0 };
	size_t i, n = 0;

	(void)snprintf((char *)bytes, MAX_EVENT, "%s", line->event);
	for (i = 0; i < 4; i++)
		bytes[MAX_EVENT + i] =
		    (uint8_t)((uint32_t)line->code >> (8 * i));
	bytes[MAX_EVENT + 4] = client_id == NULL;
	if (client_id != NULL)
		n = client_id->n < CIMD_MAX_URL ? client_id->n : CIMD_MAX_URL;
	if (n > 0)
		memcpy(bytes + MAX_EVENT + 5, client_id->p, n);
	return siphash_tag(l->key, bytes, MAX_EVENT + 5 + n);
}

/* With the lock: the count of a line; an old one may have to make room. */
static struct repeat *
find_repeat(struct log *l, const struct log_line *line,
    const struct span *client_id, int64_t now_ms, struct summary *evicted)
{
	const struct tag tag = key_of(l, line, client_id);
	uint32_t slot = tagmap_find(&l->keys, tag);
	struct repeat *r;

	if (slot != TAGMAP_NONE) {
		tagmap_touch(&l->keys, slot);
		return &l->repeat[slot];
	}
	if (l->keys.used == l->keys.capacity) {
		slot = l->keys.oldest;
		summarise(&l->repeat[slot], evicted);
		free(l->repeat[slot].client_id);
		tagmap_remove(&l->keys, slot);
	}
	r = &l->repeat[tagmap_add(&l->keys, tag)];
	memset(r, 0, sizeof(*r));
	(void)snprintf(r->event, sizeof(r->event), "%s", line->event);
	r->code = line->code;
	r->since_ms = now_ms;
	return r;
}

static void
hold_back(struct repeat *r, const struct log_line *line,
    const struct span *client_id)
{
	size_t n = 0;

	r->held++;
	r->level = line->level;
	if (client_id != NULL)
		n = client_id->n < CIMD_MAX_URL ? client_id->n : CIMD_MAX_URL;
	if (n == 0 || r->client_id != NULL)
		return;
	r->client_id = malloc(n);
	if (r->client_id == NULL)
		return;
	memcpy(r->client_id, client_id->p, n);
	r->client_id_len = n;
}

/* With the lock: begin a new minute if it is time; may a line be written? */
static bool
may_write(struct repeat *r, uint32_t limit, int64_t now_ms)
{
	if (now_ms - r->since_ms >= WINDOW_MS) {
		r->since_ms = now_ms;
		r->written = 0;
	}
	return r->written < limit;
}

/* Everything that is to be written because of one line. */
struct writing {
	bool write;
	uint64_t suppressed;
	struct summary evicted[2], refusals;
};

/* With the lock: is the line written, and what else? */
static void
judge(struct log *l, const struct log_line *line, int64_t now_ms,
    struct writing *v)
{
	struct repeat *r, *all = NULL;

	if (line->code != CIMD_OK)
		all = find_repeat(l, line, NULL, now_ms, &v->evicted[0]);
	r = find_repeat(l, line, &line->client_id, now_ms, &v->evicted[1]);
	if (!may_write(r, LOG_REPEATS, now_ms)) {
		hold_back(r, line, &line->client_id);
		return;
	}
	if (all != NULL && !may_write(all, LOG_REFUSALS, now_ms)) {
		hold_back(all, line, NULL);
		return;
	}
	v->write = true;
	v->suppressed = r->held;
	r->written++;
	r->held = 0;
	if (all == NULL)
		return;
	all->written++;
	summarise(all, &v->refusals);
}

void
log_write_at(struct log *l, const struct log_line *line, int64_t utc,
    int64_t now_ms)
{
	struct writing v = { .write = false };

	(void)pthread_mutex_lock(&l->lock);
	judge(l, line, now_ms, &v);
	(void)pthread_mutex_unlock(&l->lock);
	emit_summary(l, &v.evicted[0], utc);
	emit_summary(l, &v.evicted[1], utc);
	emit_summary(l, &v.refusals, utc);
	if (v.write)
		emit(l, line, utc, v.suppressed);
}

void
log_write(struct log *l, const struct log_line *line)
{
	log_write_at(l, line, clock_utc(), clock_ms());
}

void
log_flush(struct log *l)
{
	struct summary s = { .is = false };
	uint32_t i;

	for (i = 0; i < LOG_KEYS; i++) {
		(void)pthread_mutex_lock(&l->lock);
		summarise(&l->repeat[i], &s);
		(void)pthread_mutex_unlock(&l->lock);
		emit_summary(l, &s, clock_utc());
	}
}
