/*
 * pamtest.c - pam_cimd.so through libpamtest, and as a guest in a process
 * SPDX-License-Identifier: Apache-2.0
 *
 * pamtest USER: run by machinery.py under pam_wrapper, with assertions in the
 * lines of standard input, as many as there are.  The services are cimd (our
 * module), and local, in which it ignores users that are no clients.
 */

#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <libpamtest.h>
#include <security/pam_appl.h>

enum {
	MAX_TOKENS = 64,
	MAX_LINE = 8192,
	LOOPS = 20,
};

/* USER, and the assertions that are left. */
struct given {
	const char *user;
	char *tokens[MAX_TOKENS];
	size_t n, next;
};

static const char *
next_token(struct given *g)
{
	assert_true(g->next < g->n);
	return g->tokens[g->next++];
}

static void
whole_visit(void **state)
{
	struct given *g = *state;
	const char *password[] = { next_token(g), NULL };
	struct pamtest_conv_data conv = { .in_echo_off = password };
	struct pam_testcase visit[] = {
		pam_test(PAMTEST_AUTHENTICATE, PAM_SUCCESS),
		pam_test(PAMTEST_SETCRED, PAM_SUCCESS),
		pam_test(PAMTEST_ACCOUNT, PAM_SUCCESS),
		pam_test(PAMTEST_OPEN_SESSION, PAM_SUCCESS),
		pam_test(PAMTEST_CLOSE_SESSION, PAM_SUCCESS),
	};
	struct pam_testcase again[] = {
		pam_test(PAMTEST_AUTHENTICATE, PAM_AUTH_ERR),
	};

	assert_int_equal(run_pamtest("cimd", g->user, &conv, visit, NULL),
	    PAMTEST_ERR_OK);
	conv = (struct pamtest_conv_data){ .in_echo_off = password };
	assert_int_equal(run_pamtest("cimd", g->user, &conv, again, NULL),
	    PAMTEST_ERR_OK);
}

static void
account_alone(void **state)
{
	struct given *g = *state;
	struct pam_testcase visit[] = {
		pam_test(PAMTEST_ACCOUNT, PAM_SUCCESS),
	};
	struct pam_testcase other[] = {
		pam_test(PAMTEST_ACCOUNT, PAM_USER_UNKNOWN),
	};

	assert_int_equal(run_pamtest("cimd", g->user, NULL, visit, NULL),
	    PAMTEST_ERR_OK);
	assert_int_equal(run_pamtest("cimd", "alice", NULL, other, NULL),
	    PAMTEST_ERR_OK);
}

static void
others_are_ignored(void **state)
{
	const char *password[] = { "secret", NULL };
	struct pamtest_conv_data conv = { .in_echo_off = password };
	struct pam_testcase visit[] = {
		pam_test(PAMTEST_AUTHENTICATE, PAM_SUCCESS),
		pam_test(PAMTEST_SETCRED, PAM_SUCCESS),
		pam_test(PAMTEST_ACCOUNT, PAM_SUCCESS),
	};

	(void)state;
	assert_int_equal(run_pamtest("local", "alice", &conv, visit, NULL),
	    PAMTEST_ERR_OK);
}

/* A conversation that says one password. */
static int
say(int n, const struct pam_message **m, struct pam_response **out, void *data)
{
	(void)m;
	if (n != 1 || (*out = calloc(1, sizeof(**out))) == NULL)
		return PAM_CONV_ERR;
	(*out)->resp = strdup(data);
	return PAM_SUCCESS;
}

/* A handle of its own: load, ask, unload. */
static int
visit(const char *user, const char *token)
{
	union {
		const char *in;
		void *out;
	} word = { token };
	struct pam_conv conv = { say, word.out };
	pam_handle_t *h = NULL;
	int e;

	assert_int_equal(pam_start("cimd", user, &conv, &h), PAM_SUCCESS);
	e = token != NULL ? pam_authenticate(h, 0) : PAM_SUCCESS;
	if (e == PAM_SUCCESS)
		e = pam_acct_mgmt(h, 0);
	(void)pam_end(h, e);
	return e;
}

/* What a guest must leave as it was. */
struct house {
	size_t files, threads;
	mode_t mask;
	sigset_t blocked;
	struct sigaction pipe;
	char folder[512];
};

static size_t
count(const char *path)
{
	DIR *d = opendir(path);
	size_t n = 0;

	assert_non_null(d);
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n;
}

static void
look_round(struct house *h)
{
	memset(h, 0, sizeof(*h));
	h->files = count("/proc/self/fd");
	h->threads = count("/proc/self/task");
	h->mask = umask(022);
	(void)umask(h->mask);
	assert_int_equal(sigprocmask(SIG_BLOCK, NULL, &h->blocked), 0);
	assert_int_equal(sigaction(SIGPIPE, NULL, &h->pipe), 0);
	assert_non_null(getcwd(h->folder, sizeof(h->folder)));
}

static void
leaves_its_host_alone(void **state)
{
	struct given *g = *state;
	struct house before, after;
	int i;

	assert_int_equal(visit(g->user, NULL), PAM_SUCCESS);
	look_round(&before);
	for (i = 0; i < LOOPS; i++)
		assert_int_equal(visit(g->user, next_token(g)), PAM_SUCCESS);
	look_round(&after);
	assert_int_equal(after.files, before.files);
	assert_int_equal(after.threads, before.threads);
	assert_int_equal(after.mask, before.mask);
	assert_memory_equal(&after.blocked, &before.blocked,
	    sizeof(after.blocked));
	assert_ptr_equal(after.pipe.sa_handler, before.pipe.sa_handler);
	assert_string_equal(after.folder, before.folder);
}

/* A handle that was made before a fork works in the child. */
static void
works_in_children(void **state)
{
	struct given *g = *state;
	struct pam_conv conv = { say, NULL };
	pam_handle_t *h = NULL;
	int i, status;
	pid_t child;

	assert_int_equal(pam_start("cimd", g->user, &conv, &h), PAM_SUCCESS);
	assert_int_equal(pam_acct_mgmt(h, 0), PAM_SUCCESS);
	for (i = 0; i < 3; i++) {
		child = fork();
		assert_int_not_equal(child, -1);
		if (child == 0)
			_exit(pam_acct_mgmt(h, 0) == PAM_SUCCESS ? 0 : 1);
		assert_int_equal(pam_acct_mgmt(h, 0), PAM_SUCCESS);
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_int_equal(status, 0);
	}
	assert_int_equal(pam_end(h, PAM_SUCCESS), PAM_SUCCESS);
}

int
main(int argc, char **argv)
{
	struct given given = { 0 };
	static char line[MAX_LINE];
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_prestate(whole_visit, &given),
		cmocka_unit_test_prestate(account_alone, &given),
		cmocka_unit_test_prestate(others_are_ignored, &given),
		cmocka_unit_test_prestate(leaves_its_host_alone, &given),
		cmocka_unit_test_prestate(works_in_children, &given),
	};
	int failed;

	if (argc != 2)
		return 2;
	given.user = argv[1];
	while (given.n < MAX_TOKENS && fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		given.tokens[given.n++] = strdup(line);
	}
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	while (given.n > 0)
		free(given.tokens[--given.n]);
	return failed;
}
