/*
 * when.c - times and spans of time for people
 * SPDX-License-Identifier: Apache-2.0
 */

#include <stdio.h>
#include <time.h>

#include "when.h"

const char *
when_span(int64_t seconds, char buf[WHEN_TEXT])
{
	static const struct {
		int64_t below; /* seconds */
		int64_t unit;
		const char *name;
	} units[] = {
		{ 120, 1, "s" },
		{ 7200, 60, "min" },
		{ 172800, 3600, "h" },
		{ INT64_MAX, 86400, "days" },
	};
	size_t i = 0;

	while (seconds >= units[i].below)
		i++;
	(void)snprintf(buf, WHEN_TEXT, "%lld %s",
	    (long long)(seconds / units[i].unit), units[i].name);
	return buf;
}

const char *
when_relative(int64_t then, int64_t now, char buf[WHEN_TEXT])
{
	char span[WHEN_TEXT];

	if (then == 0)
		(void)snprintf(buf, WHEN_TEXT, "never");
	else if (then == now)
		(void)snprintf(buf, WHEN_TEXT, "now");
	else if (then < now)
		(void)snprintf(buf, WHEN_TEXT, "%.32s ago",
		    when_span(now - then, span));
	else
		(void)snprintf(buf, WHEN_TEXT, "in %.32s",
		    when_span(then - now, span));
	return buf;
}

const char *
when_exact(int64_t then, char buf[WHEN_TEXT])
{
	time_t t = (time_t)then;
	struct tm tm;

	if (then == 0 || localtime_r(&t, &tm) == NULL ||
	    strftime(buf, WHEN_TEXT, "%Y-%m-%d %H:%M:%S %z", &tm) == 0)
		(void)snprintf(buf, WHEN_TEXT, "never");
	return buf;
}
