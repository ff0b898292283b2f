/*
 * audit.h - lines that outlive the log: deeds, changes, withdrawals
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: none; in: facts; out: a log line and a row of the audit tail
 */

#ifndef AUDIT_H
#define AUDIT_H

#include "resolver.h"

/*
 * Write line to the log and to the store's bounded audit tail.  A store that
 * cannot write keeps the log line only.  Any thread.
 */
void audit_write(struct cimd *r, const struct log_line *line);

#endif /* AUDIT_H */
