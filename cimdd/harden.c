/*
 * harden.c - what the process gives up
 * SPDX-License-Identifier: Apache-2.0
 */

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conns.h"
#include "fail.h"
#include "harden.h"

enum {
	/* Fetches, store, sockets, the configuration child; and the mux. */
	OTHER_DESCRIPTORS = 192 + CONNS_MUX,
};

enum cimd_err
harden_process(struct cimd_error *err)
{
	const struct rlimit none = { 0, 0 };
	const struct sigaction ignore = { .sa_handler = SIG_IGN };

	umask(077);
	if (setrlimit(RLIMIT_CORE, &none) != 0)
		return fail_errno(err, "cannot switch core dumps off");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return fail_errno(err, "cannot give up new privileges");
	if (sigaction(SIGPIPE, &ignore, NULL) != 0)
		return fail_errno(err, "cannot ignore SIGPIPE");
	return CIMD_OK;
}

static enum cimd_err
become(const struct passwd *pw, struct cimd_error *err)
{
	if (initgroups(pw->pw_name, pw->pw_gid) != 0)
		return fail_errno(err, "cannot take the groups of %s",
		    pw->pw_name);
	if (setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) != 0)
		return fail_errno(err, "cannot take the group of %s",
		    pw->pw_name);
	if (setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid) != 0)
		return fail_errno(err, "cannot become %s", pw->pw_name);
	if (setuid(0) == 0 || geteuid() == 0 || getegid() != pw->pw_gid)
		return fail(err, CIMD_E_STATE,
		    "root's privileges are still there");
	return CIMD_OK;
}

enum cimd_err
harden_become(const char *user, bool *kept_root, struct cimd_error *err)
{
	const struct passwd *pw;

	*kept_root = false;
	if (geteuid() != 0)
		return CIMD_OK;
	errno = 0;
	if ((pw = getpwnam(user)) == NULL)
		return fail(err, CIMD_E_STATE, "user: there is no user \"%s\"",
		    user);
	if (pw->pw_uid == 0) {
		*kept_root = true;
		return CIMD_OK;
	}
	return become(pw, err);
}

unsigned int
harden_descriptors(unsigned int wanted)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) != 0)
		return wanted;
	files.rlim_cur = files.rlim_max;
	if (files.rlim_cur > (rlim_t)wanted + OTHER_DESCRIPTORS)
		files.rlim_cur = (rlim_t)wanted + OTHER_DESCRIPTORS;
	(void)setrlimit(RLIMIT_NOFILE, &files);
	if (files.rlim_cur >= (rlim_t)wanted + OTHER_DESCRIPTORS)
		return wanted;
	if (files.rlim_cur <= OTHER_DESCRIPTORS)
		return 1;
	return (unsigned int)(files.rlim_cur - OTHER_DESCRIPTORS);
}
