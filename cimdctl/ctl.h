/*
 * ctl.h - what all commands of cimdctl share
 * SPDX-License-Identifier: Apache-2.0
 */

#ifndef CTL_H
#define CTL_H

#include "error.h"
#include "opt.h"
#include "out.h"

/* What cimdctl ends with; cimdctl(8) and "cimdctl help" say the same. */
enum ctl_exit {
	CTL_OK = 0,          /* accepted, or done */
	CTL_REFUSED = 1,     /* refused, or a check failed */
	CTL_USAGE = 2,       /* the command line is wrong */
	CTL_UNAVAILABLE = 3, /* for the moment; the same may work later */
	CTL_NO_DAEMON = 4,   /* cimdd cannot be reached */
	CTL_BROKEN = 5,      /* this machine or this program is at fault */
};

/* One run of cimdctl; all strings are borrowed. */
struct ctl {
	const struct command *command;
	const char *opt[OPT_COUNT]; /* NULL: not given; "" for flags */
	const char *const *args;
	size_t n_args;
	struct out *out;
};

/* A command.  Prints what it finds, and what is wrong to standard error. */
typedef enum ctl_exit command_fn(struct ctl *c);

command_fn cmd_allow;
command_fn cmd_approve;
command_fn cmd_audit;
command_fn cmd_catalog;
command_fn cmd_check;
command_fn cmd_clients;
command_fn cmd_complete;
command_fn cmd_deny;
command_fn cmd_diff;
command_fn cmd_doctor;
command_fn cmd_forget;
command_fn cmd_help;
command_fn cmd_metrics;
command_fn cmd_pin;
command_fn cmd_policy;
command_fn cmd_refresh;
command_fn cmd_reload;
command_fn cmd_show;
command_fn cmd_status;
command_fn cmd_unblock;
command_fn cmd_version;

/* The exit status for what the library says. */
enum ctl_exit ctl_exit_of(enum cimd_err e);

/*
 * Report an error: a line on standard error, and with --json also an object
 * with code, class, section and detail.  Returns ctl_exit_of(e).
 */
enum ctl_exit ctl_fail(const struct ctl *c, enum cimd_err e,
    const struct cimd_error *err);

/* ctl_fail() for a failed allocation. */
enum ctl_exit ctl_no_memory(const struct ctl *c);

#endif /* CTL_H */
