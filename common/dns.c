/*
 * dns.c - all addresses of a host, within a deadline
 * SPDX-License-Identifier: Apache-2.0
 */

#include <ares.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "ascii.h"
#include "clock.h"
#include "dns.h"
#include "error.h"

enum {
	MAX_SOCKETS = 32, /* of one channel: UDP and TCP for each server */
	MAX_TRIES = 5,    /* per name server; the deadline comes first */
};

/* One question and what became of it. */
struct question {
	struct lookup *lookup;
	bool done;
	int status; /* of c-ares */
};

struct lookup {
	const char *host;
	struct pollfd fds[MAX_SOCKETS];
	nfds_t n_fds;
	bool too_many_fds;
	struct dns_addresses *out;
	bool too_many;
};

/* c-ares tells which sockets it waits for. */
static void
on_socket(void *arg, ares_socket_t fd, int readable, int writable)
{
	struct lookup *l = arg;
	int events = (readable ? POLLIN : 0) | (writable ? POLLOUT : 0);
	nfds_t i;

	for (i = 0; i < l->n_fds && l->fds[i].fd != fd; i++)
		continue;
	if (events == 0) {
		if (i < l->n_fds)
			l->fds[i] = l->fds[--l->n_fds];
		return;
	}
	if (i == MAX_SOCKETS) {
		l->too_many_fds = true;
		return;
	}
	l->fds[i].fd = fd;
	l->fds[i].events = (short)events;
	if (i == l->n_fds)
		l->n_fds++;
}

static void
on_answer(void *arg, int status, int timeouts, struct ares_addrinfo *info)
{
	struct question *q = arg;
	struct lookup *l = q->lookup;
	struct dns_addresses *out = l->out;
	struct ares_addrinfo_node *node;

	(void)timeouts;
	q->done = true;
	q->status = status;
	if (info == NULL)
		return;
	for (node = info->nodes; node != NULL; node = node->ai_next) {
		if (out->n == CIMD_MAX_ADDRESSES)
			l->too_many = true;
		else if (netaddr_from_sockaddr(node->ai_addr,
			     &out->addr[out->n]))
			out->n++;
	}
	ares_freeaddrinfo(info);
}

/* A channel that looks in "f", /etc/hosts, or in "b", the DNS. */
static int
open_channel(struct lookup *l, char *where, const char *servers,
    ares_channel *out)
{
	struct ares_options o = { 0 };
	int mask, status;

	/* Nothing of the environment or resolv.conf may change the name. */
	o.flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES | ARES_FLAG_EDNS;
	o.ndomains = 0;
	o.timeout = CIMD_DNS_TRY_MS;
	o.tries = MAX_TRIES;
	o.lookups = where;
	o.sock_state_cb = on_socket;
	o.sock_state_cb_data = l;
	mask = ARES_OPT_FLAGS | ARES_OPT_DOMAINS | ARES_OPT_TIMEOUTMS |
	    ARES_OPT_TRIES | ARES_OPT_LOOKUPS | ARES_OPT_SOCK_STATE_CB;
#ifdef ARES_OPT_QUERY_CACHE
	o.qcache_max_ttl = 0;
	mask |= ARES_OPT_QUERY_CACHE;
#endif
	status = ares_init_options(out, &o, mask);
	if (status != ARES_SUCCESS || servers == NULL)
		return status;
	status = ares_set_servers_ports_csv(*out, servers);
	if (status != ARES_SUCCESS)
		ares_destroy(*out);
	return status;
}

static void
ask(ares_channel channel, struct question *q, int family)
{
	struct ares_addrinfo_hints hints = { .ai_flags = ARES_AI_NOSORT,
		.ai_family = family,
		.ai_socktype = SOCK_STREAM };

	ares_getaddrinfo(channel, q->lookup->host, NULL, &hints, on_answer, q);
}

/* How long to wait for the sockets, in milliseconds; 0: no time is left. */
static int
patience(ares_channel channel, int64_t deadline_ms)
{
	int64_t left = deadline_ms - clock_ms();
	struct timeval most, tv;

	if (left <= 0)
		return 0;
	if (left > CIMD_LOOKUP_MS)
		left = CIMD_LOOKUP_MS;
	most.tv_sec = (time_t)(left / 1000);
	most.tv_usec = (suseconds_t)(left % 1000 * 1000);
	if (ares_timeout(channel, &most, &tv) == &tv) {
		int64_t next =
		    (int64_t)tv.tv_sec * 1000 + (tv.tv_usec + 999) / 1000;

		if (next < left)
			left = next > 0 ? next : 1;
	}
	return (int)left;
}

/* Wait once and let c-ares work; false: the time is over, or poll failed. */
static bool
step(struct lookup *l, ares_channel channel, int64_t deadline_ms)
{
	struct pollfd fds[MAX_SOCKETS];
	nfds_t i, n = l->n_fds;
	int ms, ready;

	ms = patience(channel, deadline_ms);
	if (ms == 0 || l->too_many_fds)
		return false;
	/* A copy: l->fds changes while c-ares works. */
	memcpy(fds, l->fds, sizeof(fds));
	ready = poll(fds, n, ms);
	if (ready == -1)
		return errno == EINTR;
	if (ready == 0)
		ares_process_fd(channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	for (i = 0; i < n; i++) {
		if (fds[i].revents == 0)
			continue;
		ares_process_fd(channel,
		    fds[i].revents & ~POLLOUT ? fds[i].fd : ARES_SOCKET_BAD,
		    fds[i].revents & POLLOUT ? fds[i].fd : ARES_SOCKET_BAD);
	}
	return true;
}

/* Could the channel not be opened? */
static enum cimd_err
channel_fault(int status, struct cimd_error *err)
{
	if (status == ARES_ENOMEM)
		return err_no_memory(err);
	return err_set(err, CIMD_E_DNS, "5", "cannot ask name servers: %s",
	    ares_strerror(status));
}

/* Look in /etc/hosts; l->out->n is 0 if the name is not there. */
static enum cimd_err
search_files(struct lookup *l, struct cimd_error *err)
{
	struct question q = { .lookup = l };
	char where[] = "f";
	ares_channel channel;
	int status;

	status = open_channel(l, where, NULL, &channel);
	if (status != ARES_SUCCESS)
		return channel_fault(status, err);
	ask(channel, &q, AF_UNSPEC);
	ares_destroy(channel);
	return q.status == ARES_ENOMEM ? err_no_memory(err) : CIMD_OK;
}

/* Ask for both families at once; each q gets a status. */
static enum cimd_err
search_dns(struct lookup *l, const char *servers, int64_t deadline_ms,
    struct question q[2], struct cimd_error *err)
{
	char where[] = "b";
	ares_channel channel;
	int status;

	status = open_channel(l, where, servers, &channel);
	if (status != ARES_SUCCESS)
		return channel_fault(status, err);
	ask(channel, &q[0], AF_INET);
	ask(channel, &q[1], AF_INET6);
	while (!q[0].done || !q[1].done)
		if (!step(l, channel, deadline_ms))
			break;
	/* Answers what is still open with ARES_EDESTRUCTION. */
	ares_destroy(channel);
	return CIMD_OK;
}

/* The verdict on one family: success and "no data" are none. */
static enum cimd_err
family_fault(const struct lookup *l, const struct question *q, const char *what,
    struct cimd_error *err)
{
	switch (q->status) {
	case ARES_SUCCESS:
	case ARES_ENODATA:
		return CIMD_OK;
	case ARES_ENOMEM:
		return err_no_memory(err);
	case ARES_ETIMEOUT:
	case ARES_EDESTRUCTION:
		return err_set(err, CIMD_E_TIMEOUT, "5",
		    "%s: no name server answered in time (%s)", l->host, what);
	default:
		return err_set(err, CIMD_E_DNS, "5", "%s: %s (%s)", l->host,
		    ares_strerror(q->status), what);
	}
}

static enum cimd_err
judge_answers(const struct lookup *l, const struct question q[2],
    struct cimd_error *err)
{
	enum cimd_err e;

	e = family_fault(l, &q[0], "A", err);
	if (e == CIMD_OK)
		e = family_fault(l, &q[1], "AAAA", err);
	if (e == CIMD_OK && l->out->n == 0)
		e = err_set(err, CIMD_E_DNS, "5", "%s has no address", l->host);
	return e;
}

bool
dns_literal(struct span host, struct netaddr *out)
{
	bool brackets =
	    host.n >= 2 && host.p[0] == '[' && host.p[host.n - 1] == ']';

	if (brackets)
		host = (struct span){ host.p + 1, host.n - 2 };
	return netaddr_parse(host, out) && (out->len == 16) == brackets;
}

/* Nothing that a name server would take for something else. */
static bool
is_name(struct span host)
{
	size_t i;

	for (i = 0; i < host.n; i++) {
		char c = host.p[i];

		if (!ascii_alpha(c) && !ascii_digit(c) && c != '-' && c != '.')
			return false;
	}
	return host.n > 0 && host.n <= CIMD_MAX_HOST;
}

static enum cimd_err
search(struct lookup *l, const char *servers, int64_t deadline_ms,
    struct cimd_error *err)
{
	struct question q[2] = { { .lookup = l }, { .lookup = l } };
	enum cimd_err e;

	e = search_files(l, err);
	if (e == CIMD_OK && l->out->n == 0 && !l->too_many) {
		e = search_dns(l, servers, deadline_ms, q, err);
		if (e == CIMD_OK)
			e = judge_answers(l, q, err);
	}
	if (e == CIMD_OK && l->too_many)
		e = err_set(err, CIMD_E_DNS, "5",
		    "%s has more than %d addresses", l->host,
		    CIMD_MAX_ADDRESSES);
	return e;
}

enum cimd_err
dns_resolve(struct span host, const char *servers, int64_t deadline_ms,
    struct dns_addresses *out, struct cimd_error *err)
{
	char name[CIMD_MAX_HOST + 1];
	struct lookup l = { .host = name, .out = out };

	out->n = 0;
	if (dns_literal(host, &out->addr[0])) {
		out->n = 1;
		return CIMD_OK;
	}
	if (!is_name(host))
		return err_set(err, CIMD_E_DNS, "5", "no host name");
	memcpy(name, host.p, host.n);
	name[host.n] = '\0';
	return search(&l, servers, deadline_ms, err);
}

/* ":" and a number from 1 to 65535, or nothing. */
static bool
is_port(struct span s)
{
	unsigned int port = 0;
	size_t i;

	if (s.n == 0)
		return true;
	if (s.n < 2 || s.n > 6 || s.p[0] != ':')
		return false;
	for (i = 1; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		port = port * 10 + (unsigned int)(s.p[i] - '0');
	}
	return port >= 1 && port <= 65535;
}

/* 192.0.2.1, 192.0.2.1:53, 2001:db8::1, [2001:db8::1], [2001:db8::1]:53 */
static bool
is_server(struct span s)
{
	struct netaddr a;
	const char *end;
	size_t n;

	if (netaddr_parse(s, &a))
		return true;
	end = memchr(s.p, s.n > 0 && s.p[0] == '[' ? ']' : ':', s.n);
	if (end == NULL)
		return false;
	n = (size_t)(end - s.p) + (*end == ']' ? 1 : 0);
	return dns_literal((struct span){ s.p, n }, &a) &&
	    is_port((struct span){ s.p + n, s.n - n });
}

enum cimd_err
dns_check_servers(const char *servers, struct cimd_error *err)
{
	struct span one;

	for (;;) {
		one = (struct span){ servers, strcspn(servers, ",") };
		if (!is_server(one))
			return err_set(err, CIMD_E_CONFIG, "policy",
			    "\"%.*s\" is no address of a name server",
			    (int)(one.n < 64 ? one.n : 64), one.p);
		if (servers[one.n] == '\0')
			return CIMD_OK;
		servers += one.n + 1;
	}
}
