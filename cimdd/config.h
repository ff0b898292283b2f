/*
 * config.h - the configuration, read by a child process
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: none; in: paths; out: JSON for libcimd, settings of the daemon;
 * touches processes.  What the values mean is judged by cimd_new(), the
 * daemon's own settings too: use them after that.
 */

#ifndef CONFIG_H
#define CONFIG_H

#include "conf_load.h"

/* What is cimdd's own; strings are owned. */
struct daemon_settings {
	char *lookup_socket;
	char *admin_socket;
	char *mux_socket;   /* "": none */
	char *user;         /* to become, when started by root */
	char *socket_group; /* of the lookup socket, likewise */
	char *mux_group;    /* of the mux, likewise */
	unsigned int max_connections;
	unsigned int max_connections_uid;
	int64_t request_timeout_ms;
};

struct config {
	char *json; /* for cimd_new(); owned */
	size_t len;
	struct daemon_settings daemon;
	bool development_loopback;
};

/*
 * Run the configuration child and take its answer apart.  With faults in the
 * files, *faults (which may be NULL) gets one line "FILE:LINE: TEXT" for
 * each; the caller frees it.  Release *out with config_clear(), whatever
 * this returns.  Fails with: CIMD_E_CONFIG, CIMD_E_STATE, CIMD_E_NO_MEMORY.
 */
enum cimd_err config_load(const struct conf_sources *from, struct config *out,
    char **faults, struct cimd_error *err);

void config_clear(struct config *c);

#endif /* CONFIG_H */
