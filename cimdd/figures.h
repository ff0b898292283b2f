/*
 * figures.h - figures of this process as Prometheus text
 * SPDX-License-Identifier: Apache-2.0
 */

#ifndef FIGURES_H
#define FIGURES_H

#include <stdio.h>

/* Write the usual process_* figures, and process_threads.  Any thread. */
void figures_write(FILE *out);

#endif /* FIGURES_H */
