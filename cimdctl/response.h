/*
 * response.h - an HTTP response that somebody captured in a file
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: none; in: bytes; out: header facts, body; touches nothing
 */

#ifndef RESPONSE_H
#define RESPONSE_H

#include "http_headers.h"

/*
 * Read what "curl -i" prints: status line, fields, an empty line, the body
 * (which points into text).  Interim responses may come first.  As captures
 * go through editors and through HTTP/2, lines may end with LF alone, and
 * "HTTP/2 200" counts as HTTP/1.1; all else is as strict as when fetched.
 * now (UTC) is for dates.
 * Fails with: CIMD_E_STATUS, CIMD_E_TOO_BIG, CIMD_E_NO_MEMORY.
 */
enum cimd_err response_read(struct span text, int64_t now,
    struct http_facts *facts, struct span *body, struct cimd_error *err);

#endif /* RESPONSE_H */
