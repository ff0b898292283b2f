/*
 * check_print.h - the findings of a check, for people and as JSON
 * SPDX-License-Identifier: Apache-2.0
 */

#ifndef CHECK_PRINT_H
#define CHECK_PRINT_H

#include "check.h"
#include "ctl.h"

/* Print them, as --json says. */
enum ctl_exit check_print(const struct ctl *c, const struct check *check);

#endif /* CHECK_PRINT_H */
