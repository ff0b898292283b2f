/*
 * netaddr.c - may this address be connected to? (section 9.6, RFC 6890)
 * SPDX-License-Identifier: Apache-2.0
 */

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "error.h"
#include "netaddr.h"

/*
 * All rows of the registries "IANA IPv4 Special-Purpose Address Registry" and
 * "IANA IPv6 Special-Purpose Address Registry" on NETADDR_REGISTRY_DATE, in
 * their order.  A test compares them with the registries' CSV files.
 */
static const struct netaddr_range registry[] = {
	{ 4, 8, { 0 }, "0.0.0.0/8 (This network)" },
	{ 4, 32, { 0 }, "0.0.0.0/32 (This host on this network)" },
	{ 4, 8, { 10 }, "10.0.0.0/8 (Private-Use)" },
	{ 4, 10, { 100, 64 }, "100.64.0.0/10 (Shared Address Space)" },
	{ 4, 8, { 127 }, "127.0.0.0/8 (Loopback)" },
	{ 4, 16, { 169, 254 }, "169.254.0.0/16 (Link Local)" },
	{ 4, 12, { 172, 16 }, "172.16.0.0/12 (Private-Use)" },
	{ 4, 24, { 192 }, "192.0.0.0/24 (IETF Protocol Assignments)" },
	{ 4, 29, { 192 }, "192.0.0.0/29 (IPv4 Service Continuity Prefix)" },
	{ 4, 32, { 192, 0, 0, 8 }, "192.0.0.8/32 (IPv4 dummy address)" },
	{ 4, 32, { 192, 0, 0, 9 },
	    "192.0.0.9/32 (Port Control Protocol Anycast)" },
	{ 4, 32, { 192, 0, 0, 10 },
	    "192.0.0.10/32 (Traversal Using Relays around NAT Anycast)" },
	{ 4, 32, { 192, 0, 0, 170 }, "192.0.0.170/32 (NAT64/DNS64 Discovery)" },
	{ 4, 32, { 192, 0, 0, 171 }, "192.0.0.171/32 (NAT64/DNS64 Discovery)" },
	{ 4, 24, { 192, 0, 2 }, "192.0.2.0/24 (Documentation (TEST-NET-1))" },
	{ 4, 24, { 192, 31, 196 }, "192.31.196.0/24 (AS112-v4)" },
	{ 4, 24, { 192, 52, 193 }, "192.52.193.0/24 (AMT)" },
	{ 4, 24, { 192, 88, 99 },
	    "192.88.99.0/24 (Deprecated (6to4 Relay Anycast))" },
	{ 4, 32, { 192, 88, 99, 2 },
	    "192.88.99.2/32 (6a44-relay anycast address)" },
	{ 4, 16, { 192, 168 }, "192.168.0.0/16 (Private-Use)" },
	{ 4, 24, { 192, 175, 48 },
	    "192.175.48.0/24 (Direct Delegation AS112 Service)" },
	{ 4, 15, { 198, 18 }, "198.18.0.0/15 (Benchmarking)" },
	{ 4, 24, { 198, 51, 100 },
	    "198.51.100.0/24 (Documentation (TEST-NET-2))" },
	{ 4, 24, { 203, 0, 113 },
	    "203.0.113.0/24 (Documentation (TEST-NET-3))" },
	{ 4, 4, { 240 }, "240.0.0.0/4 (Reserved)" },
	{ 4, 32, { 255, 255, 255, 255 },
	    "255.255.255.255/32 (Limited Broadcast)" },
	{ 16, 128, { [15] = 0x01 }, "::1/128 (Loopback Address)" },
	{ 16, 128, { 0x00 }, "::/128 (Unspecified Address)" },
	{ 16, 96, { [10] = 0xff, 0xff },
	    "::ffff:0:0/96 (IPv4-mapped Address)" },
	{ 16, 96, { 0x00, 0x64, 0xff, 0x9b },
	    "64:ff9b::/96 (IPv4-IPv6 Translat.)" },
	{ 16, 48, { 0x00, 0x64, 0xff, 0x9b, 0x00, 0x01 },
	    "64:ff9b:1::/48 (IPv4-IPv6 Translat.)" },
	{ 16, 64, { 0x01 }, "100::/64 (Discard-Only Address Block)" },
	{ 16, 64, { 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01 },
	    "100:0:0:1::/64 (Dummy IPv6 Prefix)" },
	{ 16, 23, { 0x20, 0x01 }, "2001::/23 (IETF Protocol Assignments)" },
	{ 16, 32, { 0x20, 0x01 }, "2001::/32 (TEREDO)" },
	{ 16, 128, { 0x20, 0x01, 0x00, 0x01, [15] = 0x01 },
	    "2001:1::1/128 (Port Control Protocol Anycast)" },
	{ 16, 128, { 0x20, 0x01, 0x00, 0x01, [15] = 0x02 },
	    "2001:1::2/128 (Traversal Using Relays around NAT Anycast)" },
	{ 16, 128, { 0x20, 0x01, 0x00, 0x01, [15] = 0x03 },
	    "2001:1::3/128 (DNS-SD Service Registration Protocol Anycast)" },
	{ 16, 48, { 0x20, 0x01, 0x00, 0x02 }, "2001:2::/48 (Benchmarking)" },
	{ 16, 32, { 0x20, 0x01, 0x00, 0x03 }, "2001:3::/32 (AMT)" },
	{ 16, 48, { 0x20, 0x01, 0x00, 0x04, 0x01, 0x12 },
	    "2001:4:112::/48 (AS112-v6)" },
	{ 16, 28, { 0x20, 0x01, 0x00, 0x10 },
	    "2001:10::/28 (Deprecated (previously ORCHID))" },
	{ 16, 28, { 0x20, 0x01, 0x00, 0x20 }, "2001:20::/28 (ORCHIDv2)" },
	{ 16, 28, { 0x20, 0x01, 0x00, 0x30 },
	    "2001:30::/28 (Drone Remote ID Protocol Entity Tags (DETs) "
	    "Prefix)" },
	{ 16, 32, { 0x20, 0x01, 0x0d, 0xb8 }, "2001:db8::/32 (Documentation)" },
	{ 16, 16, { 0x20, 0x02 }, "2002::/16 (6to4)" },
	{ 16, 48, { 0x26, 0x20, 0x00, 0x4f, 0x80 },
	    "2620:4f:8000::/48 (Direct Delegation AS112 Service)" },
	{ 16, 20, { 0x3f, 0xff }, "3fff::/20 (Documentation)" },
	{ 16, 16, { 0x5f }, "5f00::/16 (Segment Routing (SRv6) SIDs)" },
	{ 16, 7, { 0xfc }, "fc00::/7 (Unique-Local)" },
	{ 16, 10, { 0xfe, 0x80 }, "fe80::/10 (Link-Local Unicast)" },
};

/* What the registries leave out. */
static const struct netaddr_range others[] = {
	{ 4, 32, { 168, 63, 129, 16 }, "168.63.129.16/32 (Azure host agent)" },
	{ 4, 4, { 224 }, "224.0.0.0/4 (Multicast)" },
	{ 16, 8, { 0xff }, "ff00::/8 (Multicast)" },
};

/* RFC 6052 2.1: the last four bytes are an IPv4 address. */
static const struct netaddr_range nat64 = { 16, 96, { 0x00, 0x64, 0xff, 0x9b },
	"64:ff9b::/96" };

/* RFC 4291 2.4: what IANA hands out as global unicast. */
static const struct netaddr_range global = { 16, 3, { 0x20 }, "2000::/3" };

const struct netaddr_range *
netaddr_registry(size_t i)
{
	return i < sizeof(registry) / sizeof(registry[0]) ? &registry[i] : NULL;
}

static bool
in_range(const struct netaddr *a, const struct netaddr_range *r)
{
	size_t whole = r->bits / 8;
	unsigned int rest = r->bits % 8;

	if (a->len != r->len || memcmp(a->bytes, r->prefix, whole) != 0)
		return false;
	return rest == 0 ||
	    (a->bytes[whole] ^ r->prefix[whole]) >> (8 - rest) == 0;
}

/* The narrowest of best and the n rows of table that a lies in. */
static const struct netaddr_range *
narrowest(const struct netaddr *a, const struct netaddr_range *table, size_t n,
    const struct netaddr_range *best)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (in_range(a, &table[i]) &&
		    (best == NULL || table[i].bits > best->bits))
			best = &table[i];
	return best;
}

/* RFC 5214 6.1: an interface identifier that wraps an IPv4 address. */
static bool
is_isatap(const struct netaddr *a)
{
	static const uint8_t id[4] = { 0x00, 0x00, 0x5e, 0xfe };

	return a->len == 16 && (a->bytes[8] & ~0x02U) == id[0] &&
	    memcmp(a->bytes + 9, id + 1, 3) == 0;
}

const char *
netaddr_special(const struct netaddr *a)
{
	const struct netaddr_range *r;
	struct netaddr v4 = { 4, { 0 } };

	if (in_range(a, &nat64)) {
		memcpy(v4.bytes, a->bytes + 12, 4);
		a = &v4;
	}
	r = narrowest(a, registry, sizeof(registry) / sizeof(registry[0]),
	    NULL);
	r = narrowest(a, others, sizeof(others) / sizeof(others[0]), r);
	if (r != NULL)
		return r->name;
	if (a->len == 4)
		return NULL;
	if (!in_range(a, &global))
		return "no global unicast address (2000::/3)";
	return is_isatap(a) ? "::5efe:0:0/96 (ISATAP)" : NULL;
}

bool
netaddr_is_loopback(const struct netaddr *a)
{
	static const uint8_t v6[16] = { [15] = 1 };

	if (a->len == 4)
		return a->bytes[0] == 127;
	return a->len == 16 && memcmp(a->bytes, v6, sizeof(v6)) == 0;
}

bool
netaddr_from_sockaddr(const struct sockaddr *sa, struct netaddr *out)
{
	struct sockaddr_in in;
	struct sockaddr_in6 in6;

	memset(out, 0, sizeof(*out));
	if (sa->sa_family == AF_INET) {
		memcpy(&in, sa, sizeof(in));
		out->len = 4;
		memcpy(out->bytes, &in.sin_addr, 4);
		return true;
	}
	if (sa->sa_family != AF_INET6)
		return false;
	memcpy(&in6, sa, sizeof(in6));
	out->len = 16;
	memcpy(out->bytes, &in6.sin6_addr, 16);
	return true;
}

bool
netaddr_parse(struct span text, struct netaddr *out)
{
	char buf[NETADDR_TEXT];

	memset(out, 0, sizeof(*out));
	if (text.n == 0 || text.n >= sizeof(buf) ||
	    memchr(text.p, '\0', text.n) != NULL)
		return false;
	memcpy(buf, text.p, text.n);
	buf[text.n] = '\0';
	if (inet_pton(AF_INET, buf, out->bytes) == 1)
		out->len = 4;
	else if (inet_pton(AF_INET6, buf, out->bytes) == 1)
		out->len = 16;
	return out->len != 0;
}

const char *
netaddr_text(const struct netaddr *a, char buf[NETADDR_TEXT])
{
	int family = a->len == 4 ? AF_INET : AF_INET6;

	buf[0] = '\0';
	(void)inet_ntop(family, a->bytes, buf, NETADDR_TEXT);
	return buf;
}

enum cimd_err
netaddr_judge(const struct netaddr *addr, size_t n, bool loopback_ok,
    struct cimd_error *err)
{
	char text[NETADDR_TEXT];
	const char *range;
	size_t i;

	if (n == 0)
		return err_set(err, CIMD_E_DNS, "5", "the host has no address");
	for (i = 0; i < n; i++) {
		range = netaddr_special(&addr[i]);
		if (range == NULL ||
		    (loopback_ok && netaddr_is_loopback(&addr[i])))
			continue;
		return err_set(err, CIMD_E_ADDRESS, "9.6",
		    "%s is special-use: %s", netaddr_text(&addr[i], text),
		    range);
	}
	return CIMD_OK;
}
