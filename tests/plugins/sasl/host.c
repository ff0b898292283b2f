/*
 * host.c - a SASL server on libsasl2 that does what a test tells it
 * SPDX-License-Identifier: Apache-2.0
 *
 * Commands come on standard input, one a line: a word and strings in hex,
 * "-" for an empty one.  Answers go to standard output: lines "NAME HEX..."
 * and at last ".".  The application's name is "host".
 */

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sasl/sasl.h>
#include <sasl/saslutil.h>

enum {
	MAX_LINE = 65536,
	MAX_ARGS = 24,
};

/* One connection, and what is requested of it. */
struct host {
	sasl_conn_t *conn;
	char *names[MAX_ARGS + 1];
	unsigned port; /* of the next peer */
};

struct thread {
	pthread_t id;
	const char *user;
	unsigned long rounds;
	unsigned long found;
};

static void
must(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "host: %s\n", what);
	exit(2);
}

static void
put_hex(const char *text)
{
	putchar(' ');
	if (*text == '\0')
		putchar('-');
	for (; *text != '\0'; text++)
		printf("%02x", (unsigned char)*text);
}

static void
put(const char *name, const char *text)
{
	(void)fputs(name, stdout);
	put_hex(text);
	putchar('\n');
}

static void
put_status(int status)
{
	printf("status %d\n", status);
}

static unsigned
digit(char c)
{
	return (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
}

/* A hex string in place. */
static char *
decode(char *hex)
{
	size_t i;

	if (hex[0] == '-')
		hex[0] = '\0';
	for (i = 0; hex[2 * i] != '\0' && hex[2 * i + 1] != '\0'; i++)
		hex[i] = (char)(digit(hex[2 * i]) * 16 + digit(hex[2 * i + 1]));
	hex[i] = '\0';
	return hex;
}

static int
on_log(void *context, int level, const char *message)
{
	char name[32];

	(void)context;
	if (level > SASL_LOG_NOTE)
		return SASL_OK;
	snprintf(name, sizeof(name), "log %d", level);
	put(name, message);
	return SASL_OK;
}

/* libsasl2 keeps callbacks as functions without parameters. */
union callback {
	int (*log)(void *, int, const char *);
	int (*proc)(void);
};

static sasl_callback_t *
callbacks(void)
{
	static sasl_callback_t list[2];
	const union callback log = { .log = on_log };

	list[0] = (sasl_callback_t){ SASL_CB_LOG, log.proc, NULL };
	list[1] = (sasl_callback_t){ SASL_CB_LIST_END, NULL, NULL };
	return list;
}

static void
start(void)
{
	const int status = sasl_server_init(callbacks(), "host");

	if (status != SASL_OK)
		fprintf(stderr, "host: sasl_server_init: %d\n", status);
	must(status == SASL_OK, "no libsasl2");
}

static void
request(struct host *h)
{
	if (h->names[0] != NULL)
		must(sasl_auxprop_request(h->conn,
			 (const char **)(void *)h->names) == SASL_OK,
		    "sasl_auxprop_request");
}

/* new SERVICE REALM [PROPERTY...] */
static void
do_new(struct host *h, char *argv[])
{
	char peer[32];
	size_t i;

	for (i = 0; h->names[i] != NULL; i++) {
		free(h->names[i]);
		h->names[i] = NULL;
	}
	for (i = 0; argv[2 + i] != NULL; i++)
		h->names[i] = strdup(argv[2 + i]);
	if (h->conn != NULL)
		sasl_dispose(&h->conn);
	snprintf(peer, sizeof(peer), "192.0.2.7;%u", h->port++);
	put_status(sasl_server_new(argv[0], "host.example.com",
	    argv[1][0] == '\0' ? NULL : argv[1], NULL, peer, NULL, 0,
	    &h->conn));
	request(h);
}

static void
do_props(struct host *h)
{
	const struct propval *p = prop_get(sasl_auxprop_getctx(h->conn));
	unsigned i;

	for (; p != NULL && p->name != NULL; p++) {
		if (p->values == NULL)
			continue;
		printf("prop %s", p->name);
		for (i = 0; i < p->nvalues; i++)
			put_hex(p->values[i]);
		putchar('\n');
	}
}

/* exists USER: the names, and what was requested of them. */
static void
do_exists(struct host *h, char *argv[])
{
	const char *service = NULL;

	put_status(sasl_user_exists(h->conn, service, NULL, argv[0]));
	do_props(h);
}

static void
put_user(struct host *h)
{
	const void *user = NULL;

	if (sasl_getprop(h->conn, SASL_USERNAME, &user) == SASL_OK &&
	    user != NULL)
		put("user", user);
}

/* plain AUTHZID AUTHCID PASSWORD, as it comes over the wire */
static void
do_plain(struct host *h, char *argv[])
{
	const size_t size =
	    strlen(argv[0]) + strlen(argv[1]) + strlen(argv[2]) + 2;
	char *message = malloc(size + 1);
	const char *out = NULL;
	unsigned out_len = 0;
	int status;

	must(message != NULL, "memory");
	snprintf(message, size + 1, "%s%c%s%c%s", argv[0], 0, argv[1], 0,
	    argv[2]);
	status = sasl_server_start(h->conn, "PLAIN", message, (unsigned)size,
	    &out, &out_len);
	free(message);
	put_status(status);
	if (status == SASL_OK)
		put_user(h);
	else
		put("detail", sasl_errdetail(h->conn));
	do_props(h);
}

/* external NAME: a login that something below SASL has verified */
static void
do_external(struct host *h, char *argv[])
{
	const char *out = NULL;
	unsigned out_len = 0;
	int status;

	must(sasl_setprop(h->conn, SASL_AUTH_EXTERNAL, argv[0]) == SASL_OK,
	    "sasl_setprop");
	status = sasl_server_start(h->conn, "EXTERNAL", "", 0, &out, &out_len);
	put_status(status);
	if (status == SASL_OK)
		put_user(h);
}

/* checkpass USER PASSWORD */
static void
do_checkpass(struct host *h, char *argv[])
{
	const int status = sasl_checkpass(h->conn, argv[0],
	    (unsigned)strlen(argv[0]), argv[1], (unsigned)strlen(argv[1]));

	put_status(status);
	if (status == SASL_OK)
		put_user(h);
}

/* reinit N: load and unload all plugins so often */
static void
do_reinit(struct host *h, char *argv[])
{
	unsigned long n = strtoul(argv[0], NULL, 10);

	if (h->conn != NULL)
		sasl_dispose(&h->conn);
	for (; n > 0; n--) {
		sasl_server_done();
		start();
	}
	put_status(SASL_OK);
}

/* fork USER: ask in a child that has not loaded anything itself */
static void
do_fork(struct host *h, char *argv[])
{
	int status = 0;
	pid_t child;

	(void)fflush(stdout);
	child = fork();
	must(child != -1, "fork");
	if (child == 0) {
		status = sasl_user_exists(h->conn, NULL, NULL, argv[0]);
		(void)fflush(stdout);
		_exit(status == SASL_OK ? 0 : 1);
	}
	must(waitpid(child, &status, 0) == child, "waitpid");
	put_status(WIFEXITED(status) ? -WEXITSTATUS(status) : -999);
}

static void *
thread(void *arg)
{
	const char *names[] = { "*oauthClientId", NULL };
	struct thread *t = arg;
	sasl_conn_t *conn = NULL;
	unsigned long i;

	for (i = 0; i < t->rounds; i++) {
		must(sasl_server_new("imap", "host.example.com", NULL, NULL,
			 NULL, NULL, 0, &conn) == SASL_OK,
		    "sasl_server_new");
		must(sasl_auxprop_request(conn, names) == SASL_OK,
		    "sasl_auxprop_request");
		if (sasl_user_exists(conn, NULL, NULL, t->user) == SASL_OK)
			t->found++;
		sasl_dispose(&conn);
	}
	return NULL;
}

/* threads N ROUNDS USER: how many lookups found the user */
static void
do_threads(char *argv[])
{
	struct thread t[MAX_ARGS];
	unsigned long i, n = strtoul(argv[0], NULL, 10), found = 0;

	must(n <= MAX_ARGS, "too many threads");
	for (i = 0; i < n; i++) {
		t[i] = (struct thread){ .user = argv[2],
			.rounds = strtoul(argv[1], NULL, 10) };
		must(pthread_create(&t[i].id, NULL, thread, &t[i]) == 0,
		    "pthread_create");
	}
	for (i = 0; i < n; i++) {
		pthread_join(t[i].id, NULL);
		found += t[i].found;
	}
	printf("status %lu\n", found);
}

static int
on_simple(void *context, int id, const char **result, unsigned *len)
{
	(void)id;
	*result = context;
	if (len != NULL)
		*len = (unsigned)strlen(*result);
	return SASL_OK;
}

static int
on_secret(sasl_conn_t *conn, void *context, int id, sasl_secret_t **out)
{
	static struct {
		unsigned long len;
		unsigned char data[8];
	} secret = { 2, "pw" };

	(void)conn;
	(void)context;
	(void)id;
	*out = (sasl_secret_t *)(void *)&secret;
	return SASL_OK;
}

union client_callback {
	int (*simple)(void *, int, const char **, unsigned *);
	int (*secret)(sasl_conn_t *, void *, int, sasl_secret_t **);
	int (*option)(void *, const char *, const char *, const char **,
	    unsigned *);
	int (*proc)(void);
};

static int
on_option(void *context, const char *plugin, const char *option,
    const char **result, unsigned *len)
{
	(void)plugin;
	if (strcmp(option, "canon_user_plugin") != 0 ||
	    *(const char *)context == '\0')
		return SASL_FAIL;
	*result = context;
	if (len != NULL)
		*len = (unsigned)strlen(*result);
	return SASL_OK;
}

/* client USER CANON: what a PLAIN client with this name sends first */
static void
do_client(char *argv[])
{
	char empty[] = "";
	const union client_callback simple = { .simple = on_simple };
	const union client_callback secret = { .secret = on_secret };
	const union client_callback option = { .option = on_option };
	const sasl_callback_t list[] = {
		{ SASL_CB_GETOPT, option.proc, argv[1] },
		{ SASL_CB_AUTHNAME, simple.proc, argv[0] },
		{ SASL_CB_USER, simple.proc, empty },
		{ SASL_CB_PASS, secret.proc, NULL },
		{ SASL_CB_LIST_END, NULL, NULL },
	};
	const char *out = NULL, *mech = NULL;
	sasl_conn_t *conn = NULL;
	unsigned i, len = 0;
	int status;

	must(sasl_client_init(NULL) == SASL_OK, "sasl_client_init");
	must(sasl_client_new("imap", "host.example.com", NULL, NULL, list, 0,
		 &conn) == SASL_OK,
	    "sasl_client_new");
	status = sasl_client_start(conn, "PLAIN", NULL, &out, &len, &mech);
	put_status(status);
	(void)fputs("sent ", stdout);
	if (status != SASL_OK || len == 0)
		putchar('-');
	for (i = 0; status == SASL_OK && i < len; i++)
		printf("%02x", (unsigned char)out[i]);
	putchar('\n');
	sasl_dispose(&conn);
	sasl_client_done();
}

static void
act(struct host *h, const char *word, char *argv[])
{
	if (strcmp(word, "new") == 0)
		do_new(h, argv);
	else if (strcmp(word, "exists") == 0)
		do_exists(h, argv);
	else if (strcmp(word, "plain") == 0)
		do_plain(h, argv);
	else if (strcmp(word, "external") == 0)
		do_external(h, argv);
	else if (strcmp(word, "checkpass") == 0)
		do_checkpass(h, argv);
	else if (strcmp(word, "reinit") == 0)
		do_reinit(h, argv);
	else if (strcmp(word, "fork") == 0)
		do_fork(h, argv);
	else if (strcmp(word, "threads") == 0)
		do_threads(argv);
	else if (strcmp(word, "client") == 0)
		do_client(argv);
	else
		must(false, "unknown command");
	puts(".");
	(void)fflush(stdout);
}

int
main(void)
{
	struct host h = { .conn = NULL, .port = 40000 };
	char *line = malloc(MAX_LINE), *argv[MAX_ARGS + 1], *rest, *word;
	size_t n;

	must(line != NULL, "memory");
	start();
	while (fgets(line, MAX_LINE, stdin) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		rest = line;
		word = strsep(&rest, " ");
		for (n = 0; rest != NULL && n < MAX_ARGS; n++)
			argv[n] = strsep(&rest, " ");
		argv[n] = NULL;
		while (n > 0) {
			n--;
			decode(argv[n]);
		}
		act(&h, word, argv);
	}
	for (n = 0; h.names[n] != NULL; n++)
		free(h.names[n]);
	if (h.conn != NULL)
		sasl_dispose(&h.conn);
	sasl_server_done();
	free(line);
	return 0;
}
