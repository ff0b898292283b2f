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

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <security/pam_appl.h>

#include "client/cimdclient.h"
#include "process.h"
#include "timing.h"

struct guest {
	char *const *argv;
	const char *where, *url;
	size_t rounds;
};

typedef void deed_fn(const struct guest *g);

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
	raw_exchange(g->where, g->url);
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

static void
new_client(const struct guest *g)
{
	static const char *const names[] = { "nothing", "exchange", "lookup",
		NULL };

	compare_processes(names, g->argv, g->rounds);
}

static void
new_pam(const struct guest *g)
{
	static const char *const names[] = { "permit", "account", NULL };

	compare_processes(names, g->argv, g->rounds);
}

static void
repeat(const struct guest *g, const char *name, deed_fn *deed)
{
	int64_t *ns = room_for(g->rounds), start;
	size_t i;

	deed(g);
	for (i = 0; i < g->rounds; i++) {
		start = now_ns(CLOCK_MONOTONIC);
		deed(g);
		ns[i] = now_ns(CLOCK_MONOTONIC) - start;
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
	struct guest g = { argv, NULL, NULL, 0 };
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
