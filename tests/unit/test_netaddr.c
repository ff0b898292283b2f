/*
 * test_netaddr.c - special-use addresses
 * SPDX-License-Identifier: Apache-2.0
 */

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "cases.h"
#include "netaddr.h"

static struct netaddr
parsed(const char *text)
{
	struct netaddr a;

	if (!netaddr_parse(span_of(text), &a))
		fail_msg("not parsed: %s", text);
	return a;
}

/* Judge the addresses of a case. */
static enum cimd_err
judge(struct test_case *c, struct cimd_error *err)
{
	struct netaddr list[CIMD_MAX_ADDRESSES];
	struct span s;
	size_t n = 0;

	while ((s = case_value_at(c, "address", n)).p != NULL) {
		assert_true(n < CIMD_MAX_ADDRESSES);
		case_check(c, netaddr_parse(s, &list[n]), "not parsed: %.*s",
		    (int)s.n, s.p);
		n++;
	}
	return netaddr_judge(list, n, case_number(c, "loopback_ok", 0) != 0,
	    err);
}

static void
valid_case(struct test_case *c)
{
	struct cimd_error err = { 0 };

	case_check(c, judge(c, &err) == CIMD_OK, "%s", err.text);
}

static void
invalid_case(struct test_case *c)
{
	struct cimd_error err = { 0 };
	enum cimd_err e = judge(c, &err);

	case_check_error(c, e, &err);
	case_check(c, judge(c, NULL) == e, "another code without err");
}

static void
public_addresses(void **state)
{
	(void)state;
	cases_run("netaddr-valid", valid_case);
}

static void
special_addresses(void **state)
{
	(void)state;
	cases_run("netaddr-invalid", invalid_case);
}

static void
no_other_text_forms(void **state)
{
	static const char *const bad[] = { "", "127.1", "127.0.1", "2130706433",
		"0x7f000001", "0x7f.0.0.1", "0177.0.0.1", "01.2.3.4",
		"1.2.3.04", "1.2.3.4.5", "1.2.3.256", "1.2.3.4.", ".1.2.3.4",
		"1.2.3.4 ", " 1.2.3.4", "1.2.3.-4", "+1.2.3.4", "1.2.3.4/32",
		"[::1]", "::1%lo", "::1%25lo", "fe80::1%1", ":::", "1::2::3",
		"12345::", "::g", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9",
		"::ffff:127.1", "::127.0.0.01", "localhost",
		"0000:0000:0000:0000:0000:0000:255.255.255.2555" };
	static const struct span nul = { "1.2.3.4\0", 8 };
	static const struct span absent = { NULL, 0 };
	struct netaddr a;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (netaddr_parse(span_of(bad[i]), &a))
			fail_msg("parsed: %s", bad[i]);
	assert_false(netaddr_parse(nul, &a));
	assert_false(netaddr_parse(absent, &a));
	assert_int_equal(a.len, 0);
}

static void
text_and_back(void **state)
{
	static const char *const same[] = { "0.0.0.0", "255.255.255.255",
		"1.20.255.4", "::", "::1", "2606:4700::1111", "::ffff:10.0.0.1",
		"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" };
	char buf[NETADDR_TEXT];
	struct netaddr a;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		a = parsed(same[i]);
		assert_string_equal(netaddr_text(&a, buf), same[i]);
	}
	a = parsed("2606:4700:0000:0:0:0:0:A");
	assert_string_equal(netaddr_text(&a, buf), "2606:4700::a");
}

static void
from_sockaddr(void **state)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	struct sockaddr other = { .sa_family = AF_UNIX };
	char buf[NETADDR_TEXT];
	struct netaddr a;

	(void)state;
	in.sin_addr.s_addr = htonl(0x7f000002);
	assert_true(netaddr_from_sockaddr((struct sockaddr *)&in, &a));
	assert_string_equal(netaddr_text(&a, buf), "127.0.0.2");
	in6.sin6_addr = in6addr_loopback;
	assert_true(netaddr_from_sockaddr((struct sockaddr *)&in6, &a));
	assert_string_equal(netaddr_text(&a, buf), "::1");
	assert_false(netaddr_from_sockaddr(&other, &a));
	assert_int_equal(a.len, 0);
}

static void
loopback_in_plain_forms(void **state)
{
	static const char *const no[] = { "126.255.255.255", "128.0.0.0",
		"::ffff:127.0.0.1", "64:ff9b::127.0.0.1", "::127.0.0.1",
		"::", "::2", "1::1" };
	struct netaddr a;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
		a = parsed(no[i]);
		if (netaddr_is_loopback(&a))
			fail_msg("loopback: %s", no[i]);
	}
	a = parsed("127.0.0.0");
	assert_true(netaddr_is_loopback(&a));
	a = parsed("127.255.255.255");
	assert_true(netaddr_is_loopback(&a));
	a = parsed("::1");
	assert_true(netaddr_is_loopback(&a));
}

static void
zeroed_refuses(void **state)
{
	struct netaddr a = { 0 };

	(void)state;
	assert_non_null(netaddr_special(&a));
	assert_false(netaddr_is_loopback(&a));
}

static bool
bit_of(const uint8_t *bytes, unsigned int i)
{
	return (bytes[i / 8] >> (7 - i % 8) & 1) != 0;
}

/* The slow way: bit by bit, every row. */
static bool
in_registry(const struct netaddr *a)
{
	const struct netaddr_range *r;
	unsigned int bit;
	size_t i;

	for (i = 0; (r = netaddr_registry(i)) != NULL; i++) {
		if (r->len != a->len)
			continue;
		for (bit = 0; bit < r->bits; bit++)
			if (bit_of(a->bytes, bit) != bit_of(r->prefix, bit))
				break;
		if (bit == r->bits)
			return true;
	}
	return false;
}

static bool
forbidden_slowly(const struct netaddr *a)
{
	static const uint8_t azure[4] = { 168, 63, 129, 16 };
	struct netaddr v4 = { 4, { 0 } };
	const struct netaddr nat64 = parsed("64:ff9b::");

	if (a->len == 16 && memcmp(a->bytes, nat64.bytes, 12) == 0) {
		memcpy(v4.bytes, a->bytes + 12, 4);
		a = &v4;
	}
	if (in_registry(a))
		return true;
	if (a->len == 4)
		return a->bytes[0] >> 4 == 14 ||
		    memcmp(a->bytes, azure, 4) == 0;
	return a->bytes[0] >> 5 != 1 ||
	    memcmp(a->bytes + 8, "\x00\x00\x5e\xfe", 4) == 0 ||
	    memcmp(a->bytes + 8, "\x02\x00\x5e\xfe", 4) == 0;
}

static void
check_both_ways(const struct netaddr *a)
{
	char buf[NETADDR_TEXT];

	if ((netaddr_special(a) != NULL) != forbidden_slowly(a))
		fail_msg("%s is judged wrongly", netaddr_text(a, buf));
}

/* The first and last address of the row and their neighbours outside. */
static void
check_edges(const struct netaddr_range *r)
{
	struct netaddr first = { r->len, { 0 } }, last, before, after;
	unsigned int i;

	memcpy(first.bytes, r->prefix, r->len);
	last = first;
	for (i = r->bits; i < r->len * 8U; i++)
		last.bytes[i / 8] |= (uint8_t)(1U << (7 - i % 8));
	before = first;
	for (i = r->len; i > 0 && before.bytes[i - 1]-- == 0; i--)
		;
	after = last;
	for (i = r->len; i > 0 && ++after.bytes[i - 1] == 0; i--)
		;
	check_both_ways(&first);
	check_both_ways(&last);
	check_both_ways(&before);
	check_both_ways(&after);
	if (memcmp(r->name, "64:ff9b::/96", 12) != 0) {
		assert_non_null(netaddr_special(&first));
		assert_non_null(netaddr_special(&last));
	}
}

static void
every_row_forbids(void **state)
{
	const struct netaddr_range *r;
	size_t i;

	(void)state;
	for (i = 0; (r = netaddr_registry(i)) != NULL; i++)
		check_edges(r);
	assert_true(i > 50);
}

/* Addresses near the rows: a row's prefix with some bits turned. */
static void
agrees_with_the_slow_way(void **state)
{
	const struct netaddr_range *r;
	struct netaddr a;
	uint64_t x = 0x9e3779b97f4a7c15;
	size_t i, n, k;

	(void)state;
	for (n = 0; n < 400; n++) {
		for (i = 0; (r = netaddr_registry(i)) != NULL; i++) {
			a.len = r->len;
			memcpy(a.bytes, r->prefix, sizeof(a.bytes));
			for (k = 0; k < 1 + n % 4; k++) {
				x ^= x << 13;
				x ^= x >> 7;
				x ^= x << 17;
				a.bytes[x % r->len] ^= (uint8_t)(x >> 32);
			}
			check_both_ways(&a);
		}
	}
}

/*
 * The next field of a CSV file, unquoted in place; *p moves on.  NULL at the
 * end of the file; *last: the field ends a line.
 */
static char *
csv_field(char **p, bool *last)
{
	char *in = *p, *start = in, *out = in;
	bool quoted = false;

	if (*in == '\0')
		return NULL;
	for (; *in != '\0'; in++) {
		if (!quoted && (*in == ',' || *in == '\n'))
			break;
		if (*in != '"') {
			*out++ = *in;
		} else if (quoted && in[1] == '"') {
			*out++ = *in++;
		} else {
			quoted = !quoted;
		}
	}
	*last = *in != ',';
	*p = *in == '\0' ? in : in + 1;
	*out = '\0';
	return start;
}

/* Row *row of the table is the prefix, and so on for a list of them. */
static void
compare_blocks(char *blocks, const char *name, size_t *row)
{
	const struct netaddr_range *r;
	char *block, *end, *slash;
	struct netaddr a;
	char expected[128];

	for (block = blocks; block != NULL; block = end) {
		end = strchr(block, ',');
		if (end != NULL) {
			*end++ = '\0';
			end += strspn(end, " ");
		}
		block[strcspn(block, " ")] = '\0';
		(void)snprintf(expected, sizeof(expected), "%s (%s)", block,
		    name);
		r = netaddr_registry((*row)++);
		assert_non_null(r);
		assert_string_equal(r->name, expected);
		slash = strchr(block, '/');
		assert_non_null(slash);
		*slash = '\0';
		a = parsed(block);
		assert_int_equal(r->len, a.len);
		assert_memory_equal(r->prefix, a.bytes, 16);
		assert_int_equal(r->bits, strtol(slash + 1, NULL, 10));
	}
}

/* Returns false without the corpus. */
static bool
compare_file(const char *path, size_t *row)
{
	struct span s = corpus_read(path);
	char *csv, *p, *blocks, *name, *f;
	bool last = false;

	if (s.p == NULL)
		return false;
	p = csv = malloc(s.n + 1);
	assert_non_null(csv);
	memcpy(csv, s.p, s.n);
	csv[s.n] = '\0';
	p += strcspn(p, "\n") + 1;
	while ((blocks = csv_field(&p, &last)) != NULL) {
		name = csv_field(&p, &last);
		assert_non_null(name);
		if (name[0] == '"') {
			name++;
			name[strlen(name) - 1] = '\0';
		}
		do
			f = csv_field(&p, &last);
		while (f != NULL && !last);
		compare_blocks(blocks, name, row);
	}
	free(csv);
	corpus_free(&s);
	return true;
}

static void
table_is_the_registry(void **state)
{
	size_t row = 0;

	(void)state;
	if (!compare_file("iana/iana-ipv4-special-registry-1.csv", &row) ||
	    !compare_file("iana/iana-ipv6-special-registry-1.csv", &row))
		return;
	assert_null(netaddr_registry(row));
	print_message("# %zu rows, registry of %s\n", row,
	    NETADDR_REGISTRY_DATE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(public_addresses),
		cmocka_unit_test(special_addresses),
		cmocka_unit_test(no_other_text_forms),
		cmocka_unit_test(text_and_back),
		cmocka_unit_test(from_sockaddr),
		cmocka_unit_test(loopback_in_plain_forms),
		cmocka_unit_test(zeroed_refuses),
		cmocka_unit_test(every_row_forbids),
		cmocka_unit_test(agrees_with_the_slow_way),
		cmocka_unit_test(table_is_the_registry),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
