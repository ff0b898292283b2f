/*
 * test_capture.c - programs that are run, and the configuration child
 * SPDX-License-Identifier: Apache-2.0
 *
 * config_load() runs the program that it is part of, here this one: main()
 * plays the child, and the name of the file says how.
 */

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "capture.h"
#include "config.h"

/* Run a line of shell; long enough for any machine unless it says less. */
static enum cimd_err
shell(const char *line, size_t max_bytes, int64_t timeout_ms,
    struct capture_output *o, struct cimd_error *err)
{
	const struct capture_limits limits = { max_bytes, timeout_ms };
	char sh[] = "sh", c[] = "-c", copy[256];
	char *const argv[] = { sh, c, copy, NULL };

	(void)snprintf(copy, sizeof(copy), "%s", line);
	return capture_run("/bin/sh", argv, &limits, o, err);
}

static void
output_and_status_are_taken(void **state)
{
	struct capture_output o;
	struct cimd_error err;

	(void)state;
	assert_int_equal(shell("printf 'a\\nb'; exit 7", 3, 60000, &o, &err),
	    CIMD_OK);
	assert_string_equal(o.data, "a\nb");
	assert_int_equal(o.len, 3);
	assert_int_equal(WEXITSTATUS(o.status), 7);
	free(o.data);
	assert_int_equal(shell("kill -9 $$", 3, 60000, &o, &err), CIMD_OK);
	assert_true(WIFSIGNALED(o.status));
	assert_int_equal(WTERMSIG(o.status), SIGKILL);
	free(o.data);
	assert_int_equal(shell("cat", 3, 60000, &o, &err), CIMD_OK);
	assert_int_equal(o.len, 0); /* there is no input */
	free(o.data);
}

static void
limits_are_kept(void **state)
{
	struct capture_output o;
	struct cimd_error err;

	(void)state;
	assert_int_equal(shell("printf abcd", 3, 60000, &o, &err),
	    CIMD_E_STATE);
	assert_string_equal(err.text, "it printed more than 3 bytes");
	free(o.data);
	assert_int_equal(shell("while :; do echo x; done", 999, 60000, &o,
			     &err),
	    CIMD_E_STATE);
	free(o.data);
	assert_int_equal(shell("echo x; exec sleep 1000", 99, 50, &o, &err),
	    CIMD_E_STATE);
	assert_string_equal(err.text, "it took too long");
	assert_true(WIFSIGNALED(o.status)); /* it was killed, and reaped */
	free(o.data);
	assert_int_equal(wait(NULL), -1);
}

/* Output that has ended is no reason to wait for the process for ever. */
static void
closed_output_is_no_end(void **state)
{
	struct capture_output o;
	struct cimd_error err;

	(void)state;
	assert_int_equal(shell("exec >&-; exec sleep 1000", 99, 60000, &o,
			     &err),
	    CIMD_OK);
	assert_true(WIFSIGNALED(o.status));
	free(o.data);
}

static void
missing_program_is_named(void **state)
{
	static const struct capture_limits limits = { 10, 60000 };
	char name[] = "x";
	char *const argv[] = { name, NULL };
	struct capture_output o;
	struct cimd_error err;

	(void)state;
	assert_int_equal(capture_run("/nonexistent/x", argv, &limits, &o, &err),
	    CIMD_E_STATE);
	assert_string_equal(err.text,
	    "cannot run /nonexistent/x: No such file or directory");
	free(o.data);
}

static void
descriptors_are_not_inherited(void **state)
{
	struct capture_output o;
	struct cimd_error err;
	int fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 200);
	char line[64];

	(void)state;
	assert_true(fd >= 200);
	(void)snprintf(line, sizeof(line), "[ -e /proc/$$/fd/%d ]", fd);
	assert_int_equal(shell(line, 99, 60000, &o, &err), CIMD_OK);
	assert_int_equal(WEXITSTATUS(o.status), 1);
	free(o.data);
	assert_int_equal(close(fd), 0);
}

static const struct {
	const char *name; /* of the file */
	enum cimd_err e;
	const char *text;
} children[] = {
	{ "good", CIMD_OK, NULL },
	{ "dies", CIMD_E_STATE, "the configuration child died of signal 6" },
	{ "fails", CIMD_E_STATE,
	    "the configuration child ended with status 3" },
	{ "silent", CIMD_E_STATE, "the configuration child printed no JSON" },
	{ "garbage", CIMD_E_STATE, "the configuration child printed no JSON" },
	{ "array", CIMD_E_STATE, "the configuration child printed no JSON" },
	{ "half", CIMD_E_STATE, "the configuration child printed no JSON" },
	{ "flood", CIMD_E_STATE,
	    "the configuration child: it printed more than 1048576 bytes" },
	{ "no-reason", CIMD_E_STATE, "the configuration child gave no reason" },
	{ "reason", CIMD_E_CONFIG, "f:3: bad (and 1 more)" },
};

/* Be one of them. */
static int
play(const char *name)
{
	static const char both[] =
	    "{\"errors\":[{\"file\":\"f\",\"line\":3,\"text\":\"bad\"},"
	    "{\"file\":\"g\",\"line\":0,\"text\":\"worse\"}]}";
	int i;

	if (strcmp(name, "good") == 0)
		puts("{\"daemon\":{\"user\":\"x\",\"max_connections\":100}}");
	else if (strcmp(name, "dies") == 0)
		abort();
	else if (strcmp(name, "fails") == 0)
		return 3;
	else if (strcmp(name, "garbage") == 0)
		puts("garbage");
	else if (strcmp(name, "array") == 0)
		puts("[]");
	else if (strcmp(name, "half") == 0)
		puts("{\"daemon\":{");
	for (i = 0; strcmp(name, "flood") == 0 && i < 200000; i++)
		puts("0123456789");
	if (strcmp(name, "no-reason") == 0)
		puts("{\"errors\":[]}");
	else if (strcmp(name, "reason") == 0)
		puts(both);
	else
		return 0;
	return 1;
}

static void
child_is_not_believed(void **state)
{
	struct conf_sources from = { NULL, "d", "c" };
	struct cimd_error err;
	struct config config;
	char *faults;
	enum cimd_err e;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(children) / sizeof(children[0]); i++) {
		from.file = children[i].name;
		e = config_load(&from, &config, &faults, &err);
		assert_int_equal(e, children[i].e);
		if (e != CIMD_OK)
			assert_string_equal(err.text, children[i].text);
		if (e == CIMD_E_CONFIG)
			assert_string_equal(faults, "f:3: bad\ng: worse\n");
		else
			assert_null(faults);
		free(faults);
		config_clear(&config);
	}
}

static void
settings_have_their_defaults(void **state)
{
	const struct conf_sources from = { "good", "d", "c" };
	struct cimd_error err;
	struct config config;

	(void)state;
	assert_int_equal(config_load(&from, &config, NULL, &err), CIMD_OK);
	assert_string_equal(config.daemon.user, "x");
	assert_string_equal(config.daemon.socket_group, "cimd");
	assert_string_equal(config.daemon.admin_socket, "/run/cimd/admin.sock");
	assert_int_equal(config.daemon.max_connections, 100);
	assert_int_equal(config.daemon.max_connections_uid, 75);
	assert_int_equal(config.daemon.request_timeout_ms, 5000);
	assert_false(config.development_loopback);
	config_clear(&config);
	assert_null(config.json);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(output_and_status_are_taken),
		cmocka_unit_test(limits_are_kept),
		cmocka_unit_test(closed_output_is_no_end),
		cmocka_unit_test(missing_program_is_named),
		cmocka_unit_test(descriptors_are_not_inherited),
		cmocka_unit_test(child_is_not_believed),
		cmocka_unit_test(settings_have_their_defaults),
	};

	if (argc == 9 && strcmp(argv[2], "--json") == 0)
		return play(argv[4]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
