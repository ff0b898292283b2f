/*
 * progress.h - says what takes long, on a terminal only
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: none; in: text; out: a line on standard error that goes away again
 */

#ifndef PROGRESS_H
#define PROGRESS_H

struct progress;

/*
 * From one second after this on, show the text and the seconds, until
 * progress_end().  NULL where standard error is no terminal, or when there
 * is no memory or thread for it.  The text is ours and is borrowed.
 */
struct progress *progress_begin(const char *text);

/* Wipe the line out.  Accepts NULL; sets *p to NULL. */
void progress_end(struct progress **p);

#endif /* PROGRESS_H */
