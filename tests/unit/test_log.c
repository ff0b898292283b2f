/*
 * test_log.c - audit lines: what they say, how often, in which bytes
 * SPDX-License-Identifier: Apache-2.0
 */

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <json-c/json.h>

#include "alloc.h"
#include "log.h"

enum {
	UTC = 1795424487 /* 2026-11-23T09:01:27Z */
};

/* The lines of a log: how many, and the last of them. */
struct sink {
	struct log *log;
	uint32_t n;
	enum cimd_level level;
	char last[LOG_MAX_LINE];
	uint64_t suppressed; /* over all lines */
	uint32_t summaries;  /* lines without client_id */
	pthread_mutex_t lock;
};

static void
take(void *ctx, enum cimd_level level, const char *line)
{
	struct sink *s = ctx;
	struct json_object *json = json_tokener_parse(line), *v;

	assert_non_null(json);
	assert_int_equal(pthread_mutex_lock(&s->lock), 0);
	if (json_object_object_get_ex(json, "suppressed", &v))
		s->suppressed += (uint64_t)json_object_get_int64(v);
	if (!json_object_object_get_ex(json, "client_id", &v))
		s->summaries++;
	s->n++;
	s->level = level;
	(void)snprintf(s->last, sizeof(s->last), "%s", line);
	assert_int_equal(pthread_mutex_unlock(&s->lock), 0);
	assert_int_equal(json_object_put(json), 1);
}

static void
open_sink(struct sink *s)
{
	memset(s, 0, sizeof(*s));
	assert_int_equal(pthread_mutex_init(&s->lock, NULL), 0);
	s->log = log_new();
	assert_non_null(s->log);
	log_set(s->log, take, s);
}

static void
close_sink(struct sink *s)
{
	log_free(&s->log);
	assert_null(s->log);
	log_free(&s->log);
	assert_int_equal(pthread_mutex_destroy(&s->lock), 0);
}

static struct log_line
line_of(const char *event, const char *client_id, enum cimd_err code)
{
	struct log_line line = { .level = CIMD_LOG_NOTICE,
		.event = event,
		.client_id = span_of(client_id),
		.code = code,
		.ms = -1 };

	return line;
}

static void
write_at(struct sink *s, const char *client_id, enum cimd_err code,
    int64_t now_ms)
{
	const struct log_line line = line_of("lookup", client_id, code);

	log_write_at(s->log, &line, UTC, now_ms);
}

static void
says_everything(void **state)
{
	static struct sink s;
	const int64_t uid = 0;
	struct cimd_error err = { CIMD_E_JSON, "4", "duplicate name" };
	struct log_line line = { .level = CIMD_LOG_ERROR,
		.event = "lookup",
		.client_id = span_of("https://a.example/c"),
		.uid = &uid,
		.consumer = "keycloak",
		.purpose = "authorize",
		.rule = "vscode",
		.code = CIMD_E_JSON,
		.err = &err,
		.detail = "keys",
		.ms = 12,
		.remote_addr = "192.0.2.1" };

	(void)state;
	open_sink(&s);
	log_write_at(s.log, &line, UTC, 0);
	assert_int_equal(s.level, CIMD_LOG_ERROR);
	assert_string_equal(s.last,
	    "{\"time\":\"2026-11-23T09:01:27Z\",\"level\":\"error\","
	    "\"event\":\"lookup\",\"client_id\":\"https://a.example/c\","
	    "\"uid\":0,\"consumer\":\"keycloak\",\"purpose\":\"authorize\","
	    "\"rule\":\"vscode\",\"code\":\"CIMD_E_JSON\","
	    "\"class\":\"refused\",\"section\":\"4\","
	    "\"text\":\"duplicate name\",\"detail\":\"keys\",\"ms\":12,"
	    "\"remote_addr\":\"192.0.2.1\"}");
	close_sink(&s);
}

static void
leaves_out_what_is_absent(void **state)
{
	static struct sink s;
	struct log_line line = line_of("reload", NULL, CIMD_OK);

	(void)state;
	open_sink(&s);
	line.consumer = "";
	line.level = CIMD_LOG_DEBUG;
	log_write_at(s.log, &line, UTC, 0);
	assert_string_equal(s.last,
	    "{\"time\":\"2026-11-23T09:01:27Z\",\"level\":\"debug\","
	    "\"event\":\"reload\"}");
	close_sink(&s);
}

static void
escapes_foreign_bytes(void **state)
{
	static struct sink s;
	struct log_line line = line_of("lookup", NULL, CIMD_OK);

	(void)state;
	open_sink(&s);
	line.client_id = (struct span){ "a\"\\\n\x1b\x7f\xc3\xa4\0b", 10 };
	log_write_at(s.log, &line, UTC, 0);
	assert_non_null(strstr(s.last,
	    "\"client_id\":"
	    "\"a\\\"\\\\\\u000a\\u001b\\u007f\\u00c3\\u00a4\\u0000b\""));
	close_sink(&s);
}

/* The longest values there can be, of bytes that take most room. */
static void
longest_line_fits(void **state)
{
	static struct sink s;
	static char longer[5000];
	const int64_t most = INT64_MAX;
	struct cimd_error err = { .code = CIMD_E_JSON };
	struct log_line line;
	size_t i;

	(void)state;
	open_sink(&s);
	memset(longer, '\xff', sizeof(longer) - 1);
	memset(err.text, '\xff', sizeof(err.text) - 1);
	memset(err.section, '\xff', sizeof(err.section) - 1);
	line = line_of(longer, longer, CIMD_E_JSON);
	line.consumer = line.purpose = line.rule = longer;
	line.detail = line.remote_addr = longer;
	line.err = &err;
	line.uid = &most;
	line.ms = INT64_MAX;
	log_write_at(s.log, &line, UTC, 0);
	assert_int_equal(s.n, 1);
	for (i = 0; s.last[i] != '\0'; i++)
		assert_in_range(s.last[i], 0x20, 0x7e);
	assert_in_range(i, 10000, LOG_MAX_LINE - 1);
	close_sink(&s);
}

static void
repeated_lines_are_counted(void **state)
{
	static struct sink s;
	int i;

	(void)state;
	open_sink(&s);
	for (i = 0; i < 25; i++)
		write_at(&s, "https://a.example/c", CIMD_E_JSON,
		    INT64_C(1000) * i);
	assert_int_equal(s.n, LOG_REPEATS);
	assert_int_equal(s.suppressed, 0);
	write_at(&s, "https://a.example/d", CIMD_E_JSON, 30000);
	write_at(&s, "https://a.example/c", CIMD_E_GONE, 30000);
	assert_int_equal(s.n, LOG_REPEATS + 2);
	assert_int_equal(s.suppressed, 0);
	write_at(&s, "https://a.example/c", CIMD_E_JSON, 59999);
	assert_int_equal(s.n, LOG_REPEATS + 2);
	write_at(&s, "https://a.example/c", CIMD_E_JSON, 60000);
	assert_int_equal(s.n, LOG_REPEATS + 3);
	assert_int_equal(s.suppressed, 16);
	assert_non_null(strstr(s.last, ",\"suppressed\":16}"));
	for (i = 0; i < 10; i++)
		write_at(&s, "https://a.example/c", CIMD_E_JSON, 60001);
	assert_int_equal(s.n, LOG_REPEATS + 3 + 9);
	assert_int_equal(s.suppressed, 16);
	close_sink(&s);
}

static void
events_are_told_apart(void **state)
{
	static struct sink s;
	const struct log_line line = line_of("govern", "u", CIMD_OK);
	int i;

	(void)state;
	open_sink(&s);
	for (i = 0; i < 20; i++)
		write_at(&s, "u", CIMD_OK, 0);
	log_write_at(s.log, &line, UTC, 0);
	assert_int_equal(s.n, LOG_REPEATS + 1);
	close_sink(&s);
}

static void
flush_writes_what_is_held(void **state)
{
	static struct sink s;
	int i;

	(void)state;
	open_sink(&s);
	for (i = 0; i < 13; i++)
		write_at(&s, "https://a.example/c", CIMD_E_JSON, 0);
	log_flush(s.log);
	assert_int_equal(s.n, LOG_REPEATS + 1);
	assert_non_null(strstr(s.last,
	    "\"level\":\"notice\",\"event\":\"lookup\","
	    "\"client_id\":\"https://a.example/c\",\"code\":\"CIMD_E_JSON\","
	    "\"class\":\"refused\",\"suppressed\":3}"));
	log_flush(s.log);
	assert_int_equal(s.n, LOG_REPEATS + 1);
	write_at(&s, "https://a.example/c", CIMD_E_JSON, 1);
	log_flush(s.log);
	assert_int_equal(s.n, LOG_REPEATS + 2);
	assert_int_equal(s.suppressed, 4);
	close_sink(&s);
}

/* Strangers choose client_id; refusals have a limit over all of them. */
static void
refusals_have_a_limit(void **state)
{
	static struct sink s;
	char url[64];
	uint32_t i;

	(void)state;
	open_sink(&s);
	for (i = 0; i < 100000; i++) {
		(void)snprintf(url, sizeof(url), "https://a.example/%u", i);
		write_at(&s, url, CIMD_E_POLICY, i / 2);
	}
	assert_int_equal(s.n, LOG_REFUSALS);
	write_at(&s, "https://b.example/c", CIMD_E_POLICY, 60000);
	assert_int_equal(s.n, LOG_REFUSALS + 2);
	assert_int_equal(s.summaries, 1);
	assert_int_equal(s.suppressed, 100000 - LOG_REFUSALS);
	write_at(&s, "https://b.example/c", CIMD_OK, 60000);
	assert_int_equal(s.n, LOG_REFUSALS + 3);
	close_sink(&s);
}

/* Lines without client_id keep their own count. */
static void
lines_without_client_count_alone(void **state)
{
	static struct sink s;
	char url[64];
	uint32_t i;

	(void)state;
	open_sink(&s);
	for (i = 0; i < 20; i++) {
		(void)snprintf(url, sizeof(url), "https://a.example/%u", i);
		write_at(&s, url, CIMD_E_REQUEST, 0);
	}
	for (i = 0; i < 20; i++)
		write_at(&s, NULL, CIMD_E_REQUEST, 0);
	assert_int_equal(s.n, 20 + LOG_REPEATS);
	close_sink(&s);
}

/* A key that makes room takes its count along; nothing gets lost. */
static void
evicted_counts_are_written(void **state)
{
	static struct sink s;
	char url[64];
	uint32_t i;

	(void)state;
	open_sink(&s);
	for (i = 0; i < 15; i++)
		write_at(&s, "https://a.example/c", CIMD_OK, 0);
	for (i = 0; i < LOG_KEYS; i++) {
		(void)snprintf(url, sizeof(url), "https://b.example/%u", i);
		write_at(&s, url, CIMD_OK, 0);
	}
	assert_int_equal(s.n, LOG_REPEATS + 1 + LOG_KEYS);
	assert_int_equal(s.suppressed, 5);
	close_sink(&s);
}

static void
without_a_function_nothing_happens(void **state)
{
	const struct log_line line = line_of("lookup", "u", CIMD_OK);
	struct log *l = log_new();

	(void)state;
	assert_non_null(l);
	log_write(l, &line);
	log_flush(l);
	log_free(&l);
}

static bool
make_and_free(void *ctx)
{
	struct log *l = log_new();
	bool made = l != NULL;

	(void)ctx;
	log_free(&l);
	return made;
}

/* Without memory for a line there is one that says so. */
static void
survives_lack_of_memory(void **state)
{
	static struct sink s;
	size_t i;

	(void)state;
	assert_int_equal(alloc_sweep(make_and_free, NULL), 4);
	open_sink(&s);
	alloc_fail_at(1);
	write_at(&s, "https://a.example/c", CIMD_E_JSON, 0);
	assert_true(alloc_failed());
	assert_int_equal(s.n, 1);
	assert_int_equal(s.level, CIMD_LOG_ERROR);
	assert_string_equal(s.last,
	    "{\"level\":\"error\",\"event\":\"log\","
	    "\"code\":\"CIMD_E_NO_MEMORY\"}");
	alloc_fail_at(0);
	for (i = 0; i < LOG_REPEATS - 1; i++)
		write_at(&s, "https://a.example/c", CIMD_E_JSON, 0);
	alloc_fail_at(1);
	write_at(&s, "https://a.example/c", CIMD_E_JSON, 0);
	alloc_fail_at(0);
	log_flush(s.log);
	assert_int_equal(s.suppressed, 1);
	close_sink(&s);
}

enum {
	WRITERS = 4,
	LINES = 2000
};

static void *
write_often(void *arg)
{
	struct sink *s = arg;
	char url[64];
	uint32_t i;

	for (i = 0; i < LINES; i++) {
		struct log_line line;

		(void)snprintf(url, sizeof(url), "https://a.example/%u",
		    i % 20);
		line = line_of("lookup", url, CIMD_OK);
		log_write(s->log, &line);
	}
	return NULL;
}

static void
threads_lose_no_line(void **state)
{
	static struct sink s;
	pthread_t thread[WRITERS];
	size_t i;

	(void)state;
	open_sink(&s);
	for (i = 0; i < WRITERS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, write_often,
				     &s),
		    0);
	for (i = 0; i < WRITERS; i++)
		assert_int_equal(pthread_join(thread[i], NULL), 0);
	log_flush(s.log);
	assert_true(s.n < WRITERS * LINES);
	assert_int_equal(s.n - 20 + s.suppressed, WRITERS * LINES);
	close_sink(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_everything),
		cmocka_unit_test(leaves_out_what_is_absent),
		cmocka_unit_test(escapes_foreign_bytes),
		cmocka_unit_test(longest_line_fits),
		cmocka_unit_test(repeated_lines_are_counted),
		cmocka_unit_test(events_are_told_apart),
		cmocka_unit_test(flush_writes_what_is_held),
		cmocka_unit_test(refusals_have_a_limit),
		cmocka_unit_test(lines_without_client_count_alone),
		cmocka_unit_test(evicted_counts_are_written),
		cmocka_unit_test(without_a_function_nothing_happens),
		cmocka_unit_test(threads_lose_no_line),
		cmocka_unit_test(survives_lack_of_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
