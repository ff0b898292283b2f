/*
 * housekeeping.h - what happens now and then: activity, sweeps, log lines
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: none; touches the store, the clock and one thread
 */

#ifndef HOUSEKEEPING_H
#define HOUSEKEEPING_H

struct cimd;

/* Start the thread; r->lock is held.  Without it lookups still work. */
void housekeeping_start(struct cimd *r);

/* Stop the thread and wait for it; no error if it never ran. */
void housekeeping_stop(struct cimd *r);

#endif /* HOUSEKEEPING_H */
