/*
 * test_conns.c - caps and deadlines of connections
 * SPDX-License-Identifier: Apache-2.0
 *
 * The clock and the peers of sockets are those below.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "alloc.h"
#include "conns.h"

int64_t __wrap_tick_ms(void);
bool __wrap_peer_read(int fd, struct peer *out);

static int64_t now_ms;
static uid_t next_uid;
static bool no_peer;

int64_t
__wrap_tick_ms(void)
{
	return now_ms;
}

bool
__wrap_peer_read(int fd, struct peer *out)
{
	(void)fd;
	*out = (struct peer){ .uid = next_uid, .n_gids = 1 };
	out->gids = no_peer ? NULL : calloc(1, sizeof(*out->gids));
	return out->gids != NULL;
}

static const struct conns_limits few = { 6, 4, 5000 };

static struct conns *
new_conns(void)
{
	struct conns *c = conns_new(&few);

	assert_non_null(c);
	now_ms = 1000;
	next_uid = 7;
	no_peer = false;
	return c;
}

/* Numbers of descriptors are enough as long as nothing is cut. */
static bool
admit_as(struct conns *c, int fd, uid_t uid, enum door door)
{
	next_uid = uid;
	return conns_admit(c, fd, door);
}

/* The value of a figure, such as "cimdd_calls{socket=\"lookup\"}". */
static long
figure(struct conns *c, const char *name)
{
	char *text = NULL;
	const char *at;
	size_t len = 0;
	long value;
	FILE *f = open_memstream(&text, &len);

	assert_non_null(f);
	conns_metrics(c, f);
	assert_int_equal(fclose(f), 0);
	at = strstr(text, name);
	if (at == NULL) {
		fail_msg("no figure %s in %s", name, text);
		return -1;
	}
	assert_int_equal(at[strlen(name)], ' ');
	value = strtol(at + strlen(name), NULL, 10);
	free(text);
	return value;
}

static long
cuts(struct conns *c, const char *reason)
{
	char name[96];

	(void)snprintf(name, sizeof(name),
	    "cimdd_connections_cut_total{reason=\"%s\"}", reason);
	return figure(c, name);
}

static void
one_user_leaves_room_for_others(void **state)
{
	struct conns *c = new_conns();
	int fd;

	(void)state;
	for (fd = 10; fd < 14; fd++)
		assert_true(admit_as(c, fd, 7, DOOR_LOOKUP));
	assert_false(admit_as(c, 14, 7, DOOR_LOOKUP));
	assert_int_equal(cuts(c, "max_connections_uid"), 1);
	assert_true(admit_as(c, 14, 8, DOOR_LOOKUP));
	conns_closed(c, 12);
	assert_true(admit_as(c, 12, 7, DOOR_LOOKUP));
	assert_int_equal(figure(c,
			     "cimdd_connections_total{socket=\"lookup\"}"),
	    6);
	assert_int_equal(figure(c, "cimdd_connections{socket=\"lookup\"}"), 5);
	conns_free(&c);
	assert_null(c);
	conns_free(&c);
}

static void
all_together_have_a_cap(void **state)
{
	struct conns *c = new_conns();
	int fd;

	(void)state;
	for (fd = 10; fd < 16; fd++)
		assert_true(admit_as(c, fd, (uid_t)fd, DOOR_LOOKUP));
	assert_false(admit_as(c, 16, 16, DOOR_LOOKUP));
	assert_int_equal(cuts(c, "max_connections"), 1);
	assert_int_equal(cuts(c, "max_connections_uid"), 0);
	conns_free(&c);
}

/* Administrators get in however many others are there, and the reverse. */
static void
doors_are_counted_apart(void **state)
{
	struct conns *c = new_conns();
	int fd;

	(void)state;
	for (fd = 0; fd < CONNS_ADMIN; fd++)
		assert_true(admit_as(c, 100 + fd, 0, DOOR_ADMIN));
	assert_false(admit_as(c, 200, 0, DOOR_ADMIN));
	for (fd = 0; fd < CONNS_MUX_UID; fd++)
		assert_true(admit_as(c, 300 + fd, 5, DOOR_MUX));
	assert_false(admit_as(c, 900, 5, DOOR_MUX));
	assert_true(admit_as(c, 900, 6, DOOR_MUX));
	for (fd = 10; fd < 14; fd++)
		assert_true(admit_as(c, fd, 0, DOOR_LOOKUP));
	assert_int_equal(figure(c, "cimdd_connections{socket=\"admin\"}"),
	    CONNS_ADMIN);
	conns_free(&c);
}

static void
limits_change_under_way(void **state)
{
	static const struct conns_limits fewer = { 2, 1, 100 };
	struct conns *c = new_conns();
	struct conn *conn;

	(void)state;
	assert_true(admit_as(c, 10, 7, DOOR_LOOKUP));
	assert_true(admit_as(c, 11, 7, DOOR_LOOKUP));
	conns_limit(c, &fewer);
	assert_int_equal(conns_reap(c), 2); /* who is there stays */
	assert_false(admit_as(c, 12, 8, DOOR_LOOKUP));
	conns_closed(c, 10);
	assert_false(admit_as(c, 12, 7, DOOR_LOOKUP));
	assert_true(admit_as(c, 12, 8, DOOR_LOOKUP));
	assert_non_null(conn = conns_served(c, 12));
	assert_int_equal(conn->deadline_ms, 1100);
	conns_free(&c);
}

static void
nobody_without_credentials(void **state)
{
	struct conns *c = new_conns();

	(void)state;
	no_peer = true;
	assert_false(conns_admit(c, 10, DOOR_LOOKUP));
	assert_int_equal(cuts(c, "peer"), 1);
	assert_null(conns_served(c, 10));
	assert_null(conns_served(c, 100000));
	conns_closed(c, 10);
	conns_closed(c, 100000);
	conns_free(&c);
}

/* A socket whose other end notices when it is cut. */
static struct conn *
served_pair(struct conns *c, int pair[2])
{
	struct conn *conn;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_true(conns_admit(c, pair[0], DOOR_LOOKUP));
	assert_non_null(conn = conns_served(c, pair[0]));
	return conn;
}

static void
close_pair(struct conns *c, const int pair[2])
{
	conns_closed(c, pair[0]);
	assert_int_equal(close(pair[0]), 0);
	assert_int_equal(close(pair[1]), 0);
}

static bool
is_cut(const int pair[2])
{
	char byte;

	return recv(pair[1], &byte, 1, MSG_DONTWAIT) == 0;
}

static void
silence_is_cut_at_the_deadline(void **state)
{
	struct conns *c = new_conns();
	int pair[2];

	(void)state;
	(void)served_pair(c, pair);
	now_ms += 4999;
	assert_int_equal(conns_reap(c), 1);
	assert_false(is_cut(pair));
	now_ms++;
	assert_int_equal(conns_reap(c), 1);
	assert_true(is_cut(pair));
	assert_int_equal(conns_reap(c), 1);
	assert_int_equal(cuts(c, "deadline"), 1); /* once */
	close_pair(c, pair);
	assert_int_equal(conns_reap(c), 0);
	conns_free(&c);
}

static void
request_line_buys_no_time(void **state)
{
	struct conns *c = new_conns();
	struct conn *conn;
	int pair[2];

	(void)state;
	conn = served_pair(c, pair);
	now_ms += 4000;
	conns_request(c, conn);
	assert_int_equal(conn->deadline_ms, 6000);
	conns_call(c, conn);
	assert_int_equal(conn->deadline_ms, 0);
	now_ms += 100000;
	assert_int_equal(conns_reap(c), 1);
	assert_false(is_cut(pair)); /* a call takes what it takes */
	conns_answer(c, conn);
	assert_int_equal(conn->deadline_ms, now_ms + 5000);
	conns_idle(c, conn);
	assert_int_equal(conn->deadline_ms, now_ms + CONNS_IDLE_MS);
	now_ms += 100;
	conns_request(c, conn);
	assert_int_equal(conn->deadline_ms, now_ms + 5000);
	close_pair(c, pair);
	conns_free(&c);
}

static void
hanging_call_is_noticed(void **state)
{
	struct conns *c = new_conns();
	struct conn *conn;
	int pair[2];

	(void)state;
	conn = served_pair(c, pair);
	assert_false(conns_stuck(c));
	conns_call(c, conn);
	assert_int_equal(figure(c, "cimdd_calls{socket=\"lookup\"}"), 1);
	now_ms += CONNS_STUCK_MS;
	assert_false(conns_stuck(c));
	now_ms++;
	assert_true(conns_stuck(c));
	conns_answer(c, conn);
	assert_false(conns_stuck(c));
	assert_int_equal(figure(c, "cimdd_calls{socket=\"lookup\"}"), 0);
	now_ms += CONNS_LIFE_MS - CONNS_STUCK_MS - 1;
	assert_false(conns_is_old(conn));
	now_ms++;
	assert_true(conns_is_old(conn));
	close_pair(c, pair);
	conns_free(&c);
}

/* Its thread had no memory: the kernel gives its number to the next one. */
static void
unserved_ones_are_forgotten(void **state)
{
	struct conns *c = new_conns();
	int i;

	(void)state;
	for (i = 0; i < 20; i++)
		assert_true(admit_as(c, 10, 7, DOOR_LOOKUP));
	assert_int_equal(conns_reap(c), 1);
	now_ms += 5000;
	(void)conns_reap(c);
	assert_int_equal(conns_reap(c), 0);
	assert_null(conns_served(c, 10));
	assert_int_equal(cuts(c, "deadline"), 0);
	conns_free(&c);
}

static bool
admit_once(void *ctx)
{
	struct conns *c = conns_new(&few);
	bool good = false;

	(void)ctx;
	if (c != NULL)
		good = conns_admit(c, 50, DOOR_LOOKUP);
	conns_free(&c);
	return good;
}

static void
survives_no_memory(void **state)
{
	(void)state;
	no_peer = false;
	assert_int_equal(alloc_sweep(admit_once, NULL), 4);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_user_leaves_room_for_others),
		cmocka_unit_test(all_together_have_a_cap),
		cmocka_unit_test(doors_are_counted_apart),
		cmocka_unit_test(limits_change_under_way),
		cmocka_unit_test(nobody_without_credentials),
		cmocka_unit_test(silence_is_cut_at_the_deadline),
		cmocka_unit_test(request_line_buys_no_time),
		cmocka_unit_test(hanging_call_is_noticed),
		cmocka_unit_test(unserved_ones_are_forgotten),
		cmocka_unit_test(survives_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
