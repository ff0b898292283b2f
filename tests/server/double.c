/*
 * double.c - a resolver that does what a test asks, in place of libcimd
 * SPDX-License-Identifier: Apache-2.0
 *
 * The client_id of a lookup says how it is answered:
 *   now            at once, in the caller's thread
 *   later          by another thread, as soon as it gets to it
 *   hold:NAME      by another thread, after "release:NAME"
 *   release:NAME   at once: how many were released
 *   never          not at all
 *   status:N       with that status and "Retry-After: 7"
 *   big:N          with N bytes
 * The client_assertion of an assertion does the same, and what was called is
 * logged too.  Every other method, and "now" and "later", are answered with
 * what was called: method, json, uid, gids, admin, and how often the
 * configuration was read.  A configuration with contact = "bad@example.org" is
 * refused.
 */

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "cimd.h"

/* A call that waits. */
struct waiting {
	struct waiting *next;
	char *name; /* NULL: not held */
	cimd_reply_fn *fn;
	void *ctx;
	char *body;
};

struct cimd {
	pthread_mutex_t lock;
	pthread_cond_t wake;
	pthread_t thread;
	bool running;
	bool stop;
	struct waiting *ready; /* for the thread */
	struct waiting *held;
	unsigned int loads;
	cimd_log_fn *log;
	void *log_ctx;
};

static void
reply_to(cimd_reply_fn *fn, void *ctx, int status, const char *body, size_t n)
{
	const struct cimd_reply reply = {
		.status = status,
		.retry_after = status == 200 ? 0 : 7,
		.content_type = "application/json",
		.body = body,
		.len = n,
	};

	fn(ctx, &reply);
}

static void
answer(struct waiting *w)
{
	reply_to(w->fn, w->ctx, 200, w->body, strlen(w->body));
	free(w->name);
	free(w->body);
	free(w);
}

static void *
work(void *arg)
{
	struct cimd *r = arg;
	struct waiting *w;

	pthread_mutex_lock(&r->lock);
	while (!r->stop || r->ready != NULL) {
		if ((w = r->ready) == NULL) {
			pthread_cond_wait(&r->wake, &r->lock);
			continue;
		}
		r->ready = w->next;
		pthread_mutex_unlock(&r->lock);
		answer(w);
		pthread_mutex_lock(&r->lock);
	}
	pthread_mutex_unlock(&r->lock);
	return NULL;
}

/* Would libcimd take it?  The tests only need one way to be refused. */
static enum cimd_err
judge(const char *config, size_t len, struct cimd_error *err)
{
	const char *bad = "bad@example.org";

	if (memmem(config, len, bad, strlen(bad)) == NULL)
		return CIMD_OK;
	err->code = CIMD_E_CONFIG;
	err->section[0] = '\0';
	snprintf(err->text, sizeof(err->text), "cimd.conf:1: contact: bad");
	return CIMD_E_CONFIG;
}

enum cimd_err
cimd_new(const char *config, size_t len, struct cimd **out,
    struct cimd_error *err)
{
	struct cimd *r;
	enum cimd_err e;

	*out = NULL;
	if ((e = judge(config, len, err)) != CIMD_OK)
		return e;
	if ((r = calloc(1, sizeof(*r))) == NULL)
		abort();
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->wake, NULL);
	r->loads = 1;
	*out = r;
	return CIMD_OK;
}

enum cimd_err
cimd_open(struct cimd *r, struct cimd_error *err)
{
	(void)err;
	if (pthread_create(&r->thread, NULL, work, r) != 0)
		abort();
	r->running = true;
	return CIMD_OK;
}

enum cimd_err
cimd_reload(struct cimd *r, const char *config, size_t len,
    struct cimd_error *err)
{
	enum cimd_err e = judge(config, len, err);

	if (e != CIMD_OK)
		return e;
	pthread_mutex_lock(&r->lock);
	r->loads++;
	pthread_mutex_unlock(&r->lock);
	return CIMD_OK;
}

void
cimd_set_log(struct cimd *r, cimd_log_fn *fn, void *ctx)
{
	r->log = fn;
	r->log_ctx = ctx;
	fn(ctx, CIMD_LOG_DEBUG, "{\"event\":\"double\"}");
}

void
cimd_free(struct cimd **out)
{
	struct cimd *r = *out;

	if (r == NULL)
		return;
	if (r->held != NULL)
		abort(); /* a call is under way */
	if (r->running) {
		pthread_mutex_lock(&r->lock);
		r->stop = true;
		pthread_cond_signal(&r->wake);
		pthread_mutex_unlock(&r->lock);
		pthread_join(r->thread, NULL);
	}
	pthread_cond_destroy(&r->wake);
	pthread_mutex_destroy(&r->lock);
	free(r);
	*out = NULL;
}

/* What was called, as JSON. */
static char *
echo(struct cimd *r, const struct cimd_caller *who,
    const struct cimd_message *in)
{
	struct json_object *o = json_object_new_object();
	struct json_object *gids = json_object_new_array();
	char *text;
	size_t i;

	for (i = 0; i < who->n_gids; i++)
		json_object_array_add(gids,
		    json_object_new_int64(who->gids[i]));
	json_object_object_add(o, "method", json_object_new_string(in->method));
	json_object_object_add(o, "json",
	    json_object_new_string_len(in->json, (int)in->len));
	json_object_object_add(o, "uid", json_object_new_int64(who->uid));
	json_object_object_add(o, "gids", gids);
	if (who->service != NULL)
		json_object_object_add(o, "service",
		    json_object_new_string(who->service));
	json_object_object_add(o, "admin", json_object_new_boolean(who->admin));
	pthread_mutex_lock(&r->lock);
	json_object_object_add(o, "loads", json_object_new_int64(r->loads));
	pthread_mutex_unlock(&r->lock);
	text = strdup(json_object_to_json_string(o));
	json_object_put(o);
	return text;
}

static void
put_first(struct waiting **list, struct waiting *w)
{
	w->next = *list;
	*list = w;
}

/* Keep a call for the thread, or until its name is released. */
static void
wait_for(struct cimd *r, const char *name, struct waiting *w)
{
	pthread_mutex_lock(&r->lock);
	if (name != NULL) {
		w->name = strdup(name);
		put_first(&r->held, w);
	} else {
		put_first(&r->ready, w);
		pthread_cond_signal(&r->wake);
	}
	pthread_mutex_unlock(&r->lock);
}

static void
release(struct cimd *r, const char *name, cimd_reply_fn *fn, void *ctx)
{
	struct waiting **at, *w;
	unsigned int n = 0;
	char body[64];

	pthread_mutex_lock(&r->lock);
	for (at = &r->held; (w = *at) != NULL;) {
		if (strcmp(w->name, name) != 0) {
			at = &w->next;
			continue;
		}
		*at = w->next;
		put_first(&r->ready, w);
		n++;
	}
	pthread_cond_signal(&r->wake);
	pthread_mutex_unlock(&r->lock);
	snprintf(body, sizeof(body), "{\"released\":%u}", n);
	reply_to(fn, ctx, 200, body, strlen(body));
}

static void
reply_big(size_t n, cimd_reply_fn *fn, void *ctx)
{
	char *body = malloc(n + 1);

	if (body == NULL)
		abort();
	memset(body, 'x', n);
	reply_to(fn, ctx, 200, body, n);
	free(body);
}

/* The text after prefix, or NULL. */
static const char *
after(const char *text, const char *prefix)
{
	size_t n = strlen(prefix);

	return strncmp(text, prefix, n) == 0 ? text + n : NULL;
}

/* A lookup by its client_id and so on; false: nothing special. */
static bool
call_named(struct cimd *r, const char *id, const char *body, cimd_reply_fn *fn,
    void *ctx)
{
	const char *more;
	struct waiting *w;

	if ((more = after(id, "release:")) != NULL) {
		release(r, more, fn, ctx);
	} else if ((more = after(id, "status:")) != NULL) {
		reply_to(fn, ctx, (int)strtol(more, NULL, 10), "{}", 2);
	} else if ((more = after(id, "big:")) != NULL) {
		reply_big(strtoul(more, NULL, 10), fn, ctx);
	} else if (strcmp(id, "later") == 0 ||
	    (more = after(id, "hold:")) != NULL) {
		if ((w = calloc(1, sizeof(*w))) == NULL)
			abort();
		*w = (struct waiting){ .fn = fn, .ctx = ctx };
		w->body = strdup(body);
		wait_for(r, more, w);
	} else {
		return strcmp(id, "never") == 0;
	}
	return true;
}

void
cimd_call(struct cimd *r, const struct cimd_caller *who,
    const struct cimd_message *in, cimd_reply_fn *fn, void *ctx)
{
	struct json_object *args = NULL, *id = NULL;
	char *body = echo(r, who, in);
	const char *name = NULL;
	bool done = false;

	if (strcmp(in->method, "client") == 0)
		name = "client_id";
	if (strcmp(in->method, "assertion") == 0) {
		name = "client_assertion";
		r->log(r->log_ctx, CIMD_LOG_NOTICE, body);
	}
	if (name != NULL) {
		args = json_tokener_parse(in->json);
		if (json_object_object_get_ex(args, name, &id))
			done = call_named(r, json_object_get_string(id), body,
			    fn, ctx);
	}
	if (strcmp(in->method, "metrics") == 0)
		reply_to(fn, ctx, 200, "# EOF of the double\n", 20);
	else if (!done)
		reply_to(fn, ctx, 200, body, strlen(body));
	json_object_put(args);
	free(body);
}
