/*
 * check.h - "cimdd -t": is the configuration good?
 * SPDX-License-Identifier: Apache-2.0
 */

#ifndef CHECK_H
#define CHECK_H

#include "conf_load.h"

/*
 * Read the configuration like the daemon does and let libcimd judge it;
 * opens nothing.  Prints each fault, or that there is none.  Returns an
 * EXIT_ status.
 */
int check_config(const struct conf_sources *from);

#endif /* CHECK_H */
