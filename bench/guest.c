/*
 * guest.c - what a question to cimdd adds to a process, new or long-lived
 * SPDX-License-Identifier: Apache-2.0
 *
 * usage: guest DEED WHERE URL [ROUNDS]
 *   nothing    end at once: with all libraries that the others link
 *   exchange   one exchange of bytes with the socket (WHERE), no library
 *   lookup     one question through libcimdclient
 *   permit     one account of PAM, pam_permit.so (WHERE: folder of services)
 *   account    the same with pam_cimd.so
 *   raw        ROUNDS such exchanges
 *   client     ROUNDS questions through libcimdclient
 *   pam        ROUNDS accounts on handles of their own, pam_cimd.so
 *   new-client ROUNDS processes that do "nothing", "exchange" and "lookup"
 *   new-pam    ROUNDS processes that do "permit" and "account"
 * The last five print "NAME P50 P99" in nanoseconds.  Of processes that is
 * the time of the processor that they used: of the other one they share it
 * with whoever else is there.
 */

#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <security/pam_appl.h>

#include "client/cimdclient.h"
#include "client/question.h"

struct guest {
	const char *self, *where, *url;
	size_t rounds;
};

typedef void deed_fn(const struct guest *g);

static void
must(bool good, const char *what)
{
	if (good)
		return;
	(void)fprintf(stderr, "guest: %s\n", what);
	exit(1);
}

static int64_t
now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int
by_value(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void
report(const char *name, int64_t *ns, size_t n)
{
	qsort(ns, n, sizeof(*ns), by_value);
	(void)printf("%s %lld %lld\n", name, (long long)ns[n / 2],
	    (long long)ns[n * 99 / 100]);
}

static struct cimdclient_ask
question_of(const struct guest *g)
{
	return (struct cimdclient_ask){ .socket = g->where,
		.client_id = g->url,
		.client_id_len = strlen(g->url),
		.purpose = CIMD_TOKEN };
}

static void
lookup(const struct guest *g)
{
	struct cimdclient_ask ask = question_of(g);
	struct cimdclient_answer *a;

	if (cimdclient_lookup(&ask, &a) != CIMD_ACCEPTED)
		must(false, cimdclient_detail(a));
	cimdclient_free(&a);
}

static void
raw(const struct guest *g)
{
	struct cimdclient_ask ask = question_of(g);
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	struct question q;
	char buffer[3000];
	ssize_t n;
	int fd;

	must(question_write(&ask, false, &q, NULL) == CIMD_OK, "question");
	must(strlen(g->where) < sizeof(to.sun_path), "path");
	memcpy(to.sun_path, g->where, strlen(g->where) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	must(connect(fd, (const struct sockaddr *)&to, sizeof(to)) == 0,
	    "connect");
	must(send(fd, q.p, q.n, MSG_NOSIGNAL) == (ssize_t)q.n, "send");
	n = recv(fd, buffer, sizeof(buffer), 0);
	must(n > 12 && memcmp(buffer, "HTTP/1.1 200", 12) == 0, "answer");
	close(fd);
	question_clear(&q);
}

static int
say_nothing(int n, const struct pam_message **m, struct pam_response **out,
    void *data)
{
	(void)n;
	(void)m;
	(void)out;
	(void)data;
	return PAM_CONV_ERR;
}

static void
visit(const struct guest *g, const char *service)
{
	const struct pam_conv conv = { say_nothing, NULL };
	pam_handle_t *h = NULL;

	must(pam_start_confdir(service, g->url, &conv, g->where, &h) ==
		PAM_SUCCESS,
	    "pam_start_confdir");
	must(pam_acct_mgmt(h, 0) == PAM_SUCCESS, "pam_acct_mgmt");
	(void)pam_end(h, PAM_SUCCESS);
}

static void
permit(const struct guest *g)
{
	visit(g, "permit");
}

static void
account(const struct guest *g)
{
	visit(g, "cimd");
}

static void
nothing(const struct guest *g)
{
	(void)g;
}

/* The time of the processor that a process of its own uses for a deed. */
static int64_t
spawn(const struct guest *g, const char *deed)
{
	char words[4][512];
	char *argv[] = { words[0], words[1], words[2], words[3], NULL };
	struct rusage used;
	int status = -1;
	pid_t child;

	(void)snprintf(words[0], sizeof(words[0]), "%s", g->self);
	(void)snprintf(words[1], sizeof(words[1]), "%s", deed);
	(void)snprintf(words[2], sizeof(words[2]), "%s", g->where);
	(void)snprintf(words[3], sizeof(words[3]), "%s", g->url);
	must(posix_spawn(&child, g->self, NULL, NULL, argv, environ) == 0,
	    "posix_spawn");
	must(wait4(child, &status, 0, &used) == child && status == 0, deed);
	return ((int64_t)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) *
		       1000000 +
		   used.ru_utime.tv_usec + used.ru_stime.tv_usec) *
	    1000;
}

static int64_t *
room(const struct guest *g)
{
	int64_t *ns = calloc(g->rounds, sizeof(*ns));

	must(ns != NULL && g->rounds > 0, "rounds");
	return ns;
}

/* Processes of each kind in turn; names ends with a NULL. */
static void
compare(const struct guest *g, const char *const *names)
{
	int64_t *ns[3] = { room(g), room(g), room(g) };
	size_t i, k;

	for (i = 0; i < g->rounds; i++)
		for (k = 0; names[k] != NULL; k++)
			ns[k][i] = spawn(g, names[k]);
	for (k = 0; names[k] != NULL; k++)
		report(names[k], ns[k], g->rounds);
	for (k = 0; k < 3; k++)
		free(ns[k]);
}

static void
new_client(const struct guest *g)
{
	static const char *const names[] = { "nothing", "exchange", "lookup",
		NULL };

	compare(g, names);
}

static void
new_pam(const struct guest *g)
{
	static const char *const names[] = { "permit", "account", NULL };

	compare(g, names);
}

static void
repeat(const struct guest *g, const char *name, deed_fn *deed)
{
	int64_t *ns = room(g), start;
	size_t i;

	deed(g);
	for (i = 0; i < g->rounds; i++) {
		start = now_ns();
		deed(g);
		ns[i] = now_ns() - start;
	}
	report(name, ns, g->rounds);
	free(ns);
}

static void
many_raw(const struct guest *g)
{
	repeat(g, "raw", raw);
}

static void
many_lookups(const struct guest *g)
{
	repeat(g, "client", lookup);
}

static void
many_accounts(const struct guest *g)
{
	repeat(g, "pam", account);
}

static const struct {
	const char *name;
	deed_fn *deed;
} deeds[] = {
	{ "nothing", nothing },
	{ "exchange", raw },
	{ "lookup", lookup },
	{ "permit", permit },
	{ "account", account },
	{ "raw", many_raw },
	{ "client", many_lookups },
	{ "pam", many_accounts },
	{ "new-client", new_client },
	{ "new-pam", new_pam },
};

int
main(int argc, char **argv)
{
	struct guest g = { argv[0], NULL, NULL, 0 };
	size_t i;

	if (argc < 4)
		return 2;
	g.where = argv[2];
	g.url = argv[3];
	if (argc > 4)
		g.rounds = strtoul(argv[4], NULL, 10);
	for (i = 0; i < sizeof(deeds) / sizeof(deeds[0]); i++)
		if (strcmp(deeds[i].name, argv[1]) == 0) {
			deeds[i].deed(&g);
			return 0;
		}
	return 2;
}
