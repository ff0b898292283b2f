/*
 * test_dns.c - names to addresses, by a name server of our own
 * SPDX-License-Identifier: Apache-2.0
 *
 * The server runs in a thread, on a port of 127.0.0.1.  The first label of a
 * name says what it answers: "a2" two A records, "b1" one AAAA record, "a1b3"
 * both; other families have no data.  "sN" in it is SERVFAIL, "nN" NXDOMAIN
 * and "dN" silence for A (N = 4) or AAAA (6).
 */

#include <dirent.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "clock.h"
#include "dns.h"

enum {
	TYPE_A = 1,
	TYPE_AAAA = 28,
	HEADER = 12,
	GOOD_MS = CIMD_LOOKUP_MS, /* the most there is, for what is answered */
	SLACK_MS = 3000, /* of a busy machine; all of it were GOOD_MS */
};

struct server {
	int fd;
	pthread_t thread;
	char servers[64];
	pthread_mutex_t lock;
	char names[4096]; /* all that were asked for, each with a space */
};

struct question {
	char label[64], name[256];
	unsigned int type;
	size_t end; /* offset behind it */
};

/* The name and type of the query in buf. */
static bool
read_question(const unsigned char *buf, size_t len, struct question *q)
{
	size_t at = HEADER, o = 0;

	while (at < len && buf[at] != 0) {
		size_t n = buf[at++];

		if (at + n >= len || o + n + 2 > sizeof(q->name))
			return false;
		memcpy(q->name + o, buf + at, n);
		o += n;
		q->name[o++] = '.';
		at += n;
	}
	if (at + 5 > len || o == 0)
		return false;
	q->name[o - 1] = '\0';
	(void)snprintf(q->label, sizeof(q->label), "%.*s",
	    (int)strcspn(q->name, "."), q->name);
	q->type = (unsigned int)buf[at + 1] << 8 | buf[at + 2];
	q->end = at + 5;
	return true;
}

/* The number behind the letter in the label; 0: none. */
static unsigned int
count_of(const char *label, char letter)
{
	const char *p = strchr(label, letter);

	return p == NULL ? 0 : (unsigned int)strtoul(p + 1, NULL, 10);
}

/* One record, its name a pointer to the question's. */
static size_t
put_record(unsigned char *out, unsigned int type, unsigned int i)
{
	static const unsigned char v4[] = { 93, 184, 216, 0 };
	static const unsigned char v6[16] = { 0x26, 0x06, 0x28 };
	size_t n = type == TYPE_A ? 4 : 16;

	memset(out, 0, 12);
	out[0] = 0xc0;
	out[1] = HEADER;
	out[3] = (unsigned char)type;
	out[5] = 1;
	out[11] = (unsigned char)n;
	memcpy(out + 12, type == TYPE_A ? v4 : v6, n);
	out[12 + n - 1] = (unsigned char)(i + 1);
	return 12 + n;
}

/* Turn the query in buf into its answer; 0: silence. */
static size_t
answer(unsigned char *buf, const struct question *q)
{
	unsigned int family = q->type == TYPE_A ? 4 : 6;
	unsigned int i, n, rcode = 0;
	size_t len = q->end;

	if (count_of(q->label, 'd') == family)
		return 0;
	if (count_of(q->label, 's') == family)
		rcode = 2;
	if (count_of(q->label, 'n') == family)
		rcode = 3;
	n = rcode != 0 ? 0 : count_of(q->label, family == 4 ? 'a' : 'b');
	buf[2] = 0x81;
	buf[3] = (unsigned char)(0x80 | rcode);
	memset(buf + 4, 0, HEADER - 4);
	buf[5] = 1;
	buf[7] = (unsigned char)n;
	for (i = 0; i < n; i++)
		len += put_record(buf + len, q->type, i);
	return len;
}

static void
note(struct server *s, const char *name)
{
	size_t used;

	(void)pthread_mutex_lock(&s->lock);
	used = strlen(s->names);
	(void)snprintf(s->names + used, sizeof(s->names) - used, "%s ", name);
	(void)pthread_mutex_unlock(&s->lock);
}

/* Was a name with this in it asked for? */
static bool
was_asked(struct server *s, const char *part)
{
	bool found;

	(void)pthread_mutex_lock(&s->lock);
	found = strstr(s->names, part) != NULL;
	(void)pthread_mutex_unlock(&s->lock);
	return found;
}

static void *
serve(void *arg)
{
	struct server *s = arg;
	unsigned char buf[2048];
	struct sockaddr_in peer;
	socklen_t peer_len = sizeof(peer);
	struct question q = { 0 };
	ssize_t got;
	size_t n;

	for (;;) {
		got = recvfrom(s->fd, buf, sizeof(buf), 0,
		    (struct sockaddr *)&peer, &peer_len);
		if (got < HEADER || !read_question(buf, (size_t)got, &q))
			return NULL;
		note(s, q.name);
		n = answer(buf, &q);
		if (n > 0)
			(void)sendto(s->fd, buf, n, 0, (struct sockaddr *)&peer,
			    peer_len);
	}
}

/* A socket on a free port of 127.0.0.1; where: for name servers. */
static int
open_port(char *where, size_t size)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
		.sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(sin);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	assert_int_not_equal(fd, -1);
	assert_int_equal(bind(fd, (struct sockaddr *)&sin, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sin, &len), 0);
	(void)snprintf(where, size, "127.0.0.1:%u", ntohs(sin.sin_port));
	return fd;
}

static int
setup(void **state)
{
	struct server *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	assert_int_equal(pthread_mutex_init(&s->lock, NULL), 0);
	s->fd = open_port(s->servers, sizeof(s->servers));
	assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
	*state = s;
	return 0;
}

static int
teardown(void **state)
{
	struct server *s = *state;

	(void)shutdown(s->fd, SHUT_RDWR); /* wakes recvfrom() */
	assert_int_equal(pthread_join(s->thread, NULL), 0);
	(void)close(s->fd);
	(void)pthread_mutex_destroy(&s->lock);
	free(s);
	return 0;
}

struct result {
	enum cimd_err e;
	struct cimd_error err;
	struct dns_addresses found;
	int64_t took_ms;
};

static struct result
resolve(const char *host, const char *servers, int64_t ms)
{
	struct result r = { 0 };
	int64_t start = clock_ms();

	r.e = dns_resolve(span_of(host), servers, start + ms, &r.found, &r.err);
	r.took_ms = clock_ms() - start;
	assert_int_equal(r.e, r.err.code);
	if (r.e == CIMD_OK)
		assert_in_range(r.found.n, 1, CIMD_MAX_ADDRESSES);
	return r;
}

static unsigned int
entries(const char *folder)
{
	DIR *d = opendir(folder);
	unsigned int n = 0;

	assert_non_null(d);
	while (readdir(d) != NULL)
		n++;
	(void)closedir(d);
	return n;
}

/* Is this address among those found? */
static bool
has(const struct result *r, const char *text)
{
	struct netaddr a;
	size_t i;

	assert_true(netaddr_parse(span_of(text), &a));
	for (i = 0; i < r->found.n; i++)
		if (memcmp(&r->found.addr[i], &a, sizeof(a)) == 0)
			return true;
	return false;
}

static void
literals_are_not_asked_for(void **state)
{
	struct server *s = *state;
	struct result r;

	r = resolve("192.0.2.7", s->servers, 0);
	assert_int_equal(r.e, CIMD_OK);
	assert_int_equal(r.found.n, 1);
	assert_true(has(&r, "192.0.2.7"));
	r = resolve("[2001:db8::7]", s->servers, 0);
	assert_int_equal(r.e, CIMD_OK);
	assert_true(has(&r, "2001:db8::7"));
	assert_false(was_asked(s, "."));
}

static void
finds_all_addresses(void **state)
{
	struct server *s = *state;
	struct result r;

	r = resolve("a2b3.example.net", s->servers, GOOD_MS);
	assert_int_equal(r.e, CIMD_OK);
	assert_int_equal(r.found.n, 5);
	assert_true(has(&r, "93.184.216.1"));
	assert_true(has(&r, "93.184.216.2"));
	assert_true(has(&r, "2606:2800::1"));
	assert_true(has(&r, "2606:2800::3"));
}

static void
one_family_is_enough(void **state)
{
	struct server *s = *state;
	struct result r;

	r = resolve("a1.example.net", s->servers, GOOD_MS);
	assert_int_equal(r.e, CIMD_OK);
	assert_int_equal(r.found.n, 1);
	r = resolve("b32.example.net", s->servers, GOOD_MS);
	assert_int_equal(r.e, CIMD_OK);
	assert_int_equal(r.found.n, 32);
}

static void
too_many_fail(void **state)
{
	struct server *s = *state;
	struct result r;

	r = resolve("a33.example.net", s->servers, GOOD_MS);
	assert_int_equal(r.e, CIMD_E_DNS);
	assert_non_null(strstr(r.err.text, "more than 32 addresses"));
	r = resolve("a16b17.example.net", s->servers, GOOD_MS);
	assert_int_equal(r.e, CIMD_E_DNS);
}

static void
no_address_fails(void **state)
{
	struct server *s = *state;
	struct result r;

	r = resolve("none.example.net", s->servers, GOOD_MS);
	assert_int_equal(r.e, CIMD_E_DNS);
	assert_non_null(strstr(r.err.text, "no address"));
	r = resolve("n4n6.example.net", s->servers, GOOD_MS);
	assert_int_equal(r.e, CIMD_E_DNS);
	assert_non_null(strstr(r.err.text, "n4n6.example.net"));
	assert_string_equal(r.err.section, "5");
}

/* An answer for one family is no answer for both. */
static void
half_a_failure_fails(void **state)
{
	static const char *const names[] = { "a1s6", "s4b1", "a1n6", "n4b1" };
	struct server *s = *state;
	struct result r;
	char host[64];
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(host, sizeof(host), "%s.example.net", names[i]);
		r = resolve(host, s->servers, GOOD_MS);
		assert_int_equal(r.e, CIMD_E_DNS);
	}
	r = resolve("a1d6.example.net", s->servers, 200);
	assert_int_equal(r.e, CIMD_E_TIMEOUT);
	r = resolve("d4b1.example.net", s->servers, 200);
	assert_int_equal(r.e, CIMD_E_TIMEOUT);
}

static void
silence_ends_at_the_deadline(void **state)
{
	struct server *s = *state;
	unsigned int fds = entries("/proc/self/fd");
	unsigned int tasks = entries("/proc/self/task");
	struct result r;
	int i;

	for (i = 0; i < 5; i++) {
		r = resolve("d4d6.example.net", s->servers, 250);
		assert_int_equal(r.e, CIMD_E_TIMEOUT);
		assert_in_range(r.took_ms, 249, 250 + SLACK_MS);
	}
	assert_int_equal(entries("/proc/self/fd"), fds);
	assert_int_equal(entries("/proc/self/task"), tasks);
	r = resolve("d4d6.example.net", s->servers, 0);
	assert_int_equal(r.e, CIMD_E_TIMEOUT);
	assert_in_range(r.took_ms, 0, SLACK_MS);
}

static void
nobody_listens(void **state)
{
	char servers[64];
	struct result r;

	(void)state;
	(void)close(open_port(servers, sizeof(servers)));
	r = resolve("a1.example.net", servers, 500);
	assert_int_equal(cimd_err_class(r.e), CIMD_UNAVAILABLE);
	assert_in_range(r.took_ms, 0, 500 + SLACK_MS);
}

/* A second server answers when the first is silent. */
static void
asks_the_next_server(void **state)
{
	struct server *s = *state;
	char servers[192], silent[64];
	int fd = open_port(silent, sizeof(silent));
	struct result r;

	(void)snprintf(servers, sizeof(servers), "%s,%s", silent, s->servers);
	r = resolve("a1.example.net", servers, GOOD_MS);
	assert_int_equal(r.e, CIMD_OK);
	assert_int_equal(r.found.n, 1);
	(void)close(fd);
}

/* Search domains and the like would ask for another name. */
static void
the_name_stays(void **state)
{
	struct server *s = *state;
	struct result r;

	assert_int_equal(setenv("LOCALDOMAIN", "corp.example.com", 1), 0);
	assert_int_equal(setenv("RES_OPTIONS", "ndots:9", 1), 0);
	r = resolve("n4n6.example.net", s->servers, GOOD_MS);
	assert_int_equal(r.e, CIMD_E_DNS);
	assert_false(was_asked(s, "corp"));
	assert_true(was_asked(s, "n4n6.example.net "));
	assert_int_equal(unsetenv("LOCALDOMAIN"), 0);
	assert_int_equal(unsetenv("RES_OPTIONS"), 0);
}

static void
refuses_what_is_no_name(void **state)
{
	struct server *s = *state;
	static const char *const names[] = { "", "a b", "::1", "[192.0.2.1]",
		"a_b.example.net" };
	struct result r;
	char name[256];
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		r = resolve(names[i], s->servers, 500);
		assert_int_equal(r.e, CIMD_E_DNS);
	}
	memset(name, 'a', sizeof(name));
	name[254] = '\0';
	r = resolve(name, s->servers, 500);
	assert_int_equal(r.e, CIMD_E_DNS);
	r.e = dns_resolve((struct span){ "a\0b", 3 }, s->servers,
	    clock_ms() + 500, &r.found, &r.err);
	assert_int_equal(r.e, CIMD_E_DNS);
	assert_false(was_asked(s, "192.0.2.1"));
}

static void
lists_of_servers(void **state)
{
	static const char *const good[] = { "192.0.2.1", "192.0.2.1:53",
		"2001:db8::1", "[2001:db8::1]", "[2001:db8::1]:65535",
		"192.0.2.1,2001:db8::1,[::1]:1" };
	static const char *const bad[] = { "", ",", "192.0.2.1,", "192.0.2",
		"192.0.2.1:", "192.0.2.1:0", "192.0.2.1:65536",
		"192.0.2.1:100000", "192.0.2.1:5x", "192.0.2.1 ",
		"[2001:db8::1", "[192.0.2.1]", "[2001:db8::1]53", "dns.example",
		"localhost:53", "192.0.2.1, 192.0.2.2", "[]", "[" };
	struct cimd_error err;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (dns_check_servers(good[i], &err) != CIMD_OK)
			fail_msg("\"%s\": %s", good[i], err.text);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (dns_check_servers(bad[i], &err) != CIMD_E_CONFIG)
			fail_msg("\"%s\" is no list of servers", bad[i]);
	assert_string_equal(err.section, "policy");
	assert_non_null(strstr(err.text, "name server"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(literals_are_not_asked_for),
		cmocka_unit_test(finds_all_addresses),
		cmocka_unit_test(one_family_is_enough),
		cmocka_unit_test(too_many_fail),
		cmocka_unit_test(no_address_fails),
		cmocka_unit_test(half_a_failure_fails),
		cmocka_unit_test(silence_ends_at_the_deadline),
		cmocka_unit_test(nobody_listens),
		cmocka_unit_test(asks_the_next_server),
		cmocka_unit_test(the_name_stays),
		cmocka_unit_test(refuses_what_is_no_name),
		cmocka_unit_test(lists_of_servers),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
