/*
 * consumer.c - a program that knows libcimd from pkg-config alone
 * SPDX-License-Identifier: Apache-2.0
 */

#include <stdio.h>
#include <string.h>

#include <cimd.h>

int
main(void)
{
	if (strcmp(cimd_err_name(CIMD_E_URL), "CIMD_E_URL") != 0)
		return 1;
	if (puts(cimd_version()) < 0)
		return 1;
	return 0;
}
