/*
 * batch.h - "cimdctl check --batch": one JSON object per line
 * SPDX-License-Identifier: Apache-2.0
 */

#ifndef BATCH_H
#define BATCH_H

#include <stdio.h>

#include "policy.h"

/*
 * Judge each line of in and write one line to out, in order; nothing is
 * fetched.  policy is for lines that bring none of their own.
 * False: out could not be written or memory ran out (errno says which).
 */
bool batch_run(FILE *in, FILE *out, struct policy *policy);

#endif /* BATCH_H */
