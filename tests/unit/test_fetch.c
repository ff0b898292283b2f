/*
 * test_fetch.c - settings of a fetcher, refusals without a network, sessions
 * SPDX-License-Identifier: Apache-2.0
 *
 * What needs a server is in tests/server and tests/net.
 */

#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "clock.h"
#include "fetch_int.h"

static void
expect_config(const struct fetch_settings *s, const char *text)
{
	struct cimd_error err = { 0 };
	struct fetcher *f = NULL;

	assert_int_equal(fetcher_new(s, &f, &err), CIMD_E_CONFIG);
	assert_null(f);
	assert_string_equal(err.section, "policy");
	if (strstr(err.text, text) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", text, err.text);
}

static void
checks_settings(void **state)
{
	static const char *const proxies[] = { "egress.example.com:3128",
		"socks5://egress.example.com:1080", "http://", "x",
		"http://egress.example.com:0", "http://egress.example.com:x" };
	size_t i;

	(void)state;
	expect_config(&(struct fetch_settings){ .ca_path = "/nonexistent/x" },
	    "ca_path /nonexistent/x cannot be read: No such");
	expect_config(&(struct fetch_settings){ .ca_path = "/etc/passwd" },
	    "ca_path /etc/passwd cannot be read: Not a directory");
	expect_config(&(struct fetch_settings){ .ca_file = "/nonexistent/x" },
	    "ca_file /nonexistent/x cannot be read: No such");
	expect_config(&(struct fetch_settings){ .dns_servers = "dns" },
	    "\"dns\" is no address of a name server");
	for (i = 0; i < sizeof(proxies) / sizeof(proxies[0]); i++)
		expect_config(&(struct fetch_settings){ .proxy = proxies[i] },
		    "proxy is not like http://");
}

static struct fetcher *
new_fetcher(const struct fetch_settings *s)
{
	struct cimd_error err = { 0 };
	struct fetcher *f = NULL;

	assert_int_equal(fetcher_new(s, &f, &err), CIMD_OK);
	assert_non_null(f);
	return f;
}

static void
takes_settings(void **state)
{
	struct fetcher *f;

	(void)state;
	f = new_fetcher(&(struct fetch_settings){ .ca_path = "",
	    .ca_file = "",
	    .proxy = "",
	    .dns_servers = "" });
	assert_null(f->settings.ca_path);
	assert_null(f->proxy.host);
	fetcher_free(&f);
	assert_null(f);
	f = new_fetcher(&(struct fetch_settings){ .ca_path = "/",
	    .proxy = "http://egress.example.com:3128",
	    .dns_servers = "192.0.2.1:53" });
	assert_string_equal(f->proxy.host, "egress.example.com");
	assert_int_equal(f->proxy.port, 3128);
	fetcher_free(&f);
	f = new_fetcher(
	    &(struct fetch_settings){ .proxy = "https://[2001:db8::1]" });
	assert_string_equal(f->proxy.host, "[2001:db8::1]");
	assert_int_equal(f->proxy.port, 443);
	fetcher_free(&f);
	fetcher_free(&f);
	fetcher_free(NULL);
}

struct result {
	enum cimd_err e;
	struct cimd_error err;
	int64_t took_ms;
};

/* GET https://HOST:PORT/x, which must fail. */
static struct result
get(const struct fetch_settings *s, const char *host, uint16_t port,
    int64_t timeout_ms)
{
	struct fetcher *f = new_fetcher(s);
	int64_t start = clock_ms();
	struct fetch_response r;
	struct result out = { 0 };
	char url[300];

	(void)snprintf(url, sizeof(url), "https://%s:%u/x", host, port);
	out.e = fetch_get(f,
	    &(struct fetch_request){ .url = span_of(url),
		.host = span_of(host),
		.port = port,
		.max_bytes = 100,
		.deadline_ms = start + timeout_ms },
	    &r, &out.err);
	out.took_ms = clock_ms() - start;
	assert_int_not_equal(out.e, CIMD_OK);
	assert_int_equal(out.err.code, out.e);
	assert_null(r.body);
	assert_int_equal(r.facts.status, 0);
	fetch_response_clear(&r);
	fetcher_free(&f);
	return out;
}

/* A name server that nobody is: names must not be asked for. */
#define NO_DNS .dns_servers = "127.0.0.1:1"

static void
refuses_special_literals(void **state)
{
	static const char *const hosts[] = { "10.0.0.1", "127.0.0.1",
		"169.254.169.254", "[::1]", "[fe80::1]",
		"[::ffff:93.184.216.34]", "[64:ff9b::a00:1]" };
	struct fetch_settings s = { NO_DNS };
	struct result r;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		r = get(&s, hosts[i], 443, 500);
		assert_int_equal(r.e, CIMD_E_ADDRESS);
		assert_string_equal(r.err.section, "9.6");
	}
	s.loopback_ok = true;
	r = get(&s, "10.0.0.1", 443, 500);
	assert_int_equal(r.e, CIMD_E_ADDRESS);
}

/* Through a proxy as well, which is not even connected to. */
static void
refuses_special_literals_by_proxy(void **state)
{
	struct fetch_settings s = { NO_DNS, .proxy = "http://127.0.0.1:1" };
	struct result r;

	(void)state;
	r = get(&s, "10.0.0.1", 443, 500);
	assert_int_equal(r.e, CIMD_E_ADDRESS);
	r = get(&s, "client.example.com", 443, 500);
	assert_int_equal(r.e, CIMD_E_CONNECT);
}

/* A port of 127.0.0.1 where nobody listens (any more). */
static uint16_t
closed_port(void)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
		.sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(sin);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_not_equal(fd, -1);
	assert_int_equal(bind(fd, (struct sockaddr *)&sin, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sin, &len), 0);
	assert_int_equal(close(fd), 0);
	return ntohs(sin.sin_port);
}

static void
says_who_is_not_there(void **state)
{
	struct fetch_settings s = { NO_DNS, .loopback_ok = true };
	struct result r;

	(void)state;
	r = get(&s, "127.0.0.1", closed_port(), 2000);
	assert_int_equal(r.e, CIMD_E_CONNECT);
	r = get(&s, "client.example.com", 443, 2000);
	assert_int_equal(cimd_err_class(r.e), CIMD_UNAVAILABLE);
}

/* Accepts nothing and answers nothing; the queue of the socket takes it. */
static void
keeps_the_deadline(void **state)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
		.sin_addr = { htonl(INADDR_LOOPBACK) } };
	struct fetch_settings s = { NO_DNS, .loopback_ok = true };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	socklen_t len = sizeof(sin);
	struct result r;

	(void)state;
	assert_int_equal(bind(fd, (struct sockaddr *)&sin, len), 0);
	assert_int_equal(listen(fd, 8), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sin, &len), 0);
	r = get(&s, "127.0.0.1", ntohs(sin.sin_port), 200);
	assert_int_equal(r.e, CIMD_E_TIMEOUT);
	assert_in_range(r.took_ms, 190, 600);
	r = get(&s, "127.0.0.1", ntohs(sin.sin_port), 0);
	assert_int_equal(r.e, CIMD_E_TIMEOUT);
	r = get(&s, "127.0.0.1", ntohs(sin.sin_port), -1000);
	assert_int_equal(r.e, CIMD_E_TIMEOUT);
	assert_in_range(r.took_ms, 0, 400);
	assert_int_equal(close(fd), 0);
}

static void
leaves_signals_alone(void **state)
{
	struct fetch_settings s = { NO_DNS, .loopback_ok = true };
	struct sigaction before, after;
	sigset_t mask, mask_after;

	(void)state;
	assert_int_equal(sigaction(SIGPIPE, NULL, &before), 0);
	assert_int_equal(sigprocmask(SIG_SETMASK, NULL, &mask), 0);
	(void)get(&s, "127.0.0.1", closed_port(), 2000);
	assert_int_equal(sigaction(SIGPIPE, NULL, &after), 0);
	assert_int_equal(sigprocmask(SIG_SETMASK, NULL, &mask_after), 0);
	assert_true(before.sa_handler == after.sa_handler);
	assert_int_equal(sigismember(&mask, SIGPIPE),
	    sigismember(&mask_after, SIGPIPE));
}

static void
sessions_end(void **state)
{
	struct tls_sessions *s = tls_sessions_new();
	struct span host = span_of("a.example.com");
	struct tls_slot *slot;
	CURL *user = curl_easy_init();
	CURLSH *first;

	(void)state;
	assert_non_null(s);
	slot = tls_slot_take(s, host, 1000);
	first = tls_slot_share(slot);
	assert_non_null(first);
	tls_slot_give(s, slot);
	assert_ptr_equal(tls_slot_take(s, host, 999 + CIMD_TLS_SHARE_MS), slot);
	assert_ptr_equal(tls_slot_share(slot), first);
	tls_slot_give(s, slot);
	/* In use it cannot be freed, so the next one lies elsewhere. */
	assert_int_equal(curl_easy_setopt(user, CURLOPT_SHARE, first),
	    CURLE_OK);
	assert_ptr_equal(tls_slot_take(s, host, 1000 + CIMD_TLS_SHARE_MS),
	    slot);
	assert_non_null(tls_slot_share(slot));
	assert_ptr_not_equal(tls_slot_share(slot), first);
	curl_easy_cleanup(user);
	assert_int_equal(curl_share_cleanup(first), CURLSHE_OK);
	tls_slot_give(s, slot);
	tls_sessions_free(&s);
	assert_null(s);
	tls_sessions_free(&s);
	tls_sessions_free(NULL);
}

/* One fetch at a time has a slot; its host and the last use decide. */
static void
slots_are_exclusive(void **state)
{
	struct tls_slot *slots[CIMD_MAX_FETCHES];
	struct tls_sessions *s = tls_sessions_new();
	struct span a = span_of("a.example.com"), b = span_of("b.example.com");
	size_t i, j;

	(void)state;
	assert_non_null(s);
	for (i = 0; i < CIMD_MAX_FETCHES; i++) {
		slots[i] = tls_slot_take(s, i == 3 ? b : a, 0);
		assert_non_null(slots[i]);
		for (j = 0; j < i; j++)
			assert_ptr_not_equal(slots[i], slots[j]);
	}
	assert_null(tls_slot_take(s, a, 0));
	assert_null(tls_slot_share(NULL));
	tls_slot_give(s, NULL);
	for (i = 0; i < CIMD_MAX_FETCHES; i++)
		tls_slot_give(s, slots[i]);
	assert_ptr_equal(tls_slot_take(s, b, 0), slots[3]);
	assert_ptr_equal(tls_slot_take(s, a, 0), slots[CIMD_MAX_FETCHES - 1]);
	tls_slot_give(s, slots[3]);
	assert_ptr_equal(tls_slot_take(s, span_of("c.example.com"), 0),
	    slots[3]);
	tls_slot_give(s, slots[3]);
	tls_slot_give(s, slots[CIMD_MAX_FETCHES - 1]);
	tls_sessions_free(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(checks_settings),
		cmocka_unit_test(takes_settings),
		cmocka_unit_test(refuses_special_literals),
		cmocka_unit_test(refuses_special_literals_by_proxy),
		cmocka_unit_test(says_who_is_not_there),
		cmocka_unit_test(keeps_the_deadline),
		cmocka_unit_test(leaves_signals_alone),
		cmocka_unit_test(sessions_end),
		cmocka_unit_test(slots_are_exclusive),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
