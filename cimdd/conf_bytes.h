/*
 * conf_bytes.h - which bytes a configuration file and its names may have
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: none; in: bytes; out: verdict; touches nothing
 */

#ifndef CONF_BYTES_H
#define CONF_BYTES_H

#include "conf_scan.h"

/*
 * UTF-8 without control characters but tab and newline, no NUL, no BOM?
 * Fails with: CIMD_E_CONFIG.
 */
enum cimd_err conf_check_bytes(const char *text, size_t len,
    struct conf_fault *fault);

/* Name of a setting: a small letter, then small letters, digits, "_". */
bool conf_is_name(const char *p, size_t n);

/* Name of a section: 1 to CONF_MAX_TITLE letters, digits or one of ".-_". */
bool conf_is_title(const char *p, size_t n);

/*
 * Length of the UTF-8 character (RFC 3629) that the n bytes at p begin with;
 * 0: none.
 */
size_t conf_utf8(const char *p, size_t n);

#endif /* CONF_BYTES_H */
