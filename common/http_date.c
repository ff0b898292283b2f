/*
 * http_date.c - the three date formats of HTTP (RFC 9110 5.6.7)
 * SPDX-License-Identifier: Apache-2.0
 */

#include <string.h>

#include "http_headers.h"

struct calendar {
	int year, month, day, hour, minute, second;
};

static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
static const char *const weekdays[] = { "Monday", "Tuesday", "Wednesday",
	"Thursday", "Friday", "Saturday", "Sunday" };

/* n digits, or -1. */
static int
number(struct span *cur, size_t n)
{
	int value = 0;
	size_t i;

	if (cur->n < n)
		return -1;
	for (i = 0; i < n; i++) {
		if (cur->p[i] < '0' || cur->p[i] > '9')
			return -1;
		value = value * 10 + (cur->p[i] - '0');
	}
	cur->p += n;
	cur->n -= n;
	return value;
}

/* Skip the first n bytes of text, if they are there. */
static bool
literal(struct span *cur, const char *text, size_t n)
{
	if (cur->n < n || memcmp(cur->p, text, n) != 0)
		return false;
	cur->p += n;
	cur->n -= n;
	return true;
}

/* A weekday; the first letters of its name only, unless whole. */
static bool
weekday(struct span *cur, bool whole)
{
	size_t i;

	for (i = 0; i < sizeof(weekdays) / sizeof(weekdays[0]); i++)
		if (literal(cur, weekdays[i], whole ? strlen(weekdays[i]) : 3))
			return true;
	return false;
}

/* 1 to 12, or -1. */
static int
month(struct span *cur)
{
	int i;

	for (i = 0; i < 12; i++)
		if (literal(cur, months + (size_t)i * 3, 3))
			return i + 1;
	return -1;
}

/* One piece of a format; false: the text has something else there. */
static bool
piece(struct span *cur, char what, struct calendar *c)
{
	switch (what) {
	case 'w':
		return weekday(cur, false);
	case 'W':
		return weekday(cur, true);
	case 'b':
		return (c->month = month(cur)) != -1;
	case 'd':
		return (c->day = number(cur, 2)) != -1;
	case 'e': /* padded with a space */
		return (c->day = number(cur, literal(cur, " ", 1) ? 1 : 2)) !=
		    -1;
	case 'H':
		return (c->hour = number(cur, 2)) != -1;
	case 'i':
		return (c->minute = number(cur, 2)) != -1;
	case 's':
		return (c->second = number(cur, 2)) != -1;
	case 'Y':
		return (c->year = number(cur, 4)) != -1;
	case 'y':
		return (c->year = number(cur, 2)) != -1;
	default:
		return literal(cur, &what, 1);
	}
}

static bool
matches(struct span text, const char *format, struct calendar *c)
{
	for (; *format != '\0'; format++)
		if (!piece(&text, *format, c))
			return false;
	return text.n == 0;
}

static bool
is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static bool
is_valid(const struct calendar *c)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30,
		31 };
	int last = days[c->month - 1];

	if (c->month == 2 && is_leap(c->year))
		last++;
	return c->day >= 1 && c->day <= last && c->hour <= 23 &&
	    c->minute <= 59 && c->second <= 60; /* a leap second */
}

/* Days from 1970-01-01; negative before. */
static int64_t
days(const struct calendar *c)
{
	static const int before[] = { 0, 31, 59, 90, 120, 151, 181, 212, 243,
		273, 304, 334 };
	int64_t past = (int64_t)c->year - 1;
	int64_t n;

	n = past * 365 + past / 4 - past / 100 + past / 400 - 719162;
	n += before[c->month - 1] + c->day - 1;
	if (c->month > 2 && is_leap(c->year))
		n++;
	return n;
}

static int64_t
seconds(const struct calendar *c)
{
	int64_t minutes = days(c) * 1440 + (int64_t)c->hour * 60 + c->minute;

	return minutes * 60 + c->second;
}

/* Two digits of a year that lies at most 50 years after now. */
static int64_t
short_year(struct calendar *c, int64_t now)
{
	struct calendar limit = *c;
	int century;

	for (century = 9900; century > 1900; century -= 100) {
		limit.year = c->year + century - 50;
		if (seconds(&limit) <= now)
			break;
	}
	c->year += century;
	return is_valid(c) ? seconds(c) : -1;
}

int64_t
http_date(struct span text, int64_t now)
{
	struct calendar c = { 0 };
	int64_t t;

	if (matches(text, "W, d-b-y H:i:s GMT", &c))
		t = short_year(&c, now);
	else if ((matches(text, "w, d b Y H:i:s GMT", &c) ||
		     matches(text, "w b e H:i:s Y", &c)) &&
	    is_valid(&c))
		t = seconds(&c);
	else
		return -1;
	return t < 0 ? -1 : t;
}
