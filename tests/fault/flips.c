/*
 * flips.c - a store file with a wrong bit, a lost page, a missing end
 * SPDX-License-Identifier: Apache-2.0
 *
 * Whatever is wrong: what is read is what was written, or the store says
 * that it cannot tell.  A blocked client never becomes one that is not.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "box.h"

enum {
	FLIPS = 300,
	CLIENTS = 30,
	PAGE = 4096
};

/* The file as it was, and what it says. */
struct original {
	struct box box;
	uint8_t *bytes;
	size_t n;
	struct entry *entry[CLIENTS];
};

/* How it went. */
struct tally {
	unsigned int refused; /* the file was not opened at all */
	unsigned int told;    /* reads that failed */
	unsigned int dropped; /* records that count as not stored */
	unsigned int same;
};

static enum governance
governance_of(uint32_t i)
{
	return (enum governance)(i % 4);
}

/* Where no record is approved, tenants have their own. */
static void
add_baselines(struct original *o, uint32_t i)
{
	static const char *const tenants[] = { "", "idp/a", "idp/b" };
	struct cimd_client *first;
	uint32_t t;

	for (t = 0; t < i % 4; t++) {
		first = box_record(box_url(i), i * 30 + t / 2);
		assert_int_equal(store_baseline(o->box.s, tenants[t], first,
				     NULL),
		    CIMD_OK);
		cimd_client_free(&first);
	}
}

static void
fill(struct original *o)
{
	struct cimd_client *approved;
	char line[64];
	uint32_t i;

	for (i = 0; i < CLIENTS; i++) {
		const char *url = box_url(i);
		const struct store_activity seen = { span_of(url), "idp", i, 1,
			BOX_NOW };

		box_put(&o->box, url, i % 2, i * 50 + 1, BOX_NOW);
		approved = i % 3 == 0 ? box_record(url, i * 40 + 1) : NULL;
		assert_int_equal(store_govern(o->box.s, span_of(url),
				     governance_of(i), approved, BOX_NOW, NULL),
		    CIMD_OK);
		cimd_client_free(&approved);
		add_baselines(o, i);
		assert_int_equal(store_add_activity(o->box.s, &seen, 1, NULL),
		    CIMD_OK);
		(void)snprintf(line, sizeof(line), "{\"line\":%u}", i);
		assert_int_equal(store_audit(o->box.s, BOX_NOW, line, NULL),
		    CIMD_OK);
		assert_int_equal(store_use_jti(o->box.s, span_of(url), "1",
				     BOX_NOW, BOX_NOW, NULL),
		    CIMD_OK);
	}
	for (i = 0; i < CLIENTS; i++)
		o->entry[i] = box_read(&o->box, box_url(i));
}

static int
make_original(void **state)
{
	struct original *o = calloc(1, sizeof(*o));
	struct stat st;
	FILE *f;

	assert_non_null(o);
	box_open(&o->box, NULL);
	fill(o);
	store_close(&o->box.s);
	f = fopen(box_file(&o->box, "cimd.db"), "r");
	assert_non_null(f);
	assert_int_equal(fstat(fileno(f), &st), 0);
	o->n = (size_t)st.st_size;
	o->bytes = malloc(o->n);
	assert_non_null(o->bytes);
	assert_int_equal(fread(o->bytes, 1, o->n, f), o->n);
	assert_int_equal(fclose(f), 0);
	*state = o;
	return 0;
}

static int
free_original(void **state)
{
	struct original *o = *state;
	uint32_t i;

	for (i = 0; i < CLIENTS; i++)
		entry_free(&o->entry[i]);
	box_close(&o->box);
	free(o->bytes);
	free(o);
	return 0;
}

static bool
same_record(const struct cimd_client *a, const struct cimd_client *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return span_eq(client_bytes(a), client_bytes(b));
}

static void
check_baselines(const struct entry *e, const struct entry *want)
{
	size_t i;

	assert_int_equal(e->n_baselines, want->n_baselines);
	for (i = 0; i < e->n_baselines; i++) {
		assert_string_equal(e->baseline[i].tenant,
		    want->baseline[i].tenant);
		assert_true(same_record(e->first[e->baseline[i].first].approved,
		    want->first[want->baseline[i].first].approved));
	}
}

/* Read one client of a file that is damaged somewhere. */
static void
check_client(struct original *o, uint32_t i, struct tally *t)
{
	const struct entry *want = o->entry[i];
	struct entry *e = NULL;

	if (store_read(o->box.s, span_of(box_url(i)), &e, NULL) != CIMD_OK) {
		t->told++;
		return;
	}
	assert_non_null(e);
	assert_int_equal(e->governance, want->governance);
	assert_true(same_record(e->word.approved, want->word.approved));
	check_baselines(e, want);
	if (e->live == NULL) {
		assert_int_equal(e->freshness.expires_at, 0);
		t->dropped++;
	} else {
		assert_true(same_record(e->live, want->live));
		assert_true(
		    e->freshness.fetched_at == want->freshness.fetched_at &&
		    e->freshness.expires_at == want->freshness.expires_at &&
		    e->freshness.floor_only == want->freshness.floor_only);
		assert_string_equal(e->etag, want->etag);
		t->same++;
	}
	entry_free(&e);
}

static void
write_file(const struct original *o, const uint8_t *bytes, size_t n)
{
	FILE *f;

	(void)unlink(box_file(&o->box, "cimd.db-wal"));
	(void)unlink(box_file(&o->box, "cimd.db-shm"));
	f = fopen(box_file(&o->box, "cimd.db"), "w");
	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

/* Open these bytes as a store, read everything, write something. */
static void
check_file(struct original *o, const uint8_t *bytes, size_t n, struct tally *t)
{
	struct cimd_error err = { 0 };
	uint32_t i;

	write_file(o, bytes, n);
	if (store_open(o->box.dir, &o->box.limits, &o->box.s, &err) !=
	    CIMD_OK) {
		assert_int_equal(err.code, CIMD_E_STORE);
		t->refused++;
		return;
	}
	for (i = 0; i < CLIENTS; i++)
		check_client(o, i, t);
	(void)store_audit(o->box.s, BOX_NOW, "{}", NULL);
	(void)store_sweep(o->box.s, BOX_NOW, NULL);
	for (i = 0; i < CLIENTS; i += 7)
		check_client(o, i, t);
	store_close(&o->box.s);
}

static uint32_t
next_random(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 4;
}

static unsigned int
rounds(void)
{
	const char *text = getenv("FLIPS");

	if (text == NULL || text[0] == '\0')
		return FLIPS;
	return (unsigned int)strtoul(text, NULL, 10);
}

static void
whole_file_is_read(void **state)
{
	struct original *o = *state;
	struct tally t = { 0 };

	check_file(o, o->bytes, o->n, &t);
	assert_int_equal(t.same, CLIENTS + 5);
}

static void
one_bit_is_wrong(void **state)
{
	struct original *o = *state;
	uint8_t *copy = malloc(o->n);
	struct tally t = { 0 };
	uint32_t seed = 1, at;
	unsigned int i;

	assert_non_null(copy);
	for (i = 0; i < rounds(); i++) {
		memcpy(copy, o->bytes, o->n);
		at = next_random(&seed) % (uint32_t)o->n;
		copy[at] ^= (uint8_t)(1 << next_random(&seed) % 8);
		check_file(o, copy, o->n, &t);
	}
	free(copy);
	print_message("# bits: %u not opened, %u reads failed, %u records "
		      "dropped, %u same\n",
	    t.refused, t.told, t.dropped, t.same);
	assert_true(t.same > 0 && t.told + t.dropped + t.refused > 0);
}

static void
page_is_lost(void **state)
{
	struct original *o = *state;
	uint8_t *copy = malloc(o->n);
	struct tally t = { 0 };
	size_t at;

	assert_non_null(copy);
	for (at = 0; at < o->n; at += PAGE) {
		memcpy(copy, o->bytes, o->n);
		memset(copy + at, at / PAGE % 2 == 0 ? 0 : 0xff, PAGE);
		check_file(o, copy, o->n, &t);
	}
	free(copy);
	print_message("# pages: %u not opened, %u reads failed, %u records "
		      "dropped, %u same\n",
	    t.refused, t.told, t.dropped, t.same);
	assert_true(t.told + t.dropped + t.refused > 0);
}

static void
end_is_missing(void **state)
{
	struct original *o = *state;
	struct tally t = { 0 };
	size_t n;

	for (n = 100; n < o->n; n += PAGE / 2 - 13)
		check_file(o, o->bytes, n, &t);
	print_message("# ends: %u not opened, %u reads failed, %u records "
		      "dropped, %u same\n",
	    t.refused, t.told, t.dropped, t.same);
	assert_true(t.told + t.refused > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_file_is_read),
		cmocka_unit_test(one_bit_is_wrong),
		cmocka_unit_test(page_is_lost),
		cmocka_unit_test(end_is_missing),
	};

	return cmocka_run_group_tests(tests, make_original, free_original);
}
