/*
 * service.c - what the service manager is told, and whether there is one
 * SPDX-License-Identifier: Apache-2.0
 */

#include <pwd.h>
#include <time.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>

#include "say.h"
#include "service.h"

const char *
service_reason(const struct options *o, const struct daemon_settings *s,
    bool inherited)
{
	const struct passwd *pw;

	if (o->system)
		return "the configuration is the system's";
	if (inherited)
		return "the sockets come from systemd";
	if (say_environment("NOTIFY_SOCKET") != NULL)
		return "a service manager waits for it (NOTIFY_SOCKET)";
	if (say_environment("INVOCATION_ID") != NULL && getppid() == 1)
		return "systemd has started it";
	pw = getpwnam(s->user);
	if (pw != NULL && pw->pw_uid != 0 && pw->pw_uid == geteuid())
		return "it runs as the service's user";
	return NULL;
}

void
service_ready(const char *status)
{
	(void)sd_notifyf(0, "READY=1\nSTATUS=%s", status);
}

void
service_reloading(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	(void)sd_notifyf(0,
	    "RELOADING=1\nMONOTONIC_USEC=%lld\nSTATUS=Reading configuration",
	    (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
}

void
service_stopping(void)
{
	(void)sd_notify(0, "STOPPING=1\nSTATUS=Answering what is under way");
}

int64_t
service_watchdog_ms(void)
{
	uint64_t usec = 0;

	if (sd_watchdog_enabled(0, &usec) <= 0 || usec == 0)
		return 0;
	usec /= 2000;
	return usec == 0 ? 1 : (int64_t)usec;
}

void
service_alive(void)
{
	(void)sd_notify(0, "WATCHDOG=1");
}
