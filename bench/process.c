/*
 * process.c - what deeds cost in processes of their own
 * SPDX-License-Identifier: Apache-2.0
 */

#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "process.h"
#include "timing.h"

enum {
	MAX_KINDS = 4,
	MAX_WORDS = 8,
	MAX_WORD = 32,
};

void
must(bool good, const char *what)
{
	if (good)
		return;
	(void)fprintf(stderr, "bench: %s\n", what);
	exit(1);
}

void
report(const char *name, int64_t *ns, size_t n)
{
	(void)printf("%s %lld %lld\n", name, (long long)percentile(ns, n, 500),
	    (long long)percentile(ns, n, 990));
}

int64_t *
room_for(size_t rounds)
{
	int64_t *ns = calloc(rounds, sizeof(*ns));

	must(ns != NULL && rounds > 0, "rounds");
	return ns;
}

static int64_t
spawn(const char *deed, char *const *argv)
{
	char *copy[MAX_WORDS + 1] = { NULL };
	char word[MAX_WORD];
	struct rusage used;
	int status = -1;
	pid_t child;
	size_t i;

	(void)snprintf(word, sizeof(word), "%s", deed);
	for (i = 0; argv[i] != NULL; i++) {
		must(i < MAX_WORDS, "too many words");
		copy[i] = i == 1 ? word : argv[i];
	}
	must(posix_spawn(&child, argv[0], NULL, NULL, copy, environ) == 0,
	    "posix_spawn");
	must(wait4(child, &status, 0, &used) == child && status == 0, deed);
	return ((int64_t)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) *
		       1000000 +
		   used.ru_utime.tv_usec + used.ru_stime.tv_usec) *
	    1000;
}

void
compare_processes(const char *const *names, char *const *argv, size_t rounds)
{
	int64_t *ns[MAX_KINDS];
	size_t i, k, n = 0;

	for (; names[n] != NULL; n++) {
		must(n < MAX_KINDS, "too many kinds");
		ns[n] = room_for(rounds);
	}
	for (i = 0; i < rounds; i++)
		for (k = 0; k < n; k++)
			ns[k][i] = spawn(names[k], argv);
	for (k = 0; k < n; k++) {
		report(names[k], ns[k], rounds);
		free(ns[k]);
	}
}

void
raw_exchange(const char *socket_path, const char *url)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	char buffer[3000], *end;
	ssize_t n;
	int fd;

	must(strlen(socket_path) < sizeof(to.sun_path), "path");
	must(strlen(url) < sizeof(buffer) / 2, "url");
	memcpy(to.sun_path, socket_path, strlen(socket_path) + 1);
	end = stpcpy(buffer, "GET /v1/client?purpose=token&client_id=");
	end = stpcpy(end, url);
	end =
	    stpcpy(end, " HTTP/1.1\r\nHost: cimd\r\nConnection: close\r\n\r\n");
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	must(connect(fd, (const struct sockaddr *)&to, sizeof(to)) == 0,
	    "connect");
	must(send(fd, buffer, (size_t)(end - buffer), MSG_NOSIGNAL) ==
		end - buffer,
	    "send");
	n = recv(fd, buffer, sizeof(buffer), 0);
	must(n > 12 && memcmp(buffer, "HTTP/1.1 200", 12) == 0, "answer");
	(void)close(fd);
}
