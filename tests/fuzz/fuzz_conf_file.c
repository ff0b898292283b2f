/*
 * fuzz_conf_file.c - the text of a configuration file
 * SPDX-License-Identifier: Apache-2.0
 *
 * What the strict scan accepts, libconfuse reads in the same way; and a scan
 * of the text without its comments finds the same.
 */

#include <stdlib.h>
#include <string.h>

#include "conf_bytes.h"
#include "conf_table.h"
#include "conf_tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool good)
{
	if (!good)
		abort();
}

static void
check_row(const struct conf_outline *o, size_t i)
{
	const struct conf_row *r = &o->row[i];

	must(conf_is_name(r->name, strlen(r->name)));
	must(r->line > 0);
	must(i == 0 || r->line >= r[-1].line);
	if (r->section != CONF_NO_SECTION) {
		must(r->section < i && r->title == NULL);
		must(o->row[r->section].title != NULL);
	}
	if (r->title != NULL) {
		must(conf_is_title(r->title, strlen(r->title)));
		must(conf_kind_find(r->name) != NULL);
		must(r->values == 0);
#ifdef CIMD_PLANTED
		/* Wrong on purpose: as if no name began with a digit. */
		must(r->title[0] < '0' || r->title[0] > '9');
#endif
		return;
	}
	must(r->list || r->values == 1);
}

static bool
is_same(const struct conf_row *a, const struct conf_row *b)
{
	return strcmp(a->name, b->name) == 0 && a->line == b->line &&
	    a->values == b->values && a->list == b->list &&
	    a->section == b->section &&
	    (a->title == NULL) == (b->title == NULL) &&
	    (a->title == NULL || strcmp(a->title, b->title) == 0);
}

/* May libconfuse see it?  Names are known, and stand once in their place. */
static bool
is_clean(const struct conf_outline *o)
{
	const struct conf_def *def;
	const struct conf_row *r;
	unsigned int where;
	size_t i, k;

	for (i = 0; i < o->n; i++) {
		r = &o->row[i];
		where = CONF_TOP | CONF_DAEMON;
		if (r->section != CONF_NO_SECTION)
			where = conf_kind_find(o->row[r->section].name)->where;
		def = conf_def_find(r->name, where);
		if (r->title == NULL &&
		    (def == NULL || (r->list && !conf_is_list(def->type))))
			return false;
		for (k = 0; k < i; k++)
			if (strcmp(o->row[k].name, r->name) == 0 &&
			    o->row[k].section == r->section &&
			    (r->title == NULL ||
				strcmp(o->row[k].title, r->title) == 0))
				return false;
	}
	return true;
}

static void
check_tree(const char *text, const struct conf_outline *o)
{
	struct conf_fault fault = { .line = 0 };
	struct conf_tree *t = NULL;
	size_t i, k;

	must(conf_tree_read(text, o, &t, &fault) == CIMD_OK);
	for (i = 0; i < o->n; i++)
		for (k = 0; o->row[i].title == NULL && k < o->row[i].values;
		     k++)
			must(conf_tree_value(t, i, k) != NULL);
	conf_tree_free(&t);
}

static void
check_again(char *text, size_t len, const struct conf_outline *o)
{
	struct conf_fault fault;
	struct conf_outline again;
	size_t i;

	must(conf_scan(text, len, &again, &fault) == CIMD_OK);
	must(again.n == o->n);
	for (i = 0; i < o->n; i++)
		must(is_same(&o->row[i], &again.row[i]));
	conf_outline_free(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct conf_fault fault = { .line = 0 };
	struct conf_outline o;
	char *text;
	enum cimd_err e;
	size_t i;

	if (size > 4096)
		return 0;
	must((text = malloc(size + 1)) != NULL);
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	e = conf_scan(text, size, &o, &fault);
	must(e == CIMD_OK || e == CIMD_E_CONFIG);
	if (e == CIMD_OK) {
		for (i = 0; i < o.n; i++)
			check_row(&o, i);
		check_again(text, size, &o);
		if (is_clean(&o))
			check_tree(text, &o);
	} else {
		must(fault.line > 0 && fault.text[0] != '\0');
	}
	conf_outline_free(&o);
	free(text);
	return 0;
}
