/*
 * listen.c - the listening sockets
 * SPDX-License-Identifier: Apache-2.0
 */

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>

#include "fail.h"
#include "listen.h"

enum {
	BACKLOG = 512, /* a burst of all threads of an identity provider */
};

/* One of the sockets that were passed. */
static enum cimd_err
take(struct listeners *l, int fd, const char *name, struct cimd_error *err)
{
	int *slot = NULL;
	int flags;

	if (name != NULL && strcmp(name, "lookup") == 0)
		slot = &l->lookup;
	else if (name != NULL && strcmp(name, "admin") == 0)
		slot = &l->admin;
	if (slot == NULL)
		return fail(err, CIMD_E_STATE,
		    "the inherited socket \"%s\" is neither \"lookup\" nor "
		    "\"admin\" (FileDescriptorName=)",
		    name == NULL ? "" : name);
	if (*slot != -1)
		return fail(err, CIMD_E_STATE,
		    "two inherited sockets are named \"%s\"", name);
	if (sd_is_socket_unix(fd, SOCK_STREAM, 1, NULL, 0) <= 0)
		return fail(err, CIMD_E_STATE,
		    "the inherited socket \"%s\" is no listening UNIX stream "
		    "socket",
		    name);
	flags = fcntl(fd, F_GETFL);
	if (flags == -1 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) == -1)
		return fail_errno(err, "the inherited socket \"%s\"", name);
	*slot = fd;
	return CIMD_OK;
}

enum cimd_err
listen_inherit(struct listeners *l, struct cimd_error *err)
{
	enum cimd_err e = CIMD_OK;
	char **names = NULL;
	int i, n;

	*l = (struct listeners){ .lookup = -1, .admin = -1 };
	n = sd_listen_fds_with_names(1, &names);
	if (n < 0) {
		errno = -n;
		return fail_errno(err, "cannot take inherited sockets");
	}
	for (i = 0; i < n; i++) {
		if (e == CIMD_OK)
			e = take(l, SD_LISTEN_FDS_START + i, names[i], err);
		free(names[i]);
	}
	free(names);
	l->inherited = n > 0;
	return e;
}

/* Close the descriptors from first to last. */
static void
close_between(int first, int last)
{
	if (first <= last)
		(void)close_range((unsigned int)first, (unsigned int)last, 0);
}

void
listen_close_others(const struct listeners *l)
{
	int low = l->lookup, high = l->admin;
	int fd;

	if (low > high) {
		low = l->admin;
		high = l->lookup;
	}
	/* A descriptor of ours must not take the place of a standard one. */
	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (low == -1)
		low = STDERR_FILENO;
	if (high == -1)
		high = STDERR_FILENO;
	close_between(STDERR_FILENO + 1, low - 1);
	close_between(low + 1, high - 1);
	close_between(high + 1, INT32_MAX);
}

/* Is somebody there?  Else the socket is a left-over. */
static enum cimd_err
check_left_over(const struct sockaddr_un *at, struct cimd_error *err)
{
	struct stat st;
	int fd, failed;

	if (lstat(at->sun_path, &st) != 0)
		return fail_errno(err, "cannot look at %s", at->sun_path);
	if (!S_ISSOCK(st.st_mode))
		return fail(err, CIMD_E_STATE, "%s is in the way: no socket",
		    at->sun_path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return fail_errno(err, "cannot make a socket");
	failed = connect(fd, (const struct sockaddr *)at, sizeof(*at)) != 0 ?
	    errno :
	    0;
	close(fd);
	if (failed != ECONNREFUSED)
		return fail(err, CIMD_E_STATE, "another process answers on %s",
		    at->sun_path);
	if (unlink(at->sun_path) != 0)
		return fail_errno(err, "cannot remove the left-over %s",
		    at->sun_path);
	return CIMD_OK;
}

/* Bind with no permission for anybody; there is no moment with more. */
static enum cimd_err
bind_closed(int fd, const struct sockaddr_un *at, struct cimd_error *err)
{
	mode_t before = umask(0777);
	int bound = bind(fd, (const struct sockaddr *)at, sizeof(*at));
	enum cimd_err e = CIMD_OK;

	if (bound != 0 && errno == EADDRINUSE) {
		e = check_left_over(at, err);
		if (e == CIMD_OK)
			bound =
			    bind(fd, (const struct sockaddr *)at, sizeof(*at));
	}
	umask(before);
	if (e == CIMD_OK && bound != 0)
		e = fail_errno(err, "cannot bind %s", at->sun_path);
	return e;
}

/* Who may connect; only root can give a file to another group. */
static enum cimd_err
set_access(const char *path, mode_t mode, const char *group,
    struct cimd_error *err)
{
	const struct group *gr;

	if (group != NULL && geteuid() == 0) {
		if ((gr = getgrnam(group)) == NULL)
			return fail(err, CIMD_E_STATE,
			    "socket_group: there is no group \"%s\"", group);
		if (chown(path, (uid_t)-1, gr->gr_gid) != 0)
			return fail_errno(err, "cannot give %s to group %s",
			    path, group);
	}
	if (chmod(path, mode) != 0)
		return fail_errno(err, "cannot set the mode of %s", path);
	return CIMD_OK;
}

static enum cimd_err
make(const char *path, mode_t mode, const char *group, int *out,
    struct cimd_error *err)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	enum cimd_err e;
	int fd;

	if (strlen(path) >= sizeof(at.sun_path))
		return fail(err, CIMD_E_STATE, "%s is too long for a socket",
		    path);
	memcpy(at.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return fail_errno(err, "cannot make a socket");
	if ((e = bind_closed(fd, &at, err)) != CIMD_OK) {
		close(fd);
		return e;
	}
	e = set_access(path, mode, group, err);
	if (e == CIMD_OK && listen(fd, BACKLOG) != 0)
		e = fail_errno(err, "cannot listen on %s", path);
	if (e != CIMD_OK) {
		unlink(path);
		close(fd);
		return e;
	}
	*out = fd;
	return CIMD_OK;
}

enum cimd_err
listen_open(struct listeners *l, const struct daemon_settings *s,
    struct cimd_error *err)
{
	enum cimd_err e;

	if (l->inherited)
		return CIMD_OK;
	if ((e = make(s->lookup_socket, 0660, s->socket_group, &l->lookup,
		 err)) != CIMD_OK)
		return e;
	if ((l->lookup_path = strdup(s->lookup_socket)) == NULL)
		return fail_memory(err);
	if ((e = make(s->admin_socket, 0600, NULL, &l->admin, err)) != CIMD_OK)
		return e;
	if ((l->admin_path = strdup(s->admin_socket)) == NULL)
		return fail_memory(err);
	return CIMD_OK;
}

void
listen_close(struct listeners *l)
{
	if (l->lookup_path != NULL)
		unlink(l->lookup_path);
	if (l->admin_path != NULL)
		unlink(l->admin_path);
	if (l->lookup != -1)
		close(l->lookup);
	if (l->admin != -1)
		close(l->admin);
	free(l->lookup_path);
	free(l->admin_path);
	*l = (struct listeners){ .lookup = -1, .admin = -1 };
}
