/*
 * sasl.c - what a lookup costs in a SASL server, new or long-lived
 * SPDX-License-Identifier: Apache-2.0
 *
 * usage: sasl DEED SOCKET BASE ROUNDS - clients are BASE1, BASE2 and so on.
 *   long      ROUNDS questions of each kind in this process
 *   new       ROUNDS processes that do "nobody", "exchange" and "client"
 *   nobody    one question about a name that is no URL
 *   exchange  the same, and one exchange of bytes with SOCKET, no library
 *   client    one question about BASE1
 * The plugin and cimdd come from SASL_PATH and SASL_CONF_PATH (bench.conf).  A
 * question is one sasl_user_exists(), in which libsasl2 asks the plugin twice,
 * on a connection that is new to libsasl2 (its own memory for properties grows
 * with each question on one connection) and, with the same peer and at the
 * same address, old to the plugin.
 * The first two print "NAME P50 P99" in nanoseconds; of processes that is the
 * time of the processor, as in guest.c.
 */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sasl/sasl.h>

#include "process.h"
#include "timing.h"

enum {
	CLIENTS = 16, /* more than the memo of the plugin has */
	MAX_NAME = 1024,
};

struct bench {
	sasl_conn_t *conn;
	const char *base;
	size_t rounds;
	int64_t *took; /* nanoseconds of each round */
};

/* Ask for a client by its number; 0: for somebody who is none. */
static int64_t
ask(struct bench *b, size_t client)
{
	const int wanted = client == 0 ? SASL_NOUSER : SASL_OK;
	char name[MAX_NAME] = "alice";
	int64_t start, took;
	int status;

	if (client > 0)
		(void)snprintf(name, sizeof(name), "%s%zu", b->base, client);
	must(sasl_server_new("imap", "bench.example.com", NULL, NULL,
		 "192.0.2.7;40000", NULL, 0, &b->conn) == SASL_OK,
	    "sasl_server_new");
	start = now_ns(CLOCK_MONOTONIC);
	status = sasl_user_exists(b->conn, NULL, NULL, name);
	took = now_ns(CLOCK_MONOTONIC) - start;
	must(status == wanted, "a lookup went wrong");
	sasl_dispose(&b->conn);
	return took;
}

/* For the clients from 1 to n in turn. */
static void
run(struct bench *b, const char *label, size_t n)
{
	size_t i;

	for (i = 0; i < b->rounds; i++)
		b->took[i] = ask(b, n == 0 ? 0 : 1 + i % n);
	report(label, b->took, b->rounds);
}

static void
run_long(struct bench *b)
{
	b->took = room_for(b->rounds);
	run(b, "nobody", 0);
	run(b, "asked", CLIENTS);
	run(b, "kept", 1);
	free(b->took);
}

/* What a process of its own does; false: there is no such deed. */
static bool
do_once(struct bench *b, const char *deed, const char *socket_path)
{
	char url[MAX_NAME];

	if (strcmp(deed, "client") == 0) {
		(void)ask(b, 1);
		return true;
	}
	(void)ask(b, 0);
	(void)snprintf(url, sizeof(url), "%s1", b->base);
	if (strcmp(deed, "exchange") == 0)
		raw_exchange(socket_path, url);
	else
		return strcmp(deed, "nobody") == 0;
	return true;
}

int
main(int argc, char **argv)
{
	static const char *const kinds[] = { "nobody", "exchange", "client",
		NULL };
	struct bench b = { .conn = NULL };

	must(argc == 5, "usage: sasl DEED SOCKET BASE ROUNDS");
	b.base = argv[3];
	b.rounds = strtoul(argv[4], NULL, 10);
	if (strcmp(argv[1], "new") == 0) {
		compare_processes(kinds, argv, b.rounds);
		return 0;
	}
	must(sasl_server_init(NULL, "bench") == SASL_OK, "sasl_server_init");
	if (strcmp(argv[1], "long") == 0)
		run_long(&b);
	else
		must(do_once(&b, argv[1], argv[2]), "no such deed");
	sasl_server_done();
	return 0;
}
