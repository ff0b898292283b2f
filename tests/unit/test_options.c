/*
 * test_options.c - the command line of cimdd, and who is at a socket
 * SPDX-License-Identifier: Apache-2.0
 */

#include <fcntl.h>
#include <getopt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "listen.h"
#include "options.h"
#include "peer.h"

enum {
	MOST = 12, /* words of a command line */
};

/* Read a command line, whose words are parted by blanks; prints nothing. */
static int
read_line(const char *line, struct options *out)
{
	static char copy[256];
	char *argv[MOST] = { NULL }, *rest = copy;
	int argc = 0, status, null, saved[2], i;

	(void)snprintf(copy, sizeof(copy), "cimdd %s", line);
	while (rest != NULL && argc < MOST - 1)
		if (*(argv[argc] = strsep(&rest, " ")) != '\0')
			argc++;
	argv[argc] = NULL;
	(void)fflush(stdout);
	assert_true((null = open("/dev/null", O_WRONLY)) != -1);
	for (i = 0; i < 2; i++) {
		assert_true((saved[i] = dup(i + 1)) != -1);
		assert_int_equal(dup2(null, i + 1), i + 1);
	}
	optind = 0; /* glibc: begin anew */
	status = options_read(argc, argv, out);
	(void)fflush(stdout);
	for (i = 0; i < 2; i++) {
		assert_int_equal(dup2(saved[i], i + 1), i + 1);
		(void)close(saved[i]);
	}
	(void)close(null);
	return status;
}

static void
options_are_read(void **state)
{
	struct options o;

	(void)state;
	assert_int_equal(read_line("", &o), EXIT_CLEAN);
	assert_int_equal(o.mode, MODE_RUN);
	assert_true(o.system);
	assert_non_null(strstr(o.from.file, "/cimd/cimd.conf"));
	assert_non_null(strstr(o.from.dir, "/cimd/conf.d"));
	options_clear(&o);
	assert_int_equal(read_line("-v -c /a/b.conf -C x", &o), EXIT_CLEAN);
	assert_true(o.verbose);
	assert_false(o.system);
	assert_string_equal(o.from.file, "/a/b.conf");
	assert_string_equal(o.from.dir, "/a/conf.d");
	assert_string_equal(o.from.catalog, "x");
	options_clear(&o);
	assert_int_equal(read_line("--test --config=b.conf", &o), EXIT_CLEAN);
	assert_int_equal(o.mode, MODE_CHECK);
	assert_string_equal(o.from.dir, "conf.d");
	options_clear(&o);
	assert_int_equal(read_line("-t --json -d /x -c /b", &o), EXIT_CLEAN);
	assert_int_equal(o.mode, MODE_CHECK_JSON);
	assert_string_equal(o.from.dir, "/x");
	assert_null(o.beside);
	options_clear(&o);
	assert_int_equal(read_line("--help --nonsense", &o), EXIT_CLEAN);
	assert_int_equal(o.mode, MODE_DONE);
	options_clear(&o);
}

static void
wrong_lines_are_refused(void **state)
{
	static const char *const lines[] = { "x", "-x", "-c", "--json", "-t x",
		"--jso", "--config", "-t --verbose=1", "-- x" };
	struct options o;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		assert_int_equal(read_line(lines[i], &o), EXIT_USAGE);
		options_clear(&o);
	}
}

static void
peer_is_who_connected(void **state)
{
	struct peer p;
	int pair[2], null;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_true(peer_read(pair[0], &p));
	assert_int_equal(p.uid, getuid());
	assert_true(p.n_gids >= 1);
	assert_int_equal(p.gids[0], getgid());
	assert_int_equal(p.n_gids, 1 + getgroups(0, NULL));
	peer_clear(&p);
	assert_null(p.gids);
	(void)close(pair[0]);
	(void)close(pair[1]);
	assert_false(peer_read(pair[0], &p));
	assert_null(p.gids);
	assert_true((null = open("/dev/null", O_RDONLY)) != -1);
	assert_false(peer_read(null, &p));
	(void)close(null);
}

/* One setting of the daemon that is no socket path is of no matter here. */
/* NOLINTBEGIN(readability-non-const-parameter) */
static struct daemon_settings
settings_of(char *lookup, char *admin)
{
	static char empty[] = "", root[] = "root";
	struct daemon_settings s = { .lookup_socket = lookup,
		.admin_socket = admin,
		.mux_socket = empty,
		.mux_group = root,
		.user = root,
		.socket_group = root };

	return s;
}
/* NOLINTEND(readability-non-const-parameter) */

/* The second socket cannot be made: the first one goes too. */
static void
nothing_is_left_of_a_failure(void **state)
{
	char dir[] = P_tmpdir "/listen-XXXXXX", lookup[128], admin[256];
	struct daemon_settings s = settings_of(lookup, admin);
	struct listeners l;
	struct cimd_error err;
	struct stat st;

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(listen_inherit(&l, &err), CIMD_OK);
	assert_false(l.inherited);
	(void)snprintf(lookup, sizeof(lookup), "%s/l", dir);
	(void)snprintf(admin, sizeof(admin), "%s/%0110d", dir, 0);
	assert_int_equal(listen_open(&l, &s, &err), CIMD_E_STATE);
	assert_non_null(strstr(err.text, "is too long for a socket"));
	assert_int_equal(lstat(lookup, &st), 0);
	listen_close(&l);
	assert_int_equal(lstat(lookup, &st), -1);
	(void)snprintf(admin, sizeof(admin), "%s/a", dir);
	assert_int_equal(listen_open(&l, &s, &err), CIMD_OK);
	assert_int_equal(lstat(admin, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	listen_close(&l);
	listen_close(&l);
	assert_int_equal(rmdir(dir), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_are_read),
		cmocka_unit_test(wrong_lines_are_refused),
		cmocka_unit_test(peer_is_who_connected),
		cmocka_unit_test(nothing_is_left_of_a_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
