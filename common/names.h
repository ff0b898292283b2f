/*
 * names.h - grant types and authentication methods by name
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: none; in: name or bit; out: bit or name; touches nothing
 */

#ifndef NAMES_H
#define NAMES_H

#include "cimd_int.h"

/* One GRANT_* bit by its name in RFC 7591 section 2 and later; 0: unknown. */
uint32_t names_grant_bit(struct span name);

/* Name of one GRANT_* bit; NULL for anything else. */
const char *names_grant(uint32_t bit);

/* One METHOD_* bit by its name; 0 for one that we do not offer. */
uint32_t names_method_bit(struct span name);

/* Name of one METHOD_* bit; NULL for anything else. */
const char *names_method(uint32_t bit);

/* The preferred one of a set: private_key_jwt before none (section 6). */
uint32_t names_preferred_method(uint32_t set);

#endif /* NAMES_H */
