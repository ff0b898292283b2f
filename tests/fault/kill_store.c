/*
 * kill_store.c - kill -9 in the middle of writes
 * SPDX-License-Identifier: Apache-2.0
 *
 * usage: kill_store [KILLS]
 *
 * A child writes to a store and acknowledges each change over a pipe; after
 * some microseconds it is killed.  What it does follows from the number of
 * the round alone, so that this process knows what was acknowledged and
 * which one change may have been under way.  Then a fresh store must hold
 * exactly that, in records that are whole, and take new changes.
 *
 * Exits with 0 if nothing was lost, with 2 if something was (the control
 * program must), and with 1 if the test itself fails.
 */

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "store.h"

enum {
	KILLS = 50,
	CLIENTS = 24,
	VERSIONS = 900,  /* of a record: the length of its name */
	JTI_ROUNDS = 20, /* a jti is kept for so many rounds */
	MAX_ACKS = 4096,
	LIVE_FOR_US = 10000
};

enum kind {
	PUT,
	APPROVE,
	BLOCK,
	RELEASE,
	WITHDRAW,
	FORGET,
	SEE,
	USE_JTI,
	AUDIT,
	KINDS
};

/* One change. */
struct op {
	enum kind kind;
	uint32_t client;
	uint32_t version;
	uint32_t number; /* in its round */
};

/* What the store should say of one client. */
struct state {
	bool exists;
	enum governance governance;
	uint32_t live, approved; /* versions; 0: none */
	uint64_t lookups;
};

struct model {
	struct state client[CLIENTS];
	uint32_t round;
	uint32_t jti[JTI_ROUNDS]; /* changes acknowledged in that round */
};

static const struct store_limits limits = { 1000, 1000, 100000, 1000 };
static char dir[32] = "kill-XXXXXX";

static _Noreturn void
die(int status, const char *fmt, ...)
{
	char text[300];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	(void)fprintf(stderr, "kill_store: %s\n", text);
	exit(status);
}

/* The n-th random number of a round. */
static uint32_t
random_of(uint32_t round, uint32_t n)
{
	uint64_t x = ((uint64_t)round << 32 | n) + UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return (uint32_t)(x >> 32);
}

static struct op
op_of(uint32_t round, uint32_t number)
{
	const uint32_t random = random_of(round, number);
	struct op op = { (enum kind)(random % KINDS), random / 16 % CLIENTS,
		random / 1024 % VERSIONS + 1, number };

	return op;
}

static const char *
url_of(uint32_t client)
{
	static char url[64];

	(void)snprintf(url, sizeof(url), "https://h%u.example/client", client);
	return url;
}

static struct cimd_client *
record_of(uint32_t client, uint32_t version)
{
	static struct client_fields f;
	static char name[VERSIONS + 1];
	struct cimd_client *c = NULL;

	memset(name, 'a' + (int)(version % 26), version);
	f.text[CLIENT_ID] = span_of(url_of(client));
	f.text[CLIENT_NAME] = (struct span){ name, version };
	if (client_build(&f, &c, NULL) != CIMD_OK)
		die(1, "no record");
	return c;
}

static const char *
jti_of(uint32_t round, uint32_t number)
{
	static char jti[32];

	(void)snprintf(jti, sizeof(jti), "%u.%u", round, number);
	return jti;
}

static enum cimd_err
put(struct store *s, const struct op *op)
{
	struct entry *e = entry_new(span_of(url_of(op->client)));
	enum cimd_err code;

	if (e == NULL)
		die(1, "no memory");
	e->live = record_of(op->client, op->version);
	e->kept = true;
	code = store_put(s, e, 1, NULL);
	entry_free(&e);
	return code;
}

static enum cimd_err
govern(struct store *s, const struct op *op, enum governance governance)
{
	struct cimd_client *approved = NULL;
	enum cimd_err code;

	if (governance == GOVERN_APPROVED)
		approved = record_of(op->client, op->version);
	code = store_govern(s, span_of(url_of(op->client)), governance,
	    approved, 1, NULL);
	cimd_client_free(&approved);
	return code;
}

static enum cimd_err
see(struct store *s, const struct op *op)
{
	const struct store_activity a = { span_of(url_of(op->client)), "idp",
		op->version, 0, 1 };

	return store_add_activity(s, &a, 1, NULL);
}

static enum cimd_err
do_op(struct store *s, const struct op *op, uint32_t round)
{
	const struct span url = span_of(url_of(op->client));
	char line[32];

	switch (op->kind) {
	case PUT:
		return put(s, op);
	case APPROVE:
		return govern(s, op, GOVERN_APPROVED);
	case BLOCK:
		return govern(s, op, GOVERN_BLOCKED);
	case RELEASE:
		return govern(s, op, GOVERN_NONE);
	case WITHDRAW:
		return store_withdraw(s, url, NULL);
	case FORGET:
		return store_forget(s, url, NULL);
	case SEE:
		return see(s, op);
	case USE_JTI:
		return store_use_jti(s, span_of("iss"),
		    jti_of(round, op->number), round + JTI_ROUNDS, round, NULL);
	case AUDIT:
		(void)snprintf(line, sizeof(line), "%u.%u", round, op->number);
		return store_audit(s, 1, line, NULL);
	case KINDS:
		break;
	}
	return CIMD_E_INTERNAL;
}

/* What an operation does to what is known of its client. */
static void
apply(struct model *m, const struct op *op)
{
	struct state *c = &m->client[op->client];
	const struct state gone = { .exists = false };

	switch (op->kind) {
	case PUT:
		c->exists = true;
		c->live = op->version;
		break;
	case APPROVE:
	case BLOCK:
	case RELEASE:
		c->exists = true;
		c->governance = op->kind == APPROVE ? GOVERN_APPROVED :
		    op->kind == BLOCK               ? GOVERN_BLOCKED :
						      GOVERN_NONE;
		c->approved = op->kind == APPROVE ? op->version : 0;
		break;
	case WITHDRAW:
		c->live = 0;
		break;
	case FORGET:
		*c = (struct state){ .exists = c->governance == GOVERN_BLOCKED,
			.governance = GOVERN_BLOCKED };
		if (!c->exists)
			*c = gone;
		break;
	case SEE:
		c->lookups += c->exists ? op->version : 0;
		break;
	case USE_JTI:
	case AUDIT:
	case KINDS:
		break;
	}
}

/* The child: change after change until it is killed. */
static _Noreturn void
write_for_ever(uint32_t round, int fd)
{
	struct store *s = NULL;
	struct op op;
	uint32_t n;

	if (store_open(dir, &limits, &s, NULL) != CIMD_OK)
		_exit(1);
	for (n = 0; n < MAX_ACKS; n++) {
		op = op_of(round, n);
		if (do_op(s, &op, round) != CIMD_OK)
			_exit(1);
		if (write(fd, "a", 1) != 1)
			_exit(1);
	}
	_exit(0);
}

/* Let a child live for some time; how many changes did it acknowledge? */
static uint32_t
run_child(uint32_t round)
{
	struct timespec life = { 0, 0 };
	uint32_t acks = 0;
	int fd[2], status;
	char ack;
	pid_t pid;

	if (pipe(fd) == -1 || (pid = fork()) == -1)
		die(1, "no child");
	if (pid == 0) {
		(void)close(fd[0]);
		write_for_ever(round, fd[1]);
	}
	(void)close(fd[1]);
	/* Of four, one dies while it opens the store. */
	if (round % 4 != 0 && read(fd[0], &ack, 1) == 1)
		acks++;
	life.tv_nsec =
	    1000L * (50 + random_of(round, UINT32_MAX) % LIVE_FOR_US);
	(void)nanosleep(&life, NULL);
	(void)kill(pid, SIGKILL);
	if (waitpid(pid, &status, 0) != pid)
		die(1, "the child is lost");
	if (WIFEXITED(status) && WEXITSTATUS(status) != 0)
		die(1, "the child could not write");
	while (read(fd[0], &ack, 1) == 1)
		acks++;
	(void)close(fd[0]);
	return acks;
}

/* Which version is a record?  It must be all of one. */
static uint32_t
version_of(const struct cimd_client *c, uint32_t client)
{
	struct cimd_client *whole;
	uint32_t version;

	if (c == NULL)
		return 0;
	version = (uint32_t)strlen(cimd_client_get(c, "client_name"));
	whole = record_of(client, version);
	if (!span_eq(client_bytes(c), client_bytes(whole)))
		die(2, "client %u: a torn record", client);
	cimd_client_free(&whole);
	return version;
}

static void
sum_lookups(void *ctx, const struct store_row *row)
{
	*(uint64_t *)ctx += row->lookups;
}

static struct state
read_state(struct store *s, uint32_t client)
{
	struct cimd_error err = { 0 };
	struct state state = { .exists = false };
	struct store_query q = { NULL, NULL, 0, 100 };
	struct entry *e = NULL;

	if (store_read(s, span_of(url_of(client)), &e, &err) != CIMD_OK)
		die(2, "client %u: %s", client, err.text);
	if (e == NULL)
		return state;
	state.exists = true;
	state.governance = e->governance;
	state.live = version_of(e->live, client);
	state.approved = version_of(e->word.approved, client);
	q.contains = url_of(client);
	if (store_list(s, &q, sum_lookups, &state.lookups, &err) != CIMD_OK)
		die(2, "client %u: %s", client, err.text);
	entry_free(&e);
	return state;
}

static bool
same(const struct state *a, const struct state *b)
{
	return a->exists == b->exists && a->governance == b->governance &&
	    a->live == b->live && a->approved == b->approved &&
	    a->lookups == b->lookups;
}

/* Every client is as it was acknowledged, or with the change under way. */
static void
check_clients(struct store *s, struct model *m, const struct op *under_way)
{
	struct model then = *m;
	struct state is;
	uint32_t i;

	apply(&then, under_way);
	for (i = 0; i < CLIENTS; i++) {
		is = read_state(s, i);
		if (!same(&is, &m->client[i]) && !same(&is, &then.client[i]))
			die(2,
			    "client %u: governance %d, live %u, approved %u, "
			    "lookups %llu; lost: %d, %u, %u, %llu",
			    i, (int)is.governance, is.live, is.approved,
			    (unsigned long long)is.lookups,
			    (int)m->client[i].governance, m->client[i].live,
			    m->client[i].approved,
			    (unsigned long long)m->client[i].lookups);
		m->client[i] = is;
	}
}

/* No acknowledged jti of the last rounds can be used again. */
static void
check_jti(struct store *s, const struct model *m)
{
	uint32_t round, n, first = 0;
	struct op op;

	if (m->round >= JTI_ROUNDS)
		first = m->round - JTI_ROUNDS + 1;
	for (round = first; round <= m->round; round++) {
		for (n = 0; n < m->jti[round % JTI_ROUNDS]; n++) {
			op = op_of(round, n);
			if (op.kind != USE_JTI)
				continue;
			if (store_use_jti(s, span_of("iss"), jti_of(round, n),
				round + JTI_ROUNDS, m->round,
				NULL) != CIMD_E_REPLAY)
				die(2, "jti %s is lost", jti_of(round, n));
		}
	}
}

static void
take_line(void *ctx, const char *line)
{
	(void)snprintf(ctx, 32, "%s", line);
}

/* The last line is the last one acknowledged, or the one under way. */
static void
check_audit(struct store *s, uint32_t round, uint32_t acks)
{
	char is[32] = "", was[32];
	struct op op;
	uint32_t n;

	if (store_audit_tail(s, 1, take_line, is, NULL) != CIMD_OK)
		die(2, "the audit tail cannot be read");
	for (n = acks + 1; n-- > 0;) {
		op = op_of(round, n);
		if (op.kind != AUDIT)
			continue;
		(void)snprintf(was, sizeof(was), "%u.%u", round, n);
		if (strcmp(is, was) == 0)
			return;
		if (n < acks)
			die(2, "line %s is lost; the last is %s", was, is);
	}
}

static void
check(struct model *m, uint32_t round, uint32_t acks)
{
	struct cimd_error err = { 0 };
	struct store_figures figures;
	struct store *s = NULL;
	struct op op;
	char buf[200];
	uint32_t n;

	if (store_open(dir, &limits, &s, &err) != CIMD_OK)
		die(2, "%s", err.text);
	if (store_problem(s, buf, sizeof(buf)) != NULL)
		die(2, "%s", buf);
	m->round = round;
	m->jti[round % JTI_ROUNDS] = acks;
	for (n = 0; n < acks; n++) {
		op = op_of(round, n);
		apply(m, &op);
	}
	op = op_of(round, acks);
	check_clients(s, m, &op);
	check_jti(s, m);
	check_audit(s, round, acks);
	if (store_figures(s, &figures, NULL) != CIMD_OK || figures.damaged != 0)
		die(2, "%llu records are damaged",
		    (unsigned long long)figures.damaged);
	store_close(&s);
}

static void
remove_dir(void)
{
	static const char *const names[] = { "cimd.db", "cimd.db-wal",
		"cimd.db-shm", "cimd.lock" };
	char path[64];
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		(void)unlink(path);
	}
	(void)rmdir(dir);
}

int
main(int argc, char **argv)
{
	const char *text = argc > 1 ? argv[1] : getenv("KILLS");
	unsigned long kills = KILLS;
	struct model m = { .round = 0 };
	uint64_t acks = 0;
	uint32_t round, n;

	if (text != NULL && text[0] != '\0')
		kills = strtoul(text, NULL, 10);
	if (kills == 0 || mkdtemp(dir) == NULL)
		die(1, "usage: kill_store [KILLS]");
	(void)atexit(remove_dir);
	for (round = 0; round < kills; round++) {
		n = run_child(round);
		check(&m, round, n);
		acks += n;
	}
	(void)printf("%lu kills, %llu acknowledged changes, none lost\n", kills,
	    (unsigned long long)acks);
	/* Three of four wait for one at least, however slow the disk is. */
	return acks >= kills / 4 * 3 ? 0 : 1;
}
