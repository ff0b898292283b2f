/*
 * conf_tree.c - what libconfuse reads in a file
 * SPDX-License-Identifier: Apache-2.0
 */

#include <stdlib.h>

#include <confuse.h>

#include "conf_table.h"
#include "conf_tree.h"

/* Every value is text for libconfuse: its numbers would take 010 for 8. */
struct conf_tree {
	const struct conf_outline *outline;
	cfg_opt_t *top;
	cfg_opt_t *section[8]; /* by kind */
	cfg_t *cfg;
};

static const cfg_opt_t list_opt = CFG_STR_LIST(NULL, NULL, CFGF_NODEFAULT);
static const cfg_opt_t one_opt = CFG_STR(NULL, NULL, CFGF_NODEFAULT);
static const cfg_opt_t end_opt = CFG_END();

/* The options that may stand in one of where, with room for more after. */
static cfg_opt_t *
make_opts(unsigned int where, size_t room, size_t *n)
{
	const struct conf_def *def;
	cfg_opt_t *opts;
	size_t i;

	for (i = 0; conf_def_at(i) != NULL; i++)
		;
	opts = calloc(i + room + 1, sizeof(*opts));
	if (opts == NULL)
		return NULL;
	for (i = *n = 0; (def = conf_def_at(i)) != NULL; i++) {
		if ((def->where & where) == 0)
			continue;
		opts[*n] = conf_is_list(def->type) ? list_opt : one_opt;
		opts[(*n)++].name = def->name;
	}
	opts[*n] = end_opt;
	return opts;
}

static bool
make_all_opts(struct conf_tree *t)
{
	const struct conf_kind *kind;
	size_t i, n, unused;

	t->top = make_opts(CONF_TOP | CONF_DAEMON,
	    sizeof(t->section) / sizeof(t->section[0]), &n);
	if (t->top == NULL)
		return false;
	for (i = 0; (kind = conf_kind_at(i)) != NULL; i++) {
		const cfg_opt_t opt = CFG_SEC(kind->name, NULL,
		    CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES);

		t->section[i] = make_opts(kind->where, 0, &unused);
		if (t->section[i] == NULL)
			return false;
		t->top[n] = opt;
		t->top[n++].subopts = t->section[i];
	}
	t->top[n] = end_opt;
	return true;
}

void
conf_tree_free(struct conf_tree **t)
{
	size_t i;

	if (*t == NULL)
		return;
	if ((*t)->cfg != NULL)
		cfg_free((*t)->cfg);
	for (i = 0; i < sizeof((*t)->section) / sizeof((*t)->section[0]); i++)
		free((*t)->section[i]);
	free((*t)->top);
	free(*t);
	*t = NULL;
}

/* The option of a setting's row; NULL: libconfuse saw no such section. */
static cfg_opt_t *
find_opt(const struct conf_tree *t, size_t row)
{
	const struct conf_row *r = &t->outline->row[row];
	const struct conf_row *head;
	cfg_t *cfg = t->cfg;

	if (r->section != CONF_NO_SECTION) {
		head = &t->outline->row[r->section];
		cfg = cfg_gettsec(t->cfg, head->name, head->title);
	}
	return cfg == NULL ? NULL : cfg_getopt(cfg, r->name);
}

/* Two readings of one file must agree. */
static enum cimd_err
compare(const struct conf_tree *t, struct conf_fault *fault)
{
	const struct conf_row *r;
	size_t i;

	for (i = 0; i < t->outline->n; i++) {
		r = &t->outline->row[i];
		if (r->title != NULL ?
			cfg_gettsec(t->cfg, r->name, r->title) == NULL :
			cfg_opt_size(find_opt(t, i)) != r->values)
			return conf_fault_set(fault, r->line,
			    "libconfuse reads \"%s\" in another way", r->name);
	}
	return CIMD_OK;
}

enum cimd_err
conf_tree_read(const char *text, const struct conf_outline *o,
    struct conf_tree **out, struct conf_fault *fault)
{
	struct conf_tree *t;
	enum cimd_err e;

	*out = NULL;
	if ((t = calloc(1, sizeof(*t))) == NULL)
		return CIMD_E_NO_MEMORY;
	t->outline = o;
	if (!make_all_opts(t) ||
	    (t->cfg = cfg_init(t->top, CFGF_NONE)) == NULL) {
		conf_tree_free(&t);
		return CIMD_E_NO_MEMORY;
	}
	if (o->n > 0 && cfg_parse_buf(t->cfg, text) != CFG_SUCCESS)
		e = conf_fault_set(fault, 0, "libconfuse cannot read this");
	else
		e = compare(t, fault);
	if (e != CIMD_OK) {
		conf_tree_free(&t);
		return e;
	}
	*out = t;
	return CIMD_OK;
}

const char *
conf_tree_value(const struct conf_tree *t, size_t row, size_t i)
{
	return cfg_opt_getnstr(find_opt(t, row), (unsigned int)i);
}
