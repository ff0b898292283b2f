/*
 * json_scan.h - strict JSON before any tree is built
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: part of 6; in: bytes; out: verdict, then a tree; touches nothing
 */

#ifndef JSON_SCAN_H
#define JSON_SCAN_H

#include "cimd_int.h"

struct json_object;

/*
 * Is s one JSON value by RFC 8259 and I-JSON (RFC 7493): UTF-8, no BOM, no
 * duplicate names after unescaping, no \u0000, no lone surrogate, numbers
 * that a double holds exactly (integers below 2^53), at most
 * CIMD_MAX_JSON_DEPTH deep, at most CIMD_MAX_JSON_MEMBERS members an object,
 * nothing after the end?  Not recursive; at most O(n) memory.
 * Fails with: CIMD_E_JSON (text names the byte), CIMD_E_NO_MEMORY.
 */
enum cimd_err json_scan(struct span s, struct cimd_error *err);

/*
 * json_scan(), then the tree; the top must be an object.  The caller owns
 * *out (json_object_put).  Fails with: CIMD_E_JSON, CIMD_E_NO_MEMORY.
 */
enum cimd_err json_parse(struct span s, struct json_object **out,
    struct cimd_error *err);

#endif /* JSON_SCAN_H */
