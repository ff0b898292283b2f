/*
 * test_store_baseline.c - what each tenant saw first
 * SPDX-License-Identifier: Apache-2.0
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "box.h"
#include "store_int.h"

static const char a[] = "https://a.example/c";

static enum cimd_err
govern(struct box *b, enum governance governance,
    const struct cimd_client *approved)
{
	return store_govern(b->s, span_of(a), governance, approved, BOX_NOW,
	    NULL);
}

static enum cimd_err
baseline(struct box *b, const char *tenant, size_t name_len)
{
	struct cimd_client *first = box_record(a, name_len);
	enum cimd_err code = store_baseline(b->s, tenant, first, NULL);

	cimd_client_free(&first);
	return code;
}

/* The length of the name that a tenant saw first; 0: it has no yardstick. */
static size_t
yardstick_of(struct box *b, const char *tenant)
{
	struct entry *e = box_read(b, a);
	const struct yardstick *y = entry_yardstick(e, tenant);
	size_t len = 0;

	if (y != NULL)
		len = strlen(cimd_client_get(y->approved, "client_name"));
	entry_free(&e);
	return len;
}

/* The first stays; an administrator's word takes the place of all. */
static void
tenants_have_their_own(void **state)
{
	struct cimd_client *approved = box_record(a, 9);
	struct box b;

	(void)state;
	box_open(&b, NULL);
	assert_int_equal(baseline(&b, "", 5), CIMD_OK);
	assert_null(box_read(&b, a)); /* nothing is stored about it */
	box_put(&b, a, false, 10, BOX_NOW);
	assert_int_equal(baseline(&b, "idp/one", 5), CIMD_OK);
	assert_int_equal(baseline(&b, "idp/two", 6), CIMD_OK);
	assert_int_equal(baseline(&b, "idp/one", 7), CIMD_OK);
	box_reopen(&b);
	assert_int_equal(yardstick_of(&b, "idp/one"), 5);
	assert_int_equal(yardstick_of(&b, "idp/two"), 6);
	assert_int_equal(yardstick_of(&b, ""), 0);
	assert_int_equal(box_number(&b,
			     "SELECT size - (SELECT sum(length(record))"
			     " FROM baseline) - length(live)"
			     " FROM client JOIN document"),
	    0);
	assert_int_equal(store_withdraw(b.s, span_of(a), NULL), CIMD_OK);
	assert_int_equal(store_sweep(b.s, BOX_NOW, NULL), CIMD_OK);
	assert_int_equal(yardstick_of(&b, "idp/one"), 5);
	assert_int_equal(govern(&b, GOVERN_BLOCKED, NULL), CIMD_OK);
	assert_int_equal(baseline(&b, "", 8), CIMD_OK);
	assert_int_equal(yardstick_of(&b, ""), 0);
	assert_int_equal(yardstick_of(&b, "idp/two"), 6);
	assert_int_equal(govern(&b, GOVERN_APPROVED, approved), CIMD_OK);
	assert_int_equal(baseline(&b, "idp/three", 8), CIMD_OK);
	assert_int_equal(yardstick_of(&b, "idp/two"), 9);
	assert_int_equal(box_number(&b,
			     "SELECT baselines + (SELECT count(*) FROM"
			     " baseline) FROM client"),
	    0);
	assert_int_equal(box_number(&b,
			     "SELECT size - length(approved) FROM client"),
	    0);
	cimd_client_free(&approved);
	box_close(&b);
}

enum {
	SHARE = STORE_MAX_BASELINES / 2 /* of one consumer alone */
};

/* Then an administrator has to decide; nobody loses what he has. */
static void
tenants_are_bounded(void **state)
{
	struct cimd_client *first = box_record(a, 5);
	struct cimd_error err = { 0 };
	char tenant[32];
	struct box b;
	int i;

	(void)state;
	box_open(&b, NULL);
	box_put(&b, a, true, 10, BOX_NOW);
	assert_int_equal(SHARE, 256);
	for (i = 0; i < SHARE; i++) {
		(void)snprintf(tenant, sizeof(tenant), "idp/%d", i);
		assert_int_equal(baseline(&b, tenant, 5), CIMD_OK);
	}
	assert_int_equal(store_baseline(b.s, "idp/more", first, &err),
	    CIMD_E_PENDING);
	assert_string_equal(err.text,
	    "no place is left for one more tenant that holds this client to "
	    "a document of its own; an administrator has to approve one for "
	    "all");
	assert_int_equal(baseline(&b, "idp/7", 5), CIMD_OK);
	assert_int_equal(yardstick_of(&b, "idp/7"), 5);
	assert_int_equal(yardstick_of(&b, "idp/more"), 0);
	cimd_client_free(&first);
	box_close(&b);
}

/* How many tenants of the consumer get a place. */
static int
places_of(struct box *b, const char *consumer)
{
	char tenant[32];
	int i;

	for (i = 0; i <= STORE_MAX_BASELINES; i++) {
		(void)snprintf(tenant, sizeof(tenant), "%s/%d", consumer, i);
		if (baseline(b, tenant, 5) != CIMD_OK)
			break;
	}
	return i;
}

/* A consumer that makes up tenants leaves places for those of others. */
static void
one_consumer_starves_no_other(void **state)
{
	struct box b;

	(void)state;
	box_open(&b, NULL);
	box_put(&b, a, true, 10, BOX_NOW);
	assert_int_equal(places_of(&b, "idp"), SHARE);
	assert_int_equal(places_of(&b, "idp2"), SHARE / 2);
	assert_int_equal(places_of(&b, ""), SHARE / 4);
	assert_int_equal(baseline(&b, "", 5), CIMD_OK);
	assert_int_equal(yardstick_of(&b, ""), 5);
	assert_int_equal(baseline(&b, "mail/one", 5), CIMD_OK);
	assert_int_equal(yardstick_of(&b, "mail/one"), 5);
	box_close(&b);
}

/* A block is all that is left; without one, nothing is. */
static void
forgetting_takes_them(void **state)
{
	struct box b;

	(void)state;
	box_open(&b, NULL);
	box_put(&b, a, true, 10, BOX_NOW);
	assert_int_equal(baseline(&b, "idp/one", 5), CIMD_OK);
	assert_int_equal(govern(&b, GOVERN_BLOCKED, NULL), CIMD_OK);
	assert_int_equal(yardstick_of(&b, "idp/one"), 5);
	assert_int_equal(store_forget(b.s, span_of(a), NULL), CIMD_OK);
	assert_int_equal(yardstick_of(&b, "idp/one"), 0);
	assert_int_equal(box_number(&b, "SELECT count(*) FROM baseline"), 0);
	assert_int_equal(govern(&b, GOVERN_NONE, NULL), CIMD_OK);
	box_put(&b, a, true, 10, BOX_NOW);
	assert_int_equal(baseline(&b, "idp/one", 6), CIMD_OK);
	assert_int_equal(store_forget(b.s, span_of(a), NULL), CIMD_OK);
	assert_int_equal(box_number(&b, "SELECT count(*) FROM baseline"), 0);
	box_close(&b);
}

/* Nobody knows which tenant a damaged or lost baseline was of. */
static void
damaged_baseline_fails(void **state)
{
	static const char *const damage[] = {
		"UPDATE client SET baselines = 0",
		"UPDATE client SET baselines = 3",
		"DELETE FROM baseline WHERE tenant = 'idp/one'",
		"UPDATE baseline SET tenant = 'idp/x' WHERE tenant = ''",
		"UPDATE baseline SET sum = sum + 1",
		"UPDATE baseline SET record = x'00'",
	};
	struct cimd_client *first = box_record(a, 10);
	struct cimd_error err = { 0 };
	struct entry *e = NULL;
	struct box b;
	size_t i;

	(void)state;
	box_open(&b, NULL);
	for (i = 0; i < sizeof(damage) / sizeof(damage[0]); i++) {
		box_put(&b, a, true, 10, BOX_NOW);
		assert_int_equal(store_baseline(b.s, "", first, NULL), CIMD_OK);
		assert_int_equal(store_baseline(b.s, "idp/one", first, NULL),
		    CIMD_OK);
		e = box_read(&b, a);
		assert_int_equal(e->n_baselines, 2);
		entry_free(&e);
		box_sql(&b, damage[i]);
		assert_int_equal(store_read(b.s, span_of(a), &e, &err),
		    CIMD_E_STORE);
		assert_null(e);
		assert_string_equal(err.text,
		    "cimd.db: what is stored about "
		    "this client is damaged");
		assert_int_equal(store_forget(b.s, span_of(a), NULL), CIMD_OK);
	}
	cimd_client_free(&first);
	box_close(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tenants_have_their_own),
		cmocka_unit_test(tenants_are_bounded),
		cmocka_unit_test(one_consumer_starves_no_other),
		cmocka_unit_test(forgetting_takes_them),
		cmocka_unit_test(damaged_baseline_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
