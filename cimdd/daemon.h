/*
 * daemon.h - the life of the daemon
 * SPDX-License-Identifier: Apache-2.0
 */

#ifndef DAEMON_H
#define DAEMON_H

#include "options.h"

/* Run until SIGTERM or SIGINT; returns an EXIT_ status. */
int daemon_run(const struct options *options);

#endif /* DAEMON_H */
