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

static void
clear(struct listeners *l)
{
	size_t i;

	*l = (struct listeners){ .inherited = false };
	for (i = 0; i < DOORS; i++)
		l->fd[i] = -1;
}

/* One of the sockets that were passed. */
static enum cimd_err
take(struct listeners *l, int fd, const char *name, struct cimd_error *err)
{
	int *slot = NULL;
	int flags;
	size_t i;

	for (i = 0; name != NULL && i < DOORS; i++)
		if (strcmp(name, door_name((enum door)i)) == 0)
			slot = &l->fd[i];
	if (slot == NULL)
		return fail(err, CIMD_E_STATE,
		    "the inherited socket \"%s\" is neither \"lookup\" nor "
		    "\"admin\" nor \"mux\" (FileDescriptorName=)",
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

	clear(l);
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

/* The lowest of the listeners from first on; -1: none. */
static int
next_listener(const struct listeners *l, int first)
{
	int found = -1;
	size_t i;

	for (i = 0; i < DOORS; i++)
		if (l->fd[i] >= first && (found == -1 || l->fd[i] < found))
			found = l->fd[i];
	return found;
}

void
listen_close_others(const struct listeners *l)
{
	int first = STDERR_FILENO + 1;
	int fd;

	/* A descriptor of ours must not take the place of a standard one. */
	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	while ((fd = next_listener(l, first)) != -1) {
		close_between(first, fd - 1);
		first = fd + 1;
	}
	close_between(first, INT32_MAX);
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

/* A socket that somebody configured. */
struct wanted {
	enum door door;
	const char *path;
	mode_t mode;
	const char *group;   /* NULL: stays as it is */
	const char *setting; /* of the group */
};

/* Who may connect; only root can give a file to another group. */
static enum cimd_err
set_access(const struct wanted *w, struct cimd_error *err)
{
	const struct group *gr;

	if (w->group != NULL && geteuid() == 0) {
		if ((gr = getgrnam(w->group)) == NULL)
			return fail(err, CIMD_E_STATE,
			    "%s: there is no group \"%s\"", w->setting,
			    w->group);
		if (chown(w->path, (uid_t)-1, gr->gr_gid) != 0)
			return fail_errno(err, "cannot give %s to group %s",
			    w->path, w->group);
	}
	if (chmod(w->path, w->mode) != 0)
		return fail_errno(err, "cannot set the mode of %s", w->path);
	return CIMD_OK;
}

static enum cimd_err
bind_and_listen(const struct wanted *w, int fd, struct cimd_error *err)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	enum cimd_err e;

	if (strlen(w->path) >= sizeof(at.sun_path))
		return fail(err, CIMD_E_STATE, "%s is too long for a socket",
		    w->path);
	memcpy(at.sun_path, w->path, strlen(w->path) + 1);
	if ((e = bind_closed(fd, &at, err)) != CIMD_OK)
		return e;
	e = set_access(w, err);
	if (e == CIMD_OK && listen(fd, BACKLOG) != 0)
		e = fail_errno(err, "cannot listen on %s", w->path);
	if (e != CIMD_OK)
		unlink(w->path);
	return e;
}

static enum cimd_err
make(struct listeners *l, const struct wanted *w, struct cimd_error *err)
{
	enum cimd_err e;
	int fd;

	if (w->path[0] == '\0')
		return CIMD_OK;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return fail_errno(err, "cannot make a socket");
	if ((e = bind_and_listen(w, fd, err)) != CIMD_OK) {
		close(fd);
		return e;
	}
	l->fd[w->door] = fd;
	if ((l->path[w->door] = strdup(w->path)) == NULL) {
		unlink(w->path);
		return fail_memory(err);
	}
	return CIMD_OK;
}

enum cimd_err
listen_open(struct listeners *l, const struct daemon_settings *s,
    struct cimd_error *err)
{
	const struct wanted wanted[] = {
		{ DOOR_LOOKUP, s->lookup_socket, 0660, s->socket_group,
		    "socket_group" },
		{ DOOR_ADMIN, s->admin_socket, 0600, NULL, "" },
		{ DOOR_MUX, s->mux_socket, 0660, s->mux_group, "mux_group" },
	};
	enum cimd_err e;
	size_t i;

	if (l->inherited)
		return CIMD_OK;
	for (i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		if ((e = make(l, &wanted[i], err)) != CIMD_OK)
			return e;
	return CIMD_OK;
}

void
listen_close(struct listeners *l)
{
	size_t i;

	for (i = 0; i < DOORS; i++) {
		if (l->path[i] != NULL)
			unlink(l->path[i]);
		if (l->fd[i] != -1)
			close(l->fd[i]);
		free(l->path[i]);
	}
	clear(l);
}
