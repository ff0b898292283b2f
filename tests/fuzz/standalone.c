/*
 * standalone.c - feed files to a fuzz target, once each, without libFuzzer
 * SPDX-License-Identifier: Apache-2.0
 *
 * Gives each input in a block of its exact size, so that a sanitizer or
 * valgrind sees a read past its end.  No files, or one that cannot be read,
 * is a failure: a replay that was fed nothing proves nothing.
 */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The bytes of a file in one block of that size, or NULL. */
static uint8_t *
read_stream(FILE *f, size_t *size)
{
	uint8_t *data;
	long end;

	if (fseek(f, 0, SEEK_END) != 0 || (end = ftell(f)) < 0 ||
	    fseek(f, 0, SEEK_SET) != 0)
		return NULL;
	*size = (size_t)end;
	data = malloc(*size == 0 ? 1 : *size);
	if (data != NULL && fread(data, 1, *size, f) != *size) {
		free(data);
		return NULL;
	}
	return data;
}

static int
replay(const char *path)
{
	uint8_t *data;
	size_t size = 0;
	int done = -1;
	FILE *f;

	f = fopen(path, "rb");
	if (f == NULL) {
		perror(path);
		return -1;
	}
	data = read_stream(f, &size);
	if (data == NULL) {
		perror(path);
	} else {
		LLVMFuzzerTestOneInput(data, size);
		done = 0;
	}
	free(data);
	(void)fclose(f);
	return done;
}

int
main(int argc, char **argv)
{
	int i;

	if (argc < 2) {
		fprintf(stderr, "usage: %s FILE...\n", argv[0]);
		return 2;
	}
	for (i = 1; i < argc; i++)
		if (replay(argv[i]) != 0)
			return 1;
	printf("%d inputs\n", argc - 1);
	return 0;
}
