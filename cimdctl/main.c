/*
 * main.c - cimdctl
 * SPDX-License-Identifier: Apache-2.0
 */

#include <stdio.h>
#include <string.h>

#include "cimd.h"

int
main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		printf("cimdctl %s\n", cimd_version());
		return 0;
	}
	fprintf(stderr, "usage: cimdctl --version\n");
	return 2;
}
