/*
 * confd.h - rules that cimdctl writes into conf.d
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: none; in: name, text; out: a file, all of it or nothing; touches
 * files, runs cimdd
 *
 * Each file begins with a line that holds the hash of the rest.  A file that
 * has no such line, or was changed since, belongs to somebody else and is
 * never touched.
 */

#ifndef CONFD_H
#define CONFD_H

#include "ctl.h"

/* conf.d, locked against other runs of cimdctl. */
struct confd {
	char *path; /* of the folder */
	int fd;
};

/*
 * Open and lock the folder that the options name; it is made if only that is
 * missing.  Close with confd_close(), always.
 * Fails with: CIMD_E_STORE, CIMD_E_NO_MEMORY.
 */
enum cimd_err confd_open(const struct ctl *c, struct confd *d,
    struct cimd_error *err);

void confd_close(struct confd *d);

/* What stands in the folder under a name, and shall stand there. */
struct confd_file {
	char *name; /* "vscode.conf" */
	char *old;  /* NULL: there is no such file */
	char *text; /* with the first line */
};

/*
 * Prepare name.conf with these lines.  Release f with confd_file_clear(),
 * always.  Fails with: CIMD_E_POLICY (the file is somebody else's),
 * CIMD_E_STORE, CIMD_E_NO_MEMORY.
 */
enum cimd_err confd_prepare(struct confd *d, const char *name,
    const char *lines, struct confd_file *f, struct cimd_error *err);

void confd_file_clear(struct confd_file *f);

/* Is it there already, byte for byte? */
bool confd_same(const struct confd_file *f);

/*
 * Would cimdd take the configuration with this file?  Prints the faults.
 * Fails with: CIMD_E_CONFIG, CIMD_E_STORE, CIMD_E_INTERNAL,
 * CIMD_E_NO_MEMORY.
 */
enum cimd_err confd_try(const struct ctl *c, struct confd *d,
    const struct confd_file *f, struct cimd_error *err);

/*
 * Put the file in place, mode 0644, durable when this returns; or restore
 * what was there before.  Fails with: CIMD_E_STORE.
 */
enum cimd_err confd_commit(struct confd *d, const struct confd_file *f,
    struct cimd_error *err);
enum cimd_err confd_restore(struct confd *d, const struct confd_file *f,
    struct cimd_error *err);

#endif /* CONFD_H */
