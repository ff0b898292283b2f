/*
 * log.h - audit lines as JSON, repeated ones rate-limited
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: none; in: facts; out: one JSON line; touches nothing but the clock
 */

#ifndef LOG_H
#define LOG_H

#include "cimd_int.h"

struct log;

struct log *log_new(void);
void log_free(struct log **l);
void log_set(struct log *l, cimd_log_fn *fn, void *ctx);

/* What one line says; absent spans and zero numbers are left out. */
struct log_line {
	enum cimd_level level;
	const char *event; /* "lookup", "refresh", "change", "govern" ... */
	struct span client_id;
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
 * line that is written ("suppressed": n).  Bounded memory.  Any thread.
 */
void log_write(struct log *l, const struct log_line *line);

/* Write the counts that are still held back, for housekeeping. */
void log_flush(struct log *l);

#endif /* LOG_H */
