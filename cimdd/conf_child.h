/*
 * conf_child.h - the configuration child, "cimdd -t --json"
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: none; in: files; out: JSON on standard output; the only process in
 * which libconfuse runs.
 */

#ifndef CONF_CHILD_H
#define CONF_CHILD_H

#include "options.h"

/* Print the JSON of conf_load(); returns an EXIT_ status. */
int conf_child(const struct conf_sources *from);

#endif /* CONF_CHILD_H */
