/*
 * conf_tree.h - what libconfuse reads in a file
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: none; in: text and outline; out: the values of each row.
 *
 * libconfuse ends the process on some faults and crashes on some failed
 * allocations, so this runs in the configuration child alone.
 */

#ifndef CONF_TREE_H
#define CONF_TREE_H

#include "conf_scan.h"

struct conf_tree;

/*
 * Read text, whose names all are of conf_table.h, and check that libconfuse
 * sees what the outline says.  Both are borrowed until conf_tree_free().
 * Fails with: CIMD_E_CONFIG, CIMD_E_NO_MEMORY.
 */
enum cimd_err conf_tree_read(const char *text, const struct conf_outline *o,
    struct conf_tree **out, struct conf_fault *fault);

/* Value i of the setting in row; there are as many as the row says. */
const char *conf_tree_value(const struct conf_tree *t, size_t row, size_t i);

/* Free *t and set it to NULL; accepts NULL. */
void conf_tree_free(struct conf_tree **t);

#endif /* CONF_TREE_H */
