/*
 * options.h - what stands behind pam_cimd.so in a line of /etc/pam.d
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: none; in: words; out: options; touches nothing
 */

#ifndef OPTIONS_H
#define OPTIONS_H

#include "cimd_int.h"

enum {
	OPTIONS_MAX_AUDIENCES = 16,
	OPTIONS_MAX_TIMEOUT_MS = 60000,
};

/* Strings belong to the words.  Zero is what no option says. */
struct options {
	const char *socket; /* NULL: cimdd's */
	int timeout_ms;     /* 0: libcimdclient's */
	const char *audiences[OPTIONS_MAX_AUDIENCES + 1]; /* up to a NULL */
	size_t n_audiences;
	bool decode_user;
	bool use_first_pass;
	bool ignore_unknown;
	bool deny_unknown; /* what happens anyway */
	bool env;
	bool debug;
};

/*
 * Read the words of one line.  False: *bad is the word that is none of the
 * options, has a value that the option cannot have, or comes twice.
 */
bool options_read(int argc, const char **argv, struct options *out,
    const char **bad);

#endif /* OPTIONS_H */
