/*
 * config.h - the configuration as cimdd reads it
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: none; in: options; out: JSON, verdicts; runs cimdd
 */

#ifndef CONFIG_H
#define CONFIG_H

#include "ctl.h"

struct json_object;

/* The files that cimdd is told to read; NULL: its own default. */
struct config_files {
	const char *file;
	const char *dir;
	const char *catalog;
};

/* Those that the options name. */
struct config_files config_files(const struct ctl *c);

/* The program that reads them. */
const char *config_program(const struct ctl *c);

/*
 * "cimdd -t --json": everything as JSON, unjudged; the caller owns *out.
 * Fails with: CIMD_E_CONFIG (text: the first fault), CIMD_E_INTERNAL.
 */
enum cimd_err config_json(const struct ctl *c, const struct config_files *f,
    struct json_object **out, struct cimd_error *err);

/*
 * "cimdd -t": would cimdd take it?  With CIMD_E_CONFIG *faults (which may be
 * NULL otherwise) has the lines that it printed; the caller frees it.
 * Fails with: CIMD_E_CONFIG, CIMD_E_INTERNAL.
 */
enum cimd_err config_test(const struct ctl *c, const struct config_files *f,
    char **faults, struct cimd_error *err);

#endif /* CONFIG_H */
