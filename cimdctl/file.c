/*
 * file.c - whole files, within a limit
 * SPDX-License-Identifier: Apache-2.0
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "file.h"

enum {
	STEP = 16384, /* bytes that the buffer grows by */
};

static enum cimd_err
read_all(FILE *f, size_t max_bytes, char **out, size_t *len)
{
	size_t n, room = 0;
	char *more;

	do {
		room += STEP;
		more = realloc(*out, room + 1);
		if (more == NULL)
			return CIMD_E_NO_MEMORY;
		*out = more;
		n = fread(*out + *len, 1, room - *len, f);
		*len += n;
		if (*len > max_bytes)
			return CIMD_E_TOO_BIG;
	} while (*len == room);
	(*out)[*len] = '\0';
	return ferror(f) != 0 ? CIMD_E_REQUEST : CIMD_OK;
}

static enum cimd_err
cannot_read(const char *path, struct cimd_error *err)
{
	return err_set(err, CIMD_E_REQUEST, "", "cannot read %s: %s", path,
	    strerror(errno));
}

enum cimd_err
file_read(const char *path, size_t max_bytes, char **out, size_t *len,
    struct cimd_error *err)
{
	bool given = strcmp(path, "-") == 0;
	FILE *f = given ? stdin : fopen(path, "re");
	enum cimd_err e;

	*out = NULL;
	*len = 0;
	if (f == NULL)
		return cannot_read(path, err);
	e = read_all(f, max_bytes, out, len);
	if (e == CIMD_E_REQUEST)
		(void)cannot_read(path, err);
	else if (e == CIMD_E_TOO_BIG)
		e = err_set(err, CIMD_E_REQUEST, "",
		    "%s has more than %zu bytes", path, max_bytes);
	else if (e == CIMD_E_NO_MEMORY)
		(void)err_no_memory(err);
	if (!given)
		(void)fclose(f);
	if (e != CIMD_OK) {
		free(*out);
		*out = NULL;
	}
	return e;
}
