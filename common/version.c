/*
 * version.c - what is running
 * SPDX-License-Identifier: Apache-2.0
 */

#include "cimd.h"

const char *
cimd_version(void)
{
	return PACKAGE_VERSION;
}
