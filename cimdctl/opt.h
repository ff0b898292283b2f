/*
 * opt.h - the options of all commands
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: none; in: command line; out: values; touches nothing
 */

#ifndef OPT_H
#define OPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum opt {
	OPT_ALL,
	OPT_BATCH,
	OPT_CA_FILE,
	OPT_CA_PATH,
	OPT_CATALOG,
	OPT_CIMDD,
	OPT_CONF_DIR,
	OPT_CONFIG,
	OPT_CONSUMER,
	OPT_CONTAINS,
	OPT_DOCUMENT,
	OPT_HELP,
	OPT_JSON,
	OPT_LIMIT,
	OPT_POLICY,
	OPT_REASON,
	OPT_REDIRECT_URI,
	OPT_RESPONSE,
	OPT_SHA256,
	OPT_SOCKET,
	OPT_VERSION,
	OPT_COUNT
};

#define OPT_BIT(o) (UINT64_C(1) << (o))

struct opt_def {
	const char *name;
	char letter;     /* or 0 */
	const char *arg; /* what it takes; NULL: nothing */
	const char *help;
};

/* The row of an option. */
const struct opt_def *opt_def(enum opt o);

/*
 * Take the options out of argv: value[] gets them, and args (room for argc)
 * the other arguments in their order.  False: *wrong says what is wrong and
 * the caller frees it (NULL: out of memory).
 */
bool opt_read(int argc, char **argv, const char *value[OPT_COUNT],
    const char **args, size_t *n_args, char **wrong);

/* Decimal digits between min and max; false: it is something else. */
bool opt_number(const char *text, int64_t min, int64_t max, int64_t *out);

#endif /* OPT_H */
