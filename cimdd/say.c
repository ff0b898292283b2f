/*
 * say.c - log lines to standard error
 * SPDX-License-Identifier: Apache-2.0
 */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>

#include "say.h"

enum {
	MAX_TEXT = 512, /* bytes of the text of one event */
};

const char *
say_environment(const char *name)
{
	size_t n = strlen(name);
	char **e;

	for (e = environ; e != NULL && *e != NULL; e++)
		if (strncmp(*e, name, n) == 0 && (*e)[n] == '=')
			return *e + n + 1;
	return NULL;
}

/* JOURNAL_STREAM is "DEVICE:INODE" of the journal's socket. */
void
say_init(struct say *s, bool verbose)
{
	const char *stream = say_environment("JOURNAL_STREAM");
	char mine[64];
	struct stat st;

	*s = (struct say){ .verbose = verbose };
	if (stream == NULL || fstat(STDERR_FILENO, &st) != 0)
		return;
	(void)snprintf(mine, sizeof(mine), "%llu:%llu",
	    (unsigned long long)st.st_dev, (unsigned long long)st.st_ino);
	s->journal = strcmp(stream, mine) == 0;
}

static const char *
priority(enum cimd_level level)
{
	switch (level) {
	case CIMD_LOG_ERROR:
		return SD_ERR;
	case CIMD_LOG_DEBUG:
		return SD_DEBUG;
	case CIMD_LOG_NOTICE:
		break;
	}
	return SD_NOTICE;
}

void
say_line(void *ctx, enum cimd_level level, const char *line)
{
	const struct say *s = ctx;

	if (level == CIMD_LOG_DEBUG && !s->verbose)
		return;
	/* One call, and stdio holds its lock for it: lines stay whole. */
	fprintf(stderr, "%s%s\n", s->journal ? priority(level) : "", line);
}

static const char *
level_name(enum cimd_level level)
{
	switch (level) {
	case CIMD_LOG_ERROR:
		return "error";
	case CIMD_LOG_DEBUG:
		return "debug";
	case CIMD_LOG_NOTICE:
		break;
	}
	return "notice";
}

/* Make text what may stand between quotes; out has room for MAX_TEXT. */
static void
escape(const char *text, char *out)
{
	size_t n = 0;

	for (; *text != '\0' && n < MAX_TEXT - 2; text++) {
		if (*text == '"' || *text == '\\')
			out[n++] = '\\';
		out[n++] = '?';
		if (*text >= ' ' && *text < 0x7f)
			out[n - 1] = *text;
	}
	out[n] = '\0';
}

void
say(const struct say *s, enum cimd_level level, const char *event,
    const char *fmt, ...)
{
	char text[MAX_TEXT], escaped[MAX_TEXT], line[2 * MAX_TEXT], when[32];
	struct say copy = *s;
	time_t now = time(NULL);
	struct tm tm;
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	escape(text, escaped);
	(void)gmtime_r(&now, &tm);
	(void)strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &tm);
	(void)snprintf(line, sizeof(line),
	    "{\"time\":\"%s\",\"level\":\"%s\",\"event\":\"%s\","
	    "\"text\":\"%s\"}",
	    when, level_name(level), event, escaped);
	say_line(&copy, level, line);
}
