/*
 * confd.c - rules that cimdctl writes into conf.d
 * SPDX-License-Identifier: Apache-2.0
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "confd.h"
#include "file.h"

#define HEAD "# Written by cimdctl, sha256 "
#define HEAD_END ": change the lines below and it is yours.\n"

enum {
	FILE_MAX = 262144, /* bytes, as cimdd reads them */
	HEX_LEN = 64,      /* of a SHA-256 */
};

static enum cimd_err
fault(struct cimd_error *err, const char *what, const char *path)
{
	return err_set(err, CIMD_E_STORE, "", "cannot %s %s: %s", what, path,
	    strerror(errno));
}

/* conf.d beside the configuration, unless the options say where. */
static char *
folder_of(const struct ctl *c)
{
	const char *file = c->opt[OPT_CONFIG];
	const char *slash;
	char *path = NULL;
	int n;

	if (c->opt[OPT_CONF_DIR] != NULL)
		return strdup(c->opt[OPT_CONF_DIR]);
	if (file == NULL)
		file = CIMD_CONFIG;
	slash = strrchr(file, '/');
	n = slash == NULL ? 0 : (int)(slash + 1 - file);
	if (asprintf(&path, "%.*sconf.d", n, file) == -1)
		return NULL;
	return path;
}

enum cimd_err
confd_open(const struct ctl *c, struct confd *d, struct cimd_error *err)
{
	*d = (struct confd){ .path = folder_of(c), .fd = -1 };
	if (d->path == NULL)
		return err_no_memory(err);
	if (mkdir(d->path, 0755) != 0 && errno != EEXIST)
		return fault(err, "make", d->path);
	d->fd = open(d->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (d->fd == -1)
		return fault(err, "open", d->path);
	if (flock(d->fd, LOCK_EX) != 0)
		return fault(err, "lock", d->path);
	return CIMD_OK;
}

void
confd_close(struct confd *d)
{
	if (d->fd != -1)
		close(d->fd);
	free(d->path);
	*d = (struct confd){ .fd = -1 };
}

static bool
hash_of(const char *text, char hex[HEX_LEN + 1])
{
	unsigned char hash[EVP_MAX_MD_SIZE];
	unsigned int i, n = 0;

	if (EVP_Digest(text, strlen(text), hash, &n, EVP_sha256(), NULL) != 1)
		return false;
	for (i = 0; i < n && 2 * i < HEX_LEN; i++)
		(void)snprintf(hex + (size_t)2 * i, 3, "%02x", hash[i]);
	return true;
}

/* Is this, with its first line, as cimdctl wrote it? */
static bool
is_ours(const char *text)
{
	size_t head = sizeof(HEAD) - 1;
	size_t end = sizeof(HEAD_END) - 1;
	char hex[HEX_LEN + 1];
	const char *at = text + head;

	if (strncmp(text, HEAD, head) != 0 || strlen(at) < HEX_LEN + end)
		return false;
	if (strncmp(at + HEX_LEN, HEAD_END, end) != 0)
		return false;
	return hash_of(at + HEX_LEN + end, hex) &&
	    strncmp(at, hex, HEX_LEN) == 0;
}

static enum cimd_err
read_old(struct confd *d, struct confd_file *f, struct cimd_error *err)
{
	char *path = NULL;
	size_t len;
	enum cimd_err e = CIMD_OK;

	if (faccessat(d->fd, f->name, F_OK, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? CIMD_OK : fault(err, "find", f->name);
	if (asprintf(&path, "%s/%s", d->path, f->name) == -1)
		return err_no_memory(err);
	e = file_read(path, FILE_MAX, &f->old, &len, err);
	if (e == CIMD_OK && (strlen(f->old) != len || !is_ours(f->old)))
		e = err_set(err, CIMD_E_POLICY, "policy",
		    "%s was written or changed by somebody else; it stays as "
		    "it is",
		    path);
	free(path);
	return e;
}

enum cimd_err
confd_prepare(struct confd *d, const char *name, const char *lines,
    struct confd_file *f, struct cimd_error *err)
{
	char hex[HEX_LEN + 1];

	*f = (struct confd_file){ 0 };
	if (!hash_of(lines, hex) || asprintf(&f->name, "%s.conf", name) == -1) {
		f->name = NULL;
		return err_no_memory(err);
	}
	if (asprintf(&f->text, HEAD "%s" HEAD_END "%s", hex, lines) == -1) {
		f->text = NULL;
		return err_no_memory(err);
	}
	return read_old(d, f, err);
}

void
confd_file_clear(struct confd_file *f)
{
	free(f->name);
	free(f->old);
	free(f->text);
	*f = (struct confd_file){ 0 };
}

bool
confd_same(const struct confd_file *f)
{
	return f->old != NULL && strcmp(f->old, f->text) == 0;
}

static bool
write_all(int fd, const char *text)
{
	size_t n = strlen(text), done = 0;
	ssize_t put;

	while (done < n) {
		put = write(fd, text + done, n - done);
		if (put == -1 && errno != EINTR)
			return false;
		if (put > 0)
			done += (size_t)put;
	}
	return fchmod(fd, 0644) == 0 && fsync(fd) == 0;
}

/* A name that cimdd does not read, then the right one in one step. */
static enum cimd_err
replace(struct confd *d, const char *name, const char *text,
    struct cimd_error *err)
{
	static const char temporary[] = ".cimdctl.new";
	bool ok;
	int fd;

	(void)unlinkat(d->fd, temporary, 0); /* of a run that was killed */
	fd = openat(d->fd, temporary,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd == -1)
		return fault(err, "write into", d->path);
	ok = write_all(fd, text);
	if (close(fd) != 0)
		ok = false;
	if (ok && renameat(d->fd, temporary, d->fd, name) == 0 &&
	    fsync(d->fd) == 0)
		return CIMD_OK;
	(void)fault(err, "write", name);
	(void)unlinkat(d->fd, temporary, 0);
	return CIMD_E_STORE;
}

enum cimd_err
confd_commit(struct confd *d, const struct confd_file *f,
    struct cimd_error *err)
{
	return replace(d, f->name, f->text, err);
}

enum cimd_err
confd_restore(struct confd *d, const struct confd_file *f,
    struct cimd_error *err)
{
	if (f->old != NULL)
		return replace(d, f->name, f->old, err);
	if (unlinkat(d->fd, f->name, 0) != 0 || fsync(d->fd) != 0)
		return fault(err, "remove", f->name);
	return CIMD_OK;
}
