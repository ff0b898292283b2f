/*
 * reload.h - requests that wait for a reload
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: none; in: requests of any thread; out: a descriptor that tells the
 * main thread, and answers when it has reloaded; touches an eventfd
 */

#ifndef RELOAD_H
#define RELOAD_H

#include "request.h"

struct reload;

/* Fails with: CIMD_E_STATE, CIMD_E_NO_MEMORY. */
enum cimd_err reload_new(struct reload **out, struct cimd_error *err);

/* Free *q, in which nobody may wait; accepts NULL; sets *q to NULL. */
void reload_free(struct reload **q);

/* Readable while somebody waits. */
int reload_fd(const struct reload *q);

/* Let r wait; an http_reload_fn with a struct reload as ctx. */
void reload_ask(void *ctx, struct request *r);

/*
 * Take who waits now: a reload that begins after this is theirs.  Answer
 * each with the outcome: e, and err unless it is CIMD_OK.
 */
struct request *reload_take(struct reload *q);
void reload_answer(struct request *first, enum cimd_err e,
    const struct cimd_error *err);

#endif /* RELOAD_H */
