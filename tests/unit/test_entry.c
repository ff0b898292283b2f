/*
 * test_entry.c - entries: counted references
 * SPDX-License-Identifier: Apache-2.0
 */

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "alloc.h"
#include "entry.h"

static void
starts_out_empty(void **state)
{
	struct entry *e =
	    entry_new((struct span){ "https://a.example/cX", 19 });

	(void)state;
	assert_non_null(e);
	assert_string_equal(e->client_id, "https://a.example/c");
	assert_int_equal(e->governance, GOVERN_NONE);
	assert_null(e->live);
	assert_null(e->approved);
	assert_null(e->served);
	assert_false(e->kept);
	entry_free(&e);
	assert_null(e);
	entry_free(&e);
}

/* What an entry holds goes with its last reference. */
static void
last_reference_frees(void **state)
{
	static struct client_fields f;
	struct entry *e = entry_new(span_of("https://a.example/c")), *more;

	(void)state;
	assert_non_null(e);
	f.text[CLIENT_ID] = span_of("https://a.example/c");
	assert_int_equal(client_build(&f, &e->live, NULL), CIMD_OK);
	e->approved = client_ref(e->live);
	e->served = client_ref(e->live);
	more = entry_ref(e);
	assert_ptr_equal(more, e);
	entry_free(&e);
	assert_null(e);
	assert_string_equal(cimd_client_id(more->live), more->client_id);
	entry_free(&more);
}

static void *
ref_often(void *arg)
{
	struct entry *e = arg, *mine;
	int i;

	for (i = 0; i < 10000; i++) {
		mine = entry_ref(e);
		entry_free(&mine);
	}
	entry_free(&e);
	return NULL;
}

static void
threads_share(void **state)
{
	struct entry *e = entry_new(span_of("https://a.example/c"));
	pthread_t thread[4];
	size_t i;

	(void)state;
	assert_non_null(e);
	for (i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, ref_often,
				     entry_ref(e)),
		    0);
	entry_free(&e);
	for (i = 0; i < 4; i++)
		assert_int_equal(pthread_join(thread[i], NULL), 0);
}

static bool
make_and_free(void *ctx)
{
	struct entry *e = entry_new(span_of("https://a.example/c"));
	bool made = e != NULL;

	(void)ctx;
	entry_free(&e);
	return made;
}

static void
survives_lack_of_memory(void **state)
{
	(void)state;
	assert_int_equal(alloc_sweep(make_and_free, NULL), 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(starts_out_empty),
		cmocka_unit_test(last_reference_frees),
		cmocka_unit_test(threads_share),
		cmocka_unit_test(survives_lack_of_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
