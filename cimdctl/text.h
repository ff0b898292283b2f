/*
 * text.h - foreign bytes made fit for a terminal
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: none; in: bytes; out: text, its width; touches the locale
 */

#ifndef TEXT_H
#define TEXT_H

#include "cimd_int.h"

/*
 * A copy in which whatever is no printable character of the locale became
 * \xNN, and what reorders or hides text (bidirectional controls, zero width
 * characters) became \u{NNNN}.  The caller frees it; NULL: out of memory.
 */
char *text_escape(struct span s);

/* How many columns of a terminal it fills. */
size_t text_width(const char *text);

#endif /* TEXT_H */
