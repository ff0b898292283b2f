/*
 * confd_try.c - would cimdd take the configuration with a new file?
 * SPDX-License-Identifier: Apache-2.0
 *
 * A folder of its own, with links to all files of conf.d and the new one,
 * takes the place of conf.d; in what is printed its path becomes that of
 * conf.d again.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "confd.h"
#include "config.h"

struct trial {
	const struct confd *d;
	const struct confd_file *f;
	char *real; /* absolute path of conf.d */
	char *top;  /* ".try-XXXXXX" in it */
	char *dir;  /* and "conf.d" in that */
	int fd;     /* of dir */
};

static enum cimd_err
fault(const struct trial *t, struct cimd_error *err)
{
	return err_set(err, CIMD_E_STORE, "", "cannot write into %s: %s",
	    t->d->path, strerror(errno));
}

static enum cimd_err
make_folders(struct trial *t, struct cimd_error *err)
{
	if ((t->real = realpath(t->d->path, NULL)) == NULL)
		return fault(t, err);
	if (asprintf(&t->top, "%s/.try-XXXXXX", t->real) == -1) {
		t->top = NULL;
		return err_no_memory(err);
	}
	if (mkdtemp(t->top) == NULL) {
		(void)fault(t, err);
		free(t->top);
		t->top = NULL;
		return CIMD_E_STORE;
	}
	if (asprintf(&t->dir, "%s/conf.d", t->top) == -1) {
		t->dir = NULL;
		return err_no_memory(err);
	}
	if (mkdir(t->dir, 0755) != 0)
		return fault(t, err);
	t->fd = open(t->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return t->fd == -1 ? fault(t, err) : CIMD_OK;
}

static bool
is_wanted(const struct trial *t, const char *name)
{
	size_t n = strlen(name);

	return name[0] != '.' && n > 5 && strcmp(name + n - 5, ".conf") == 0 &&
	    strcmp(name, t->f->name) != 0;
}

static bool
link_one(struct trial *t, const char *name)
{
	char *target = NULL;
	bool ok;

	if (asprintf(&target, "%s/%s", t->real, name) == -1)
		return false;
	ok = symlinkat(target, t->fd, name) == 0;
	free(target);
	return ok;
}

static enum cimd_err
link_all(struct trial *t, struct cimd_error *err)
{
	const struct dirent *entry;
	bool ok = true;
	DIR *d;

	if ((d = opendir(t->real)) == NULL)
		return fault(t, err);
	while (ok && (entry = readdir(d)) != NULL)
		if (is_wanted(t, entry->d_name))
			ok = link_one(t, entry->d_name);
	if (!ok)
		(void)fault(t, err);
	closedir(d);
	return ok ? CIMD_OK : CIMD_E_STORE;
}

static enum cimd_err
write_new(struct trial *t, struct cimd_error *err)
{
	size_t n = strlen(t->f->text);
	bool ok;
	int fd;

	fd = openat(t->fd, t->f->name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
	    0644);
	if (fd == -1)
		return fault(t, err);
	errno = ENOSPC; /* what a short write means */
	ok = write(fd, t->f->text, n) == (ssize_t)n;
	if (!ok)
		(void)fault(t, err);
	close(fd);
	return ok ? CIMD_OK : CIMD_E_STORE;
}

/* Leave nothing behind. */
static void
clean(struct trial *t)
{
	const struct dirent *entry;
	DIR *d = t->dir != NULL ? opendir(t->dir) : NULL;

	while (d != NULL && (entry = readdir(d)) != NULL)
		if (strcmp(entry->d_name, ".") != 0 &&
		    strcmp(entry->d_name, "..") != 0)
			(void)unlinkat(dirfd(d), entry->d_name, 0);
	if (d != NULL)
		closedir(d);
	if (t->fd != -1)
		close(t->fd);
	if (t->dir != NULL)
		(void)rmdir(t->dir);
	if (t->top != NULL)
		(void)rmdir(t->top);
	free(t->dir);
	free(t->top);
	free(t->real);
}

/* One fault, with the paths that the files will have; it may name two. */
static void
print_fault(const struct trial *t, const char *line)
{
	char *text = NULL;
	size_t len = 0;
	const char *at;
	FILE *f = open_memstream(&text, &len);

	if (f == NULL) {
		complain("%s", line);
		return;
	}
	while ((at = strstr(line, t->dir)) != NULL) {
		fprintf(f, "%.*s%s", (int)(at - line), line, t->d->path);
		line = at + strlen(t->dir);
	}
	(void)fputs(line, f);
	if (fclose(f) == 0)
		complain("%s", text);
	free(text);
}

/* The faults line by line. */
static void
print_faults(const struct trial *t, char *faults)
{
	char *line, *rest = faults;

	while ((line = strsep(&rest, "\n")) != NULL)
		if (*line != '\0')
			print_fault(t, line);
}

enum cimd_err
confd_try(const struct ctl *c, struct confd *d, const struct confd_file *f,
    struct cimd_error *err)
{
	struct trial t = { .d = d, .f = f, .fd = -1 };
	struct config_files files = config_files(c);
	char *faults = NULL;
	enum cimd_err e;

	e = make_folders(&t, err);
	if (e == CIMD_OK)
		e = link_all(&t, err);
	if (e == CIMD_OK)
		e = write_new(&t, err);
	if (e == CIMD_OK) {
		files.dir = t.dir;
		e = config_test(c, &files, &faults, err);
	}
	if (faults != NULL && t.dir != NULL)
		print_faults(&t, faults);
	free(faults);
	clean(&t);
	return e;
}
