/*
 * fail.c - filling in struct cimd_error, and the clock
 * SPDX-License-Identifier: Apache-2.0
 */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "fail.h"

__attribute__((format(printf, 2, 0))) static void
set_text(struct cimd_error *err, const char *fmt, va_list ap)
{
	char *c;

	(void)vsnprintf(err->text, sizeof(err->text), fmt, ap);
	for (c = err->text; *c != '\0'; c++)
		if (*c < ' ' || *c >= 0x7f)
			*c = '?';
}

enum cimd_err
fail(struct cimd_error *err, enum cimd_err code, const char *fmt, ...)
{
	va_list ap;

	err->code = code;
	err->section[0] = '\0';
	va_start(ap, fmt);
	set_text(err, fmt, ap);
	va_end(ap);
	return code;
}

enum cimd_err
fail_errno(struct cimd_error *err, const char *fmt, ...)
{
	const char *reason = strerror(errno);
	va_list ap;
	size_t n;

	err->code = CIMD_E_STATE;
	err->section[0] = '\0';
	va_start(ap, fmt);
	set_text(err, fmt, ap);
	va_end(ap);
	n = strlen(err->text);
	(void)snprintf(err->text + n, sizeof(err->text) - n, ": %s", reason);
	return CIMD_E_STATE;
}

enum cimd_err
fail_memory(struct cimd_error *err)
{
	return fail(err, CIMD_E_NO_MEMORY, "out of memory");
}

int64_t
tick_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
