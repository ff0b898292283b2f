/*
 * log.h - audit lines as JSON, repeated ones rate-limited
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: none; in: facts; out: one JSON line; touches nothing but the clock
 *
 * A line is printable ASCII, whatever bytes it is made of: a byte that is a
 * control or above 0x7e becomes \u00XX, so that bytes can be read back as
 * if they were ISO 8859-1.  Long values are cut.
 */

#ifndef LOG_H
#define LOG_H

#include "cimd_int.h"

struct log;

enum {
	LOG_REPEATS = 10,   /* lines a minute that say the same */
	LOG_REFUSALS = 600, /* lines a minute with one event and one error */
	LOG_KEYS = 512,     /* different lines that are counted */
	LOG_MAX_LINE = 16384
};

/* NULL: out of memory. */
struct log *log_new(void);

/* Accepts NULL; sets *l to NULL.  What is held back is lost. */
void log_free(struct log **l);

/* Where lines go; without it, nowhere. */
void log_set(struct log *l, cimd_log_fn *fn, void *ctx);

/* What one line says; absent spans and zero numbers are left out. */
struct log_line {
	enum cimd_level level;
	const char *event; /* "lookup", "refresh", "change", "govern" ... */
	struct span client_id;
	const int64_t *uid; /* whose deed it is; NULL: unknown */
	const char *consumer;
	const char *purpose;
	const char *rule;
	enum cimd_err code;
	const struct cimd_error *err; /* section and text */
	const char *detail;           /* event's own: "keys", "approved" ... */
	int64_t ms;                   /* duration; -1: none */
	const char *remote_addr;
};

/*
 * Write one line.  Lines that say the same (event, client_id, code) more
 * than 10 times a minute are counted instead; the count comes with the next
 * line that is written ("suppressed": n).  Since strangers choose client_id,
 * lines with an error are also limited to 600 a minute for each (event,
 * code); that count comes as a line of its own, and so does one whose key
 * has to make room.  Bounded memory.  Any thread; fn is called without a
 * lock.
 */
void log_write(struct log *l, const struct log_line *line);

/* The same at a given time: seconds UTC, and milliseconds of clock_ms(). */
void log_write_at(struct log *l, const struct log_line *line, int64_t utc,
    int64_t now_ms);

/*
 * Write the counts that are still held back, as lines of event, client_id,
 * code and "suppressed", for housekeeping and before log_free().
 */
void log_flush(struct log *l);

#endif /* LOG_H */
