/*
 * main.c - cimdd
 * SPDX-License-Identifier: Apache-2.0
 */

#include <stdio.h>

#include "check.h"
#include "conf_child.h"
#include "daemon.h"

int
main(int argc, char **argv)
{
	struct options options;
	int status = options_read(argc, argv, &options);

	if (status == EXIT_CLEAN)
		switch (options.mode) {
		case MODE_DONE:
			status =
			    fflush(stdout) == 0 ? EXIT_CLEAN : EXIT_RUNTIME;
			break;
		case MODE_CHECK_JSON:
			status = conf_child(&options.from);
			break;
		case MODE_CHECK:
			status = check_config(&options.from);
			break;
		case MODE_RUN:
			status = daemon_run(&options);
			break;
		}
	options_clear(&options);
	return status;
}
