/*
 * service.h - what the service manager is told, and whether there is one
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: none; in: states; out: messages to systemd; touches a socket
 */

#ifndef SERVICE_H
#define SERVICE_H

#include "config.h"
#include "options.h"

/*
 * Why this process counts as a system service, in which the development
 * exception is refused; NULL: it does not.  inherited: systemd passed the
 * sockets.
 */
const char *service_reason(const struct options *o,
    const struct daemon_settings *s, bool inherited);

/* States, with a line for "systemctl status". */
void service_ready(const char *status);
void service_reloading(void);
void service_stopping(void);

/* Milliseconds between two signs of life; 0: nobody waits for one. */
int64_t service_watchdog_ms(void);
void service_alive(void);

#endif /* SERVICE_H */
