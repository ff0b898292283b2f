/*
 * conf_value.h - the values of one setting as JSON
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: none; in: a row with its values; out: JSON; touches the user and
 * group databases, for names.
 */

#ifndef CONF_VALUE_H
#define CONF_VALUE_H

#include "conf_table.h"
#include "conf_tree.h"

struct json_object;

/*
 * Check the values of a row against def's type and make JSON of them.  The
 * caller owns *out (json_object_put()).
 * Fails with: CIMD_E_CONFIG, CIMD_E_NO_MEMORY.
 */
enum cimd_err conf_value(const struct conf_def *def, const struct conf_tree *t,
    const struct conf_row *row, size_t index, struct json_object **out,
    struct conf_fault *fault);

#endif /* CONF_VALUE_H */
