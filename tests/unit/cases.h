/*
 * cases.h - cases and corpora for unit tests
 * SPDX-License-Identifier: Apache-2.0
 *
 * A case is a file or a folder in tests/cases/<step>-{valid,invalid}/.  Its
 * facts are lines "key: value" of that file, or of the file "case" in that
 * folder ("key:" for an empty value); empty lines and lines that start with "#"
 * say nothing.  In a value
 * \\, \n, \r, \t and \xNN stand for one byte each.  What is not one line
 * (documents, keys) is a file of its own in the folder.
 *
 * The functions end the test program or fail the test where a case cannot be
 * read.  Only for tests; not for use in several threads.
 */

#ifndef CASES_H
#define CASES_H

#include "cimd_int.h"

struct test_case; /* lives until the function it was given to returns */

typedef void case_fn(struct test_case *c);

/*
 * Call fn for each case of tests/cases/<folder>, in the order of their
 * names.  All cases run; then the test fails if a check of any failed or if
 * there are none.  Prints the name of each case as a TAP comment.
 */
void cases_run(const char *folder, case_fn *fn);

/* Name of the file or folder. */
const char *case_name(const struct test_case *c);

/*
 * Bytes of a file in the case's folder, in a block of exactly their size so
 * that a sanitizer sees a read past the end; absent without such a file.
 */
struct span case_file(struct test_case *c, const char *name);

/* Value of the first line with that key; absent without one. */
struct span case_value(struct test_case *c, const char *key);

/* Value of the line number i (from 0) with that key, for lists. */
struct span case_value_at(struct test_case *c, const char *key, size_t i);

/* The same as a C string; NULL without one. */
const char *case_string(struct test_case *c, const char *key);

/* The same as a decimal number; otherwise when there is no such line. */
int64_t case_number(struct test_case *c, const char *key, int64_t otherwise);

/* Note and print a failure, if !good; other checks and cases go on. */
void case_check(struct test_case *c, bool good, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * Check got and err against the lines "code" (required), "section" and
 * "text" (a piece of the text); each must be there in an invalid case.
 */
void case_check_error(struct test_case *c, enum cimd_err got,
    const struct cimd_error *err);

/*
 * Check a set of warnings against the lines "warning", which hold the names
 * of warning_name(): all of them and no others.
 */
void case_check_warnings(struct test_case *c, uint64_t warnings);

/*
 * Bytes of a file of the corpora that lie outside of the project (folder
 * $CIMD_CORPORA); free s.p with corpus_free().  Absent without the corpora,
 * which one line on stdout says.
 */
struct span corpus_read(const char *path);
void corpus_free(struct span *s);

/* The text of a file of the source tree ($top_srcdir); free() it. */
char *source_read(const char *path);

#endif /* CASES_H */
