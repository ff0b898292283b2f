/*
 * conf_file.c - configuration files and folders, read safely
 * SPDX-License-Identifier: Apache-2.0
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf_file.h"

static enum cimd_err
system_fault(struct conf_fault *fault, const char *what)
{
	return conf_fault_set(fault, 0, "cannot %s: %s", what, strerror(errno));
}

/* Could somebody but root and us have written it? */
static enum cimd_err
check_owner(const struct stat *st, struct conf_fault *fault)
{
	if (st->st_uid != 0 && st->st_uid != geteuid())
		return conf_fault_set(fault, 0,
		    "belongs to user %u, not to root or user %u",
		    (unsigned int)st->st_uid, (unsigned int)geteuid());
	if ((st->st_mode & S_IWOTH) != 0)
		return conf_fault_set(fault, 0, "everybody can write to it");
	return CIMD_OK;
}

static enum cimd_err
check_file(int fd, struct conf_fault *fault)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return system_fault(fault, "look at it");
	if (!S_ISREG(st.st_mode))
		return conf_fault_set(fault, 0, "is %s, not a file",
		    S_ISDIR(st.st_mode) ? "a directory" : "something else");
	if (st.st_size > CONF_MAX_FILE)
		return conf_fault_set(fault, 0, "has more than %d bytes",
		    CONF_MAX_FILE);
	return check_owner(&st, fault);
}

/* One byte more than allowed is asked for, should the file have grown. */
static enum cimd_err
read_all(int fd, char *text, size_t *len, struct conf_fault *fault)
{
	ssize_t got;
	size_t n = 0;

	do {
		got = read(fd, text + n, CONF_MAX_FILE + 1 - n);
		if (got > 0)
			n += (size_t)got;
	} while (
	    (got > 0 && n <= CONF_MAX_FILE) || (got == -1 && errno == EINTR));
	if (got == -1)
		return system_fault(fault, "read it");
	if (n > CONF_MAX_FILE)
		return conf_fault_set(fault, 0, "has more than %d bytes",
		    CONF_MAX_FILE);
	text[n] = '\0';
	*len = n;
	return CIMD_OK;
}

enum cimd_err
conf_file_read(const char *path, char **text, size_t *len,
    struct conf_fault *fault)
{
	enum cimd_err e;
	char *p = NULL;
	int fd;

	*text = NULL;
	/* O_NONBLOCK: a FIFO must not hold us up. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd == -1)
		return system_fault(fault, "open it");
	e = check_file(fd, fault);
	if (e == CIMD_OK && (p = malloc(CONF_MAX_FILE + 2)) == NULL)
		e = CIMD_E_NO_MEMORY;
	if (e == CIMD_OK)
		e = read_all(fd, p, len, fault);
	close(fd);
	if (e != CIMD_OK) {
		free(p);
		return e;
	}
	*text = p;
	return CIMD_OK;
}

void
conf_names_free(struct conf_names *n)
{
	size_t i;

	for (i = 0; i < n->n; i++)
		free(n->name[i]);
	free(n->name);
	*n = (struct conf_names){ NULL, 0 };
}

static bool
is_wanted(const char *name)
{
	size_t n = strlen(name);

	return name[0] != '.' && n > 5 && strcmp(name + n - 5, ".conf") == 0;
}

static int
compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* out->name has room for CONF_MAX_FILES. */
static enum cimd_err
read_names(DIR *d, struct conf_names *out, struct conf_fault *fault)
{
	const struct dirent *entry;

	while ((errno = 0, entry = readdir(d)) != NULL) {
		if (!is_wanted(entry->d_name))
			continue;
		if (out->n == CONF_MAX_FILES)
			return conf_fault_set(fault, 0,
			    "holds more than %d files", CONF_MAX_FILES);
		out->name[out->n] = strdup(entry->d_name);
		if (out->name[out->n] == NULL)
			return CIMD_E_NO_MEMORY;
		out->n++;
	}
	if (errno != 0)
		return system_fault(fault, "read it");
	qsort(out->name, out->n, sizeof(*out->name), compare_names);
	return CIMD_OK;
}

enum cimd_err
conf_file_list(const char *dir, struct conf_names *out,
    struct conf_fault *fault)
{
	struct stat st;
	enum cimd_err e;
	DIR *d;

	*out = (struct conf_names){ NULL, 0 };
	if ((d = opendir(dir)) == NULL)
		return errno == ENOENT ? CIMD_OK :
					 system_fault(fault, "open it");
	if (fstat(dirfd(d), &st) != 0)
		e = system_fault(fault, "look at it");
	else
		e = check_owner(&st, fault);
	if (e == CIMD_OK) {
		out->name = calloc(CONF_MAX_FILES, sizeof(*out->name));
		e = out->name == NULL ? CIMD_E_NO_MEMORY :
					read_names(d, out, fault);
	}
	closedir(d);
	return e;
}
