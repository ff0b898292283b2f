/*
 * test_entry.c - entries: counted references, yardsticks
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
	assert_null(e->word.approved);
	assert_null(e->word.served);
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
	e->word.approved = client_ref(e->live);
	e->word.served = client_ref(e->live);
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

/* A record with these redirect URIs, one to three. */
static struct cimd_client *
record(const char *const *redirects, size_t n)
{
	static struct client_fields f;
	struct cimd_client *c = NULL;
	size_t i;

	f = (struct client_fields){ .methods = METHOD_NONE,
		.grants = GRANT_AUTHORIZATION_CODE,
		.response_code = true };
	f.text[CLIENT_ID] = span_of("https://a.example/c");
	f.n_redirects = n;
	for (i = 0; i < n; i++)
		f.redirect[i].uri = span_of(redirects[i]);
	assert_int_equal(client_build(&f, &c, NULL), CIMD_OK);
	return c;
}

static const char *const uris[] = { "https://a.example/1",
	"https://a.example/2", "https://a.example/3" };

static void
equal_records_wait_for_nothing(void **state)
{
	struct entry *e = entry_new(span_of("https://a.example/c"));

	(void)state;
	assert_non_null(e);
	assert_int_equal(entry_derive(e, NULL), CIMD_OK);
	assert_false(e->word.update_waits);
	e->live = record(uris, 2);
	assert_int_equal(entry_derive(e, NULL), CIMD_OK);
	assert_false(e->word.update_waits);
	e->word.approved = record(uris, 2);
	assert_int_equal(entry_derive(e, NULL), CIMD_OK);
	assert_false(e->word.update_waits);
	assert_null(e->word.served);
	cimd_client_free(&e->live);
	assert_int_equal(entry_derive(e, NULL), CIMD_OK);
	assert_false(e->word.update_waits);
	entry_free(&e);
}

/* What live no longer has is not served, what it has anew neither. */
static void
serves_what_both_have(void **state)
{
	struct entry *e = entry_new(span_of("https://a.example/c"));

	(void)state;
	assert_non_null(e);
	e->word.approved = record(uris, 2);
	e->live = record(uris + 1, 2);
	assert_int_equal(entry_derive(e, NULL), CIMD_OK);
	assert_true(e->word.update_waits);
	assert_int_equal(cimd_client_redirects(e->word.served), 1);
	assert_string_equal(cimd_client_redirect(e->word.served, 0), uris[1]);
	cimd_client_free(&e->live);
	e->live = record(uris + 2, 1);
	assert_int_equal(entry_derive(e, NULL), CIMD_OK);
	assert_true(e->word.update_waits);
	assert_null(e->word.served);
	cimd_client_free(&e->live);
	e->live = record(uris, 2);
	assert_int_equal(entry_derive(e, NULL), CIMD_OK);
	assert_false(e->word.update_waits);
	entry_free(&e);
}

static const struct yardstick *
of(const struct entry *e, const char *tenant)
{
	const struct yardstick *y = entry_yardstick(e, tenant);

	assert_non_null(y);
	return y;
}

static void
add(struct entry *e, const char *tenant, size_t n)
{
	struct cimd_client *c = record(uris, n);

	assert_true(entry_add_baseline(e, span_of(tenant), c));
	cimd_client_free(&c);
}

/* Each tenant is measured by what it saw first; equal records are shared. */
static void
tenants_have_their_own(void **state)
{
	struct entry *e = entry_new(span_of("https://a.example/c"));

	(void)state;
	assert_non_null(e);
	assert_null(entry_yardstick(e, ""));
	assert_null(entry_shown(e));
	assert_false(entry_update_waits(e));
	e->live = record(uris, 2);
	add(e, "idp/one", 2);
	add(e, "idp/two", 1);
	add(e, "idp/three", 2);
	assert_int_equal(e->n_first, 2);
	assert_ptr_equal(e->first[0].approved, e->live);
	assert_int_equal(entry_derive(e, NULL), CIMD_OK);
	assert_false(of(e, "idp/one")->update_waits);
	assert_true(of(e, "idp/two")->update_waits);
	assert_int_equal(cimd_client_redirects(of(e, "idp/two")->served), 1);
	assert_ptr_equal(of(e, "idp/one"), of(e, "idp/three"));
	assert_null(entry_yardstick(e, "idp/on"));
	assert_null(entry_yardstick(e, ""));
	assert_true(entry_update_waits(e));
	assert_ptr_equal(entry_shown(e), of(e, "idp/two"));
	add(e, "", 2);
	assert_ptr_equal(entry_shown(e), of(e, ""));
	e->word.approved = record(uris, 2);
	assert_ptr_equal(of(e, "idp/two"), &e->word);
	assert_ptr_equal(entry_shown(e), &e->word);
	entry_free(&e);
}

static void
any_yardstick_is_shown(void **state)
{
	struct entry *e = entry_new(span_of("https://a.example/c"));

	(void)state;
	assert_non_null(e);
	add(e, "idp/one", 2);
	add(e, "idp/two", 1);
	assert_int_equal(entry_derive(e, NULL), CIMD_OK);
	assert_false(entry_update_waits(e));
	assert_ptr_equal(entry_shown(e), &e->first[0]);
	entry_free(&e);
}

static void
takes_what_is_not_of_the_document(void **state)
{
	struct entry *e = entry_new(span_of("https://a.example/c"));
	struct entry *old = entry_new(span_of("https://a.example/c"));
	size_t bytes;

	(void)state;
	assert_non_null(e);
	assert_non_null(old);
	add(old, "idp/one", 1);
	add(old, "", 2);
	old->governance = GOVERN_BLOCKED;
	old->first_seen = 7;
	old->word.approved = record(uris, 3);
	old->live = record(uris, 3);
	e->kept = true;
	bytes = entry_bytes(e);
	assert_true(entry_inherit(e, old));
	assert_true(entry_bytes(e) > bytes + client_bytes(old->live).n);
	assert_true(e->kept);
	assert_int_equal(e->governance, GOVERN_BLOCKED);
	assert_int_equal(e->first_seen, 7);
	assert_ptr_equal(e->word.approved, old->word.approved);
	assert_null(e->live);
	assert_int_equal(e->n_baselines, 2);
	assert_string_equal(e->baseline[1].tenant, "");
	assert_ptr_equal(e->first[1].approved, old->first[1].approved);
	entry_free(&old);
	entry_free(&e);
}

static bool
inherit(void *ctx)
{
	struct entry *e = entry_new(span_of("https://a.example/c"));
	bool done = e != NULL && entry_inherit(e, ctx);

	entry_free(&e);
	return done;
}

static void
inherits_with_little_memory(void **state)
{
	struct entry *old = entry_new(span_of("https://a.example/c"));

	(void)state;
	assert_non_null(old);
	add(old, "idp/one", 1);
	add(old, "", 2);
	assert_true(alloc_sweep(inherit, old) >= 8);
	entry_free(&old);
}

static bool
derive(void *ctx)
{
	struct entry *e = ctx;
	struct cimd_error err = { 0 };
	enum cimd_err code = entry_derive(e, &err);

	if (code != CIMD_OK)
		assert_int_equal(err.code, CIMD_E_NO_MEMORY);
	return code == CIMD_OK;
}

static void
derives_with_little_memory(void **state)
{
	struct entry *e = entry_new(span_of("https://a.example/c"));

	(void)state;
	assert_non_null(e);
	e->word.approved = record(uris, 2);
	e->live = record(uris + 1, 2);
	assert_true(alloc_sweep(derive, e) > 0);
	assert_non_null(e->word.served);
	entry_free(&e);
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
		cmocka_unit_test(equal_records_wait_for_nothing),
		cmocka_unit_test(serves_what_both_have),
		cmocka_unit_test(tenants_have_their_own),
		cmocka_unit_test(any_yardstick_is_shown),
		cmocka_unit_test(takes_what_is_not_of_the_document),
		cmocka_unit_test(inherits_with_little_memory),
		cmocka_unit_test(derives_with_little_memory),
		cmocka_unit_test(survives_lack_of_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
