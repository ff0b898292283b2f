/*
 * conf_load.h - all configuration files as one JSON object
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: none; in: paths; out: JSON; touches files, user and group databases.
 * Only for the configuration child.
 */

#ifndef CONF_LOAD_H
#define CONF_LOAD_H

#include "cimd.h"

struct json_object;

struct conf_sources {
	const char *file;    /* cimd.conf; must be there */
	const char *dir;     /* conf.d; may be absent */
	const char *catalog; /* catalog.d; may be absent */
};

/*
 * The JSON of cimd.conf(5): settings and policy at the top, the arrays
 * "client", "consumer" and "catalog" of sections with a "name", cimdd's own
 * settings in "daemon", and in each object the member "@" with the place
 * ("/etc/cimd/cimd.conf:12", the path as *from has it) of each member and,
 * under "", of the object itself.
 *
 * With faults it is {"errors": [{"file", "line", "text"}]} instead, and the
 * function fails with CIMD_E_CONFIG.  The caller owns *out
 * (json_object_put()), which is NULL only with CIMD_E_NO_MEMORY.
 */
enum cimd_err conf_load(const struct conf_sources *from,
    struct json_object **out);

#endif /* CONF_LOAD_H */
