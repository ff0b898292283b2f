/*
 * when.h - times and spans of time for people
 * SPDX-License-Identifier: Apache-2.0
 */

#ifndef WHEN_H
#define WHEN_H

#include "cimd_int.h"

enum {
	WHEN_TEXT = 64,
};

/* "5 min ago", "in 3 h", "now"; "never" for 0.  Returns buf. */
const char *when_relative(int64_t then, int64_t now, char buf[WHEN_TEXT]);

/* "2026-11-23 09:08:12 +0100"; "never" for 0.  Returns buf. */
const char *when_exact(int64_t then, char buf[WHEN_TEXT]);

/* "90 s", "5 min", "24 h", "3 days".  Returns buf. */
const char *when_span(int64_t seconds, char buf[WHEN_TEXT]);

#endif /* WHEN_H */
