/*
 * fuzz_netaddr.c - addresses as text and as bytes
 * SPDX-License-Identifier: Apache-2.0
 *
 * Text that parses prints to text that parses to the same address.  What is
 * public is IPv4, global unicast IPv6, or NAT64 of a public IPv4 address; no
 * loopback address is public; judging agrees.
 */

#include <stdlib.h>
#include <string.h>

#include "netaddr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool good)
{
	if (!good)
		abort();
}

static bool
same(const struct netaddr *a, const struct netaddr *b)
{
	return a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}

/* Public IPv6: in 2000::/3, or the NAT64 form of a public IPv4 address. */
static void
check_public6(const struct netaddr *a)
{
	static const uint8_t nat64[12] = { 0x00, 0x64, 0xff, 0x9b };
	struct netaddr v4 = { 4, { 0 } };

	if (a->bytes[0] >> 5 == 1)
		return;
	must(memcmp(a->bytes, nat64, sizeof(nat64)) == 0);
	memcpy(v4.bytes, a->bytes + 12, 4);
	must(netaddr_special(&v4) == NULL);
}

static void
check(const struct netaddr *a)
{
	bool is_public = netaddr_special(a) == NULL;
	bool loopback = netaddr_is_loopback(a);
	char buf[NETADDR_TEXT];
	struct netaddr again;

	must(netaddr_parse(span_of(netaddr_text(a, buf)), &again));
	must(same(a, &again));
	must(!(is_public && loopback));
	must((netaddr_judge(a, 1, false, NULL) == CIMD_OK) == is_public);
	must((netaddr_judge(a, 1, true, NULL) == CIMD_OK) ==
	    (is_public || loopback));
	if (is_public && a->len == 16)
		check_public6(a);
#ifdef CIMD_PLANTED
	/* Wrong on purpose: takes the relays of 6to4 for public. */
	if (a->len == 4 && memcmp(a->bytes, "\xc0\x58\x63", 3) == 0)
		must(is_public);
#endif
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = { (const char *)data, size };
	struct netaddr a;

	if (netaddr_parse(text, &a))
		check(&a);
	else
		must(a.len == 0);
	if (size == 4 || size == 16) {
		a.len = (uint8_t)size;
		memcpy(a.bytes, data, size);
		check(&a);
	}
	return 0;
}
