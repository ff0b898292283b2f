/*
 * cimd_jni.c - libcimd inside a Java virtual machine
 * SPDX-License-Identifier: Apache-2.0
 *
 * Step: the bridge between cimd.keycloak.NativeCimd and libcimd.
 * In: byte arrays of JSON.  Out: byte arrays of JSON, or an IOException.
 * Touches: whatever the resolver touches; the standard error for its log.
 *
 * A handle is the address of a struct engine.  Java guards that no call is
 * under way when close() comes and that none comes after it (JniEngine).
 * Threads of the resolver never enter the virtual machine: whoever called
 * waits here and takes the answer along.
 */

#include <cimd.h>

#include <errno.h>
#include <jni.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Java refuses a library of another number than its own. */
#define CIMD_JNI_ABI 1

/* A request carries a client_id and a realm's policy. */
#define MAX_CONFIG ((size_t)4 * 1024 * 1024)
#define MAX_REQUEST ((size_t)1024 * 1024)

#define LOG_LINE 2048

/* As javac -h prints them; nothing else is exported. */
/* NOLINTBEGIN(readability-identifier-naming): Java's names */
JNIEXPORT jint JNICALL Java_cimd_keycloak_NativeCimd_abi(JNIEnv *env,
    jclass self);
JNIEXPORT jbyteArray JNICALL Java_cimd_keycloak_NativeCimd_version(JNIEnv *env,
    jclass self);
JNIEXPORT jlong JNICALL Java_cimd_keycloak_NativeCimd_open(JNIEnv *env,
    jclass self, jbyteArray config);
JNIEXPORT void JNICALL Java_cimd_keycloak_NativeCimd_reload(JNIEnv *env,
    jclass self, jlong handle, jbyteArray config);
JNIEXPORT jbyteArray JNICALL Java_cimd_keycloak_NativeCimd_client(JNIEnv *env,
    jclass self, jlong handle, jbyteArray request);
JNIEXPORT void JNICALL Java_cimd_keycloak_NativeCimd_close(JNIEnv *env,
    jclass self, jlong handle);
/* NOLINTEND(readability-identifier-naming) */

struct engine {
	struct cimd *resolver;
	struct cimd_caller who;
};

/* What waits for one answer. */
struct waiter {
	pthread_mutex_t lock;
	pthread_cond_t done;
	bool answered;
	char *body; /* owned; NULL: no memory */
	size_t len;
};

/* A copy of an array's bytes. */
struct bytes {
	char *p; /* owned */
	size_t n;
};

static void
fail(JNIEnv *env, const char *text)
{
	jclass kind = (*env)->FindClass(env, "java/io/IOException");

	/* Without it something else is pending, which will do as well. */
	if (kind != NULL)
		(*env)->ThrowNew(env, kind, text);
}

/* An error's code and text in one line; both are printable ASCII. */
static void
fail_with(JNIEnv *env, const struct cimd_error *err)
{
	char text[sizeof(err->text) + 64];

	(void)snprintf(text, sizeof(text), "%s: %s", cimd_err_name(err->code),
	    err->text);
	fail(env, text);
}

/* False, with an exception pending, if the array cannot be copied. */
static bool
take_bytes(JNIEnv *env, jbyteArray from, size_t max, struct bytes *out)
{
	jsize n;

	if (from == NULL) {
		fail(env, "CIMD_E_REQUEST: null");
		return false;
	}
	n = (*env)->GetArrayLength(env, from);
	if (n < 0 || (size_t)n > max) {
		fail(env, "CIMD_E_REQUEST: more bytes than are taken");
		return false;
	}
	out->p = malloc((size_t)n + 1);
	if (out->p == NULL) {
		fail(env, "CIMD_E_NO_MEMORY: out of memory");
		return false;
	}
	(*env)->GetByteArrayRegion(env, from, 0, n, (jbyte *)out->p);
	out->p[n] = '\0';
	out->n = (size_t)n;
	return true;
}

static jbyteArray
give_bytes(JNIEnv *env, const char *p, size_t n)
{
	jbyteArray to;

	if (n > INT32_MAX) {
		fail(env, "CIMD_E_INTERNAL: the answer is too long");
		return NULL;
	}
	to = (*env)->NewByteArray(env, (jsize)n);
	if (to != NULL)
		(*env)->SetByteArrayRegion(env, to, 0, (jsize)n,
		    (const jbyte *)p);
	return to;
}

/* One write for each line: lines of several threads do not mix. */
static void
say(void *ctx, enum cimd_level level, const char *line)
{
	char text[LOG_LINE];
	ssize_t sent;
	int n;

	(void)ctx;
	if (level == CIMD_LOG_DEBUG)
		return;
	n = snprintf(text, sizeof(text), "%s\n", line);
	if (n <= 0)
		return;
	if ((size_t)n >= sizeof(text)) {
		n = sizeof(text) - 1;
		text[n - 1] = '\n';
	}
	do {
		sent = write(STDERR_FILENO, text, (size_t)n);
	} while (sent < 0 && errno == EINTR);
}

static struct engine *
engine_of(jlong handle)
{
	/* NOLINTNEXTLINE(performance-no-int-to-ptr): Java has no pointers */
	return (struct engine *)(intptr_t)handle;
}

static enum cimd_err
engine_open(struct bytes config, struct engine **out, struct cimd_error *err)
{
	struct engine *en = calloc(1, sizeof(*en));
	enum cimd_err e;

	if (en == NULL) {
		*err = (struct cimd_error){ .code = CIMD_E_NO_MEMORY,
			.text = "out of memory" };
		return CIMD_E_NO_MEMORY;
	}
	en->who.uid = (int64_t)geteuid();
	e = cimd_new(config.p, config.n, &en->resolver, err);
	if (e == CIMD_OK) {
		cimd_set_log(en->resolver, say, NULL);
		e = cimd_open(en->resolver, err);
	}
	if (e != CIMD_OK) {
		cimd_free(&en->resolver);
		free(en);
		return e;
	}
	*out = en;
	return CIMD_OK;
}

static void
take_reply(void *ctx, const struct cimd_reply *reply)
{
	struct waiter *w = ctx;

	(void)pthread_mutex_lock(&w->lock);
	w->body = malloc(reply->len + 1);
	if (w->body != NULL) {
		memcpy(w->body, reply->body, reply->len);
		w->len = reply->len;
	}
	w->answered = true;
	(void)pthread_cond_signal(&w->done);
	/* The waiter may be gone as soon as this is unlocked. */
	(void)pthread_mutex_unlock(&w->lock);
}

/* The answer's body is the caller's; NULL for want of memory. */
static struct bytes
engine_call(const struct engine *en, const char *method, struct bytes json)
{
	struct waiter w = { .lock = PTHREAD_MUTEX_INITIALIZER,
		.done = PTHREAD_COND_INITIALIZER };
	struct cimd_message in = { .method = method,
		.json = json.p,
		.len = json.n };

	cimd_call(en->resolver, &en->who, &in, take_reply, &w);
	(void)pthread_mutex_lock(&w.lock);
	while (!w.answered)
		(void)pthread_cond_wait(&w.done, &w.lock);
	(void)pthread_mutex_unlock(&w.lock);
	(void)pthread_cond_destroy(&w.done);
	(void)pthread_mutex_destroy(&w.lock);
	return (struct bytes){ .p = w.body, .n = w.len };
}

JNIEXPORT jint JNICALL
Java_cimd_keycloak_NativeCimd_abi(JNIEnv *env, jclass self)
{
	(void)env;
	(void)self;
	return CIMD_JNI_ABI;
}

JNIEXPORT jbyteArray JNICALL
Java_cimd_keycloak_NativeCimd_version(JNIEnv *env, jclass self)
{
	const char *version = cimd_version();

	(void)self;
	return give_bytes(env, version, strlen(version));
}

/* A handle, or an exception: the configuration or the state is not good. */
JNIEXPORT jlong JNICALL
Java_cimd_keycloak_NativeCimd_open(JNIEnv *env, jclass self, jbyteArray config)
{
	struct bytes json = { 0 };
	struct cimd_error err = { 0 };
	struct engine *en = NULL;

	(void)self;
	if (!take_bytes(env, config, MAX_CONFIG, &json))
		return 0;
	if (engine_open(json, &en, &err) != CIMD_OK)
		fail_with(env, &err);
	free(json.p);
	return (jlong)(intptr_t)en;
}

/* All of the new configuration, or an exception and the old one. */
JNIEXPORT void JNICALL
Java_cimd_keycloak_NativeCimd_reload(JNIEnv *env, jclass self, jlong handle,
    jbyteArray config)
{
	struct bytes json = { 0 };
	struct cimd_error err = { 0 };

	(void)self;
	if (!take_bytes(env, config, MAX_CONFIG, &json))
		return;
	if (cimd_reload(engine_of(handle)->resolver, json.p, json.n, &err) !=
	    CIMD_OK)
		fail_with(env, &err);
	free(json.p);
}

/* One lookup: the answer's body, a decision record or a problem. */
JNIEXPORT jbyteArray JNICALL
Java_cimd_keycloak_NativeCimd_client(JNIEnv *env, jclass self, jlong handle,
    jbyteArray request)
{
	struct bytes json = { 0 };
	struct bytes body;
	jbyteArray answer = NULL;

	(void)self;
	if (!take_bytes(env, request, MAX_REQUEST, &json))
		return NULL;
	body = engine_call(engine_of(handle), "client", json);
	free(json.p);
	if (body.p == NULL)
		fail(env, "CIMD_E_NO_MEMORY: out of memory");
	else
		answer = give_bytes(env, body.p, body.n);
	free(body.p);
	return answer;
}

JNIEXPORT void JNICALL
Java_cimd_keycloak_NativeCimd_close(JNIEnv *env, jclass self, jlong handle)
{
	struct engine *en = engine_of(handle);

	(void)env;
	(void)self;
	if (en == NULL)
		return;
	cimd_free(&en->resolver);
	free(en);
}
