/*
 * sasl.c - what a lookup costs in a SASL server that lives long
 * SPDX-License-Identifier: Apache-2.0
 *
 * usage: sasl BASE ROUNDS - clients are BASE1, BASE2 and so on.  The plugin
 * and cimdd come from SASL_PATH and SASL_CONF_PATH (bench.conf).  Each case
 * is one sasl_user_exists(), in which libsasl2 asks the plugin twice, on a
 * connection that is new to libsasl2 (its own memory for properties grows with
 * each question on one connection) and, with the same peer and at the same
 * address, old to the plugin.
 * Prints "NAME P50 P99" in nanoseconds for each.
 */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sasl/sasl.h>

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

static void
must(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "bench: %s\n", what);
	exit(2);
}

static int64_t
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int
compare(const void *a, const void *b)
{
	const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/*
 * Ask for the clients from 1 to n in turn; n = 0: for somebody who is none,
 * so that the plugin does nothing.
 */
static void
run(struct bench *b, const char *label, size_t n)
{
	const int wanted = n == 0 ? SASL_NOUSER : SASL_OK;
	char name[MAX_NAME];
	int64_t start;
	size_t i;
	int status;

	for (i = 0; i < b->rounds; i++) {
		if (n == 0)
			snprintf(name, sizeof(name), "alice");
		else
			snprintf(name, sizeof(name), "%s%zu", b->base,
			    1 + i % n);
		must(sasl_server_new("imap", "bench.example.com", NULL, NULL,
			 "192.0.2.7;40000", NULL, 0, &b->conn) == SASL_OK,
		    "sasl_server_new");
		start = now_ns();
		status = sasl_user_exists(b->conn, NULL, NULL, name);
		b->took[i] = now_ns() - start;
		must(status == wanted, "a lookup went wrong");
		sasl_dispose(&b->conn);
	}
	qsort(b->took, b->rounds, sizeof(*b->took), compare);
	printf("%s %lld %lld\n", label, (long long)b->took[b->rounds / 2],
	    (long long)b->took[b->rounds * 99 / 100]);
}

int
main(int argc, char **argv)
{
	struct bench b = { .conn = NULL };

	must(argc == 3, "usage: sasl BASE ROUNDS");
	b.base = argv[1];
	b.rounds = strtoul(argv[2], NULL, 10);
	must(b.rounds > 0, "no rounds");
	b.took = calloc(b.rounds, sizeof(*b.took));
	must(b.took != NULL, "memory");
	must(sasl_server_init(NULL, "bench") == SASL_OK, "sasl_server_init");
	run(&b, "nobody", 0);
	run(&b, "asked", CLIENTS);
	run(&b, "kept", 1);
	sasl_server_done();
	free(b.took);
	return 0;
}
