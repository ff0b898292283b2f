/*
 * test_exchange.c - libcimdclient against daemons that are good and others
 * SPDX-License-Identifier: Apache-2.0
 *
 * A child of the test listens at a UNIX socket and does what a daemon under
 * test might: answer, say nothing, say too much, end early.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "client/cimdclient.h"

#define ID "https://client.example/app.json"
#define BODY                                                                   \
	"{\"client\":{\"client_id\":\"" ID "\"},\"decision\":{"                \
	"\"trust\":\"trusted\",\"rule\":\"r\",\"auth_methods\":[\"none\"],"    \
	"\"redirect_uri_ok\":false},\"display\":{\"client_host\":\"h\"}}"
#define JSON "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
#define BUSY                                                                   \
	"HTTP/1.1 503 Busy\r\n"                                                \
	"Content-Type: application/problem+json\r\n\r\n"                       \
	"{\"class\":\"unavailable\",\"code\":\"CIMD_E_BUSY\","                 \
	"\"error\":\"temporarily_unavailable\",\"retry_after\":1}"

enum {
	SHORT_MS = 150,  /* for what ends by the time-out */
	LONG_MS = 60000, /* for what has to end by itself */
};

/* What the daemon does with one connection. */
typedef void deed(int fd);

struct place {
	char folder[64];
	char path[80];
	int listener;
	pid_t daemon;
};

static void
write_all(int fd, const char *p, size_t n)
{
	ssize_t done;

	for (; n > 0; p += done, n -= (size_t)done)
		if ((done = send(fd, p, n, MSG_NOSIGNAL)) <= 0)
			_exit(0);
}

static void
write_text(int fd, const char *text)
{
	write_all(fd, text, strlen(text));
}

/* The request, up to the end of its JSON. */
static void
read_request(int fd)
{
	char buffer[2048];
	size_t n = 0;
	ssize_t got;

	do {
		got = recv(fd, buffer + n, sizeof(buffer) - n, 0);
		if (got <= 0)
			_exit(1);
		n += (size_t)got;
	} while (buffer[n - 1] != '}');
}

static void
answer_well(int fd)
{
	char head[128];

	read_request(fd);
	(void)snprintf(head, sizeof(head), JSON "Content-Length: %zu\r\n\r\n",
	    sizeof(BODY) - 1);
	write_text(fd, head);
	write_text(fd, BODY);
}

static void
answer_in_pieces(int fd)
{
	static const char text[] = JSON "\r\n" BODY;
	size_t i;

	read_request(fd);
	for (i = 0; i < sizeof(text) - 1; i++) {
		write_all(fd, text + i, 1);
		usleep(200);
	}
}

static void
be_silent(int fd)
{
	(void)fd;
	for (;;)
		pause();
}

/* A byte a millisecond: there is always something new. */
static void
be_slow(int fd)
{
	read_request(fd);
	write_text(fd, JSON "X: ");
	for (;;) {
		write_text(fd, "x");
		usleep(1000);
	}
}

static void
send_headers_without_end(int fd)
{
	read_request(fd);
	write_text(fd, JSON);
	for (;;)
		write_text(fd, "X: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n");
}

static void
send_body_without_end(int fd)
{
	read_request(fd);
	write_text(fd, JSON "\r\n{");
	for (;;)
		write_text(fd, "                                        ");
}

static void
send_garbage(int fd)
{
	static const char bytes[] = "\x16\x03\x01\x00\xff\x00\x00\r\n\r\n";

	read_request(fd);
	write_all(fd, bytes, sizeof(bytes));
}

static void
promise_too_much(int fd)
{
	read_request(fd);
	write_text(fd, JSON "Content-Length: 99999\r\n\r\n" BODY);
}

static void
promise_too_little(int fd)
{
	read_request(fd);
	write_text(fd, JSON "Content-Length: 9\r\n\r\n" BODY);
}

static void
hang_up(int fd)
{
	(void)fd;
}

static void
hang_up_after_reading(int fd)
{
	read_request(fd);
}

static void
turn_away(int fd)
{
	write_text(fd, BUSY);
}

static void
serve(int listener, deed *act)
{
	int fd;

	for (;;) {
		fd = accept(listener, NULL, NULL);
		if (fd == -1)
			_exit(1);
		act(fd);
		close(fd);
	}
}

static void
place_open(struct place *p, deed *act)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };

	*p = (struct place){ .folder = P_tmpdir "/cimd-XXXXXX", .daemon = -1 };
	assert_non_null(mkdtemp(p->folder));
	(void)snprintf(p->path, sizeof(p->path), "%s/s", p->folder);
	memcpy(at.sun_path, p->path, strlen(p->path) + 1);
	p->listener = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(p->listener, (const struct sockaddr *)&at,
			     sizeof(at)),
	    0);
	assert_int_equal(listen(p->listener, act == NULL ? 0 : 64), 0);
	if (act == NULL)
		return;
	p->daemon = fork();
	assert_int_not_equal(p->daemon, -1);
	if (p->daemon == 0)
		serve(p->listener, act);
}

static void
place_close(struct place *p)
{
	close(p->listener);
	if (p->daemon > 0) {
		kill(p->daemon, SIGKILL);
		waitpid(p->daemon, NULL, 0);
	}
	unlink(p->path);
	rmdir(p->folder);
}

static size_t
count_descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	size_t n = 0;

	assert_non_null(d);
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n;
}

static struct cimdclient_answer *
ask(const char *path, int timeout_ms)
{
	struct cimdclient_ask question = {
		.socket = path,
		.timeout_ms = timeout_ms,
		.client_id = ID,
		.client_id_len = sizeof(ID) - 1,
	};
	struct cimdclient_answer *a = NULL;
	enum cimd_class c = cimdclient_lookup(&question, &a);

	assert_int_equal(c, cimdclient_class(a));
	return a;
}

/* The answer to one question, and nothing left open. */
static void
is(const char *path, int timeout_ms, enum cimd_class c, const char *code)
{
	size_t before = count_descriptors();
	struct cimdclient_answer *a = ask(path, timeout_ms);

	if (cimdclient_class(a) != c || strcmp(cimdclient_code(a), code) != 0)
		fail_msg("%s: %s", cimdclient_code(a), cimdclient_detail(a));
	cimdclient_free(&a);
	assert_int_equal(count_descriptors(), before);
}

static void
with(deed *act, int timeout_ms, enum cimd_class c, const char *code)
{
	struct place p;

	place_open(&p, act);
	is(p.path, timeout_ms, c, code);
	place_close(&p);
}

static void
good_daemons(void **state)
{
	(void)state;
	with(answer_well, LONG_MS, CIMD_ACCEPTED, "CIMD_OK");
	with(answer_in_pieces, LONG_MS, CIMD_ACCEPTED, "CIMD_OK");
	with(turn_away, LONG_MS, CIMD_UNAVAILABLE, "CIMD_E_BUSY");
}

static void
late_daemons(void **state)
{
	(void)state;
	with(be_silent, SHORT_MS, CIMD_UNAVAILABLE, "CIMD_E_TIMEOUT");
	with(be_slow, SHORT_MS, CIMD_UNAVAILABLE, "CIMD_E_TIMEOUT");
}

static void
wrong_daemons(void **state)
{
	(void)state;
	with(send_headers_without_end, LONG_MS, CIMD_BROKEN, "CIMD_E_INTERNAL");
	with(send_body_without_end, LONG_MS, CIMD_BROKEN, "CIMD_E_INTERNAL");
	with(send_garbage, LONG_MS, CIMD_BROKEN, "CIMD_E_INTERNAL");
	with(promise_too_little, LONG_MS, CIMD_BROKEN, "CIMD_E_INTERNAL");
}

static void
daemons_that_end_early(void **state)
{
	(void)state;
	with(promise_too_much, LONG_MS, CIMD_UNAVAILABLE, "CIMD_E_CONNECT");
	with(hang_up, LONG_MS, CIMD_UNAVAILABLE, "CIMD_E_CONNECT");
	with(hang_up_after_reading, LONG_MS, CIMD_UNAVAILABLE,
	    "CIMD_E_CONNECT");
}

static void
nobody_is_there(void **state)
{
	char path[200];

	(void)state;
	is("/nonexistent/s", LONG_MS, CIMD_UNAVAILABLE, "CIMD_E_CONNECT");
	is("/dev/null", LONG_MS, CIMD_UNAVAILABLE, "CIMD_E_CONNECT");
	is("relative", LONG_MS, CIMD_BROKEN, "CIMD_E_CONFIG");
	is("", LONG_MS, CIMD_BROKEN, "CIMD_E_CONFIG");
	memset(path, '/', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	is(path, LONG_MS, CIMD_BROKEN, "CIMD_E_CONFIG");
	path[107] = '\0';
	is(path, LONG_MS, CIMD_UNAVAILABLE, "CIMD_E_CONNECT");
}

/* A daemon that was stopped, and others have asked it before. */
static void
full_backlog_is_told_at_once(void **state)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	struct place p;
	int fds[8];
	size_t i, n = 0;

	(void)state;
	place_open(&p, NULL);
	memcpy(to.sun_path, p.path, strlen(p.path) + 1);
	for (; n < 8; n++) {
		fds[n] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
		if (connect(fds[n], (const struct sockaddr *)&to, sizeof(to)) !=
		    0)
			break;
	}
	assert_true(n < 8);
	assert_int_equal(errno, EAGAIN);
	is(p.path, LONG_MS, CIMD_UNAVAILABLE, "CIMD_E_CONNECT");
	for (i = 0; i <= n; i++)
		close(fds[i]);
	place_close(&p);
}

static volatile sig_atomic_t alarms;

static void
on_alarm(int number)
{
	(void)number;
	alarms = 1;
}

/* Signals of the host interrupt, and change nothing. */
static void
signals_are_the_hosts(void **state)
{
	const struct itimerval often = { { 0, 1000 }, { 0, 1000 } };
	const struct itimerval never = { { 0, 0 }, { 0, 0 } };
	struct sigaction act = { .sa_handler = on_alarm }, pipe_before,
			 pipe_after;
	sigset_t mask_before, mask_after;

	(void)state;
	assert_int_equal(sigaction(SIGALRM, &act, NULL), 0);
	assert_int_equal(sigaction(SIGPIPE, NULL, &pipe_before), 0);
	assert_int_equal(sigprocmask(SIG_BLOCK, NULL, &mask_before), 0);
	assert_int_equal(setitimer(ITIMER_REAL, &often, NULL), 0);
	with(answer_in_pieces, LONG_MS, CIMD_ACCEPTED, "CIMD_OK");
	with(be_silent, SHORT_MS, CIMD_UNAVAILABLE, "CIMD_E_TIMEOUT");
	assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
	assert_int_equal(alarms, 1);
	/* SIGPIPE has its default here: it would end this program. */
	with(hang_up, LONG_MS, CIMD_UNAVAILABLE, "CIMD_E_CONNECT");
	assert_int_equal(sigaction(SIGPIPE, NULL, &pipe_after), 0);
	assert_ptr_equal(pipe_after.sa_handler, pipe_before.sa_handler);
	assert_ptr_equal(pipe_after.sa_handler, SIG_DFL);
	assert_int_equal(sigprocmask(SIG_BLOCK, NULL, &mask_after), 0);
	assert_memory_equal(&mask_after, &mask_before, sizeof(mask_after));
}

/* Children go on as their parent did. */
static void
works_on_after_fork(void **state)
{
	struct cimdclient_answer *kept;
	struct place p;
	int i, status;
	pid_t child;

	(void)state;
	place_open(&p, answer_well);
	kept = ask(p.path, LONG_MS);
	for (i = 0; i < 4; i++) {
		child = fork();
		assert_int_not_equal(child, -1);
		if (child == 0) {
			struct cimdclient_answer *a = ask(p.path, LONG_MS);
			bool good = cimdclient_class(a) == CIMD_ACCEPTED &&
			    strcmp(cimdclient_rule(kept), "r") == 0;

			cimdclient_free(&a);
			cimdclient_free(&kept);
			_exit(good ? 0 : 1);
		}
		is(p.path, LONG_MS, CIMD_ACCEPTED, "CIMD_OK");
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_int_equal(status, 0);
	}
	cimdclient_free(&kept);
	place_close(&p);
}

struct asking {
	const char *path;
	int good;
};

static void *
ask_often(void *arg)
{
	struct asking *asking = arg;
	struct cimdclient_answer *a;
	int i;

	for (i = 0; i < 50; i++) {
		a = ask(asking->path, LONG_MS);
		asking->good += cimdclient_class(a) == CIMD_ACCEPTED;
		cimdclient_free(&a);
	}
	return NULL;
}

static void
threads_ask_at_once(void **state)
{
	struct asking asking[4] = { 0 };
	pthread_t threads[4];
	struct place p;
	size_t i;

	(void)state;
	place_open(&p, answer_well);
	for (i = 0; i < 4; i++) {
		asking[i].path = p.path;
		assert_int_equal(pthread_create(&threads[i], NULL, ask_often,
				     &asking[i]),
		    0);
	}
	for (i = 0; i < 4; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		assert_int_equal(asking[i].good, 50);
	}
	place_close(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_daemons),
		cmocka_unit_test(late_daemons),
		cmocka_unit_test(wrong_daemons),
		cmocka_unit_test(daemons_that_end_early),
		cmocka_unit_test(nobody_is_there),
		cmocka_unit_test(full_backlog_is_told_at_once),
		cmocka_unit_test(signals_are_the_hosts),
		cmocka_unit_test(works_on_after_fork),
		cmocka_unit_test(threads_ask_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
