/*
 * host.c - what kind of host a URL names
 * SPDX-License-Identifier: Apache-2.0
 */

#include <string.h>

#include <idn2.h>

#include "ascii.h"
#include "host.h"
#include "netaddr.h"

enum {
	MAX_LABEL = 63, /* bytes; RFC 1035 2.3.4 */
};

const char host_no_memory[] = "out of memory";

/* Names that no public DNS serves. */
static const char *const special_names[] = {
	"alt",       /* RFC 9476 */
	"example",   /* RFC 6761 */
	"home.arpa", /* RFC 8375 */
	"internal",  /* reserved by ICANN for private use */
	"invalid",   /* RFC 6761 */
	"local",     /* RFC 6762 */
	"localhost", /* RFC 6761 */
	"onion",     /* RFC 7686 */
	"test",      /* RFC 6761 */
};

static bool
is_ldh(char c)
{
	return ascii_digit(c) || ascii_alpha(c) || c == '-';
}

/* Is host the name, or a name under it? */
static bool
is_under(struct span host, const char *name)
{
	size_t n = strlen(name);
	struct span tail;

	if (host.n < n)
		return false;
	tail.p = host.p + host.n - n;
	tail.n = n;
	return span_is_nocase(tail, name) && (host.n == n || tail.p[-1] == '.');
}

/*
 * Decoding an A-label and encoding the result gives the same A-label, and
 * IDNA2008 allows what stands between (RFC 5891 5.4).
 */
static bool
is_a_label(struct span label, const char **why)
{
	uint8_t small[MAX_LABEL + 1], *again = NULL;
	size_t i;
	int e;

	for (i = 0; i < label.n; i++)
		small[i] = (uint8_t)ascii_lower(label.p[i]);
	small[i] = '\0';
	e = idn2_register_u8(NULL, small, &again, 0);
	idn2_free(again);
	if (e == IDN2_OK)
		return true;
	*why = e == IDN2_MALLOC ?
	    host_no_memory :
	    "has a host with an xn-- label that is no A-label (RFC 5891)";
	return false;
}

static bool
is_label(struct span label, const char **why)
{
	static const char prefix[] = "xn--";
	struct span start = { label.p, sizeof(prefix) - 1 };
	size_t i;

	*why = "has a host with an empty label";
	if (label.n == 0)
		return false;
	*why = "has a host with a label of more than 63 bytes";
	if (label.n > MAX_LABEL)
		return false;
	*why = "has a host with a byte that is no letter, digit, hyphen or dot";
	for (i = 0; i < label.n; i++)
		if (!is_ldh(label.p[i]))
			return false;
	*why = "has a host with a label that starts or ends with a hyphen";
	if (label.p[0] == '-' || label.p[label.n - 1] == '-')
		return false;
	if (label.n < start.n || !span_is_nocase(start, prefix))
		return true;
	return is_a_label(label, why);
}

/* Would some parser take a host that ends so for an IPv4 address? */
static bool
is_number(struct span label)
{
	bool hex =
	    label.n >= 2 && label.p[0] == '0' && ascii_lower(label.p[1]) == 'x';
	size_t i;

	for (i = hex ? 2 : 0; i < label.n; i++)
		if (!ascii_digit(label.p[i]) &&
		    (!hex || ascii_lower(label.p[i]) < 'a' ||
			ascii_lower(label.p[i]) > 'f'))
			return false;
	return true;
}

/* Check all labels; *n: how many there are. */
static bool
are_labels(struct span host, size_t *n, const char **why)
{
	struct span label = { host.p, 0 };
	const char *dot, *end = host.p + host.n;

	for (*n = 1;; ++*n) {
		dot = memchr(label.p, '.', (size_t)(end - label.p));
		label.n = (size_t)((dot == NULL ? end : dot) - label.p);
		if (!is_label(label, why))
			return false;
		if (dot == NULL)
			break;
		label.p = dot + 1;
	}
	*why = "has a host that ends in a number";
	return !is_number(label);
}

static enum host_kind
judge_brackets(struct span host, const char **why)
{
	struct span inside = { host.p + 1, host.n - 1 };
	struct netaddr a;

	*why = "has brackets around what is no IPv6 address";
	if (inside.n == 0 || inside.p[inside.n - 1] != ']')
		return HOST_BAD;
	inside.n--;
	return netaddr_parse(inside, &a) && a.len == 16 ? HOST_IPV6 : HOST_BAD;
}

enum host_kind
host_judge(struct span host, const char **why)
{
	struct netaddr a;
	size_t i, n;

	*why = "has no host";
	if (host.n == 0)
		return HOST_BAD;
	*why = "has a host of more than 253 bytes";
	if (host.n > CIMD_MAX_HOST)
		return HOST_BAD;
	if (host.p[0] == '[')
		return judge_brackets(host, why);
	if (netaddr_parse(host, &a) && a.len == 4)
		return HOST_IPV4;
	if (!are_labels(host, &n, why))
		return HOST_BAD;
	for (i = 0; i < sizeof(special_names) / sizeof(special_names[0]); i++)
		if (is_under(host, special_names[i]))
			return HOST_SPECIAL;
	*why = "has a host of one label only";
	return n >= 2 ? HOST_NAME : HOST_BAD;
}

bool
host_is_loopback(struct span host)
{
	struct netaddr a;

	if (host.n >= 2 && host.p[0] == '[' && host.p[host.n - 1] == ']') {
		host.p++;
		host.n -= 2;
		return netaddr_parse(host, &a) && a.len == 16 &&
		    netaddr_is_loopback(&a);
	}
	if (netaddr_parse(host, &a))
		return a.len == 4 && netaddr_is_loopback(&a);
	return is_under(host, "localhost");
}

bool
host_is_redirect_loopback(struct span host)
{
	return span_is(host, "localhost") || span_is(host, "127.0.0.1") ||
	    span_is(host, "[::1]");
}
