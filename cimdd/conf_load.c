/*
 * conf_load.c - all configuration files as one JSON object
 * SPDX-License-Identifier: Apache-2.0
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "conf_file.h"
#include "conf_load.h"
#include "conf_value.h"

enum {
	MAX_ERRORS = 50, /* told at once; one fault can cause many */
};

/* What is being put together. */
struct load {
	struct json_object *root;
	struct json_object *seen; /* place of each scope and name */
	struct json_object *errors;
};

/* The file that is being read. */
struct file {
	const char *path; /* as it was given, or below the folder as given */
	bool catalog;
	struct conf_outline outline;
	struct conf_tree *tree;
};

/* Put value, which is taken, under key; false: out of memory. */
static bool
put(struct json_object *in, const char *key, struct json_object *value)
{
	if (value != NULL && json_object_object_add(in, key, value) == 0)
		return true;
	json_object_put(value);
	return false;
}

static bool
put_string(struct json_object *in, const char *key, const char *value)
{
	return put(in, key, json_object_new_string(value));
}

/* The object (or array) under key, made if need be; NULL: out of memory. */
static struct json_object *
member(struct json_object *in, const char *key, enum json_type type)
{
	struct json_object *json;

	if (json_object_object_get_ex(in, key, &json))
		return json;
	json = type == json_type_array ? json_object_new_array() :
					 json_object_new_object();
	return put(in, key, json) ? json : NULL;
}

/* Note a fault of the file; CIMD_OK: go on with what comes after it. */
static enum cimd_err
note(struct load *l, const char *path, const struct conf_fault *fault)
{
	struct json_object *error;

	if (json_object_array_length(l->errors) == MAX_ERRORS)
		return CIMD_OK;
	if ((error = json_object_new_object()) == NULL)
		return CIMD_E_NO_MEMORY;
	if (!put_string(error, "file", path) ||
	    !put(error, "line", json_object_new_int64(fault->line)) ||
	    !put_string(error, "text", fault->text) ||
	    json_object_array_add(l->errors, error) != 0) {
		json_object_put(error);
		return CIMD_E_NO_MEMORY;
	}
	return CIMD_OK;
}

/* A step failed with e: its fault is noted, anything else stops. */
static enum cimd_err
note_if(struct load *l, const struct file *f, enum cimd_err e,
    const struct conf_fault *fault)
{
	return e == CIMD_E_CONFIG ? note(l, f->path, fault) : e;
}

/* Remember where object has this member ("" for the object itself). */
static bool
put_place(struct json_object *object, const char *key, const struct file *f,
    unsigned int line)
{
	struct json_object *places = member(object, "@", json_type_object);
	char *place = NULL;
	bool done;

	if (places == NULL || asprintf(&place, "%s:%u", f->path, line) == -1)
		return false;
	done = put_string(places, key, place);
	free(place);
	return done;
}

/* The row's scope and name as one key: "client vscode match". */
static char *
make_key(const struct file *f, const struct conf_row *row)
{
	const struct conf_row *head = row->title != NULL ? row : NULL;
	char *key = NULL;

	if (head == NULL && row->section != CONF_NO_SECTION)
		head = &f->outline.row[row->section];
	if (asprintf(&key, "%s%s %s %s", f->catalog ? "@" : "",
		head == NULL ? "" : head->name, head == NULL ? "" : head->title,
		row->title != NULL ? "" : row->name) == -1)
		return NULL;
	return key;
}

/* A section or setting may stand once in all files. */
static enum cimd_err
check_once(struct load *l, const struct file *f, const struct conf_row *row)
{
	struct conf_fault fault;
	struct json_object *before;
	char *key, *place = NULL;
	enum cimd_err e = CIMD_E_NO_MEMORY;

	if ((key = make_key(f, row)) == NULL)
		return e;
	if (json_object_object_get_ex(l->seen, key, &before)) {
		conf_fault_set(&fault, row->line, "%s%s%s%s is already in %s",
		    row->name, row->title != NULL ? " \"" : "",
		    row->title != NULL ? row->title : "",
		    row->title != NULL ? "\"" : "",
		    json_object_get_string(before));
		e = note(l, f->path, &fault);
	} else if (asprintf(&place, "%s:%u", f->path, row->line) != -1 &&
	    put_string(l->seen, key, place)) {
		e = CIMD_OK;
	}
	free(place);
	free(key);
	return e;
}

/* The catalog is about clients alone. */
static enum cimd_err
check_section(struct load *l, const struct file *f, const struct conf_row *row)
{
	struct conf_fault fault;

	if (!f->catalog || conf_kind_find(row->name)->where == CONF_CLIENT)
		return CIMD_OK;
	conf_fault_set(&fault, row->line, "there is no section \"%s\" here",
	    row->name);
	return note(l, f->path, &fault);
}

/* Is there such a setting in this place, and may it have a list? */
static enum cimd_err
check_setting(struct load *l, const struct file *f, const struct conf_row *row)
{
	unsigned int where = f->catalog ? 0 : CONF_TOP | CONF_DAEMON;
	const struct conf_kind *kind;
	const struct conf_def *def;
	struct conf_fault fault;

	if (row->section != CONF_NO_SECTION) {
		kind = conf_kind_find(f->outline.row[row->section].name);
		where = kind->where;
	}
	def = conf_def_find(row->name, where);
	if (def == NULL)
		conf_fault_set(&fault, row->line,
		    "there is no setting \"%s\" %s", row->name,
		    row->section == CONF_NO_SECTION ? "at the top level" :
						      "in this section");
	else if (row->list && !conf_is_list(def->type))
		conf_fault_set(&fault, row->line,
		    "%s takes one value, not a list", row->name);
	else
		return CIMD_OK;
	return note(l, f->path, &fault);
}

/* Judge the outline; what libconfuse gets must be free of faults. */
static enum cimd_err
check_outline(struct load *l, const struct file *f)
{
	const struct conf_row *row;
	enum cimd_err e = CIMD_OK;
	size_t i;

	for (i = 0; e == CIMD_OK && i < f->outline.n; i++) {
		row = &f->outline.row[i];
		e = row->title != NULL ? check_section(l, f, row) :
					 check_setting(l, f, row);
		if (e == CIMD_OK)
			e = check_once(l, f, row);
	}
	return e;
}

/* Start the section of a row; *out is borrowed. */
static enum cimd_err
add_section(struct load *l, const struct file *f, const struct conf_row *row,
    struct json_object **out)
{
	struct json_object *list, *section;

	list = member(l->root, f->catalog ? "catalog" : row->name,
	    json_type_array);
	section = list == NULL ? NULL : json_object_new_object();
	if (section == NULL)
		return CIMD_E_NO_MEMORY;
	if (!put_string(section, "name", row->title) ||
	    !put_place(section, "", f, row->line) ||
	    json_object_array_add(list, section) != 0) {
		json_object_put(section);
		return CIMD_E_NO_MEMORY;
	}
	*out = section;
	return CIMD_OK;
}

/* Add the setting of a row to section, or to the top level. */
static enum cimd_err
add_setting(struct load *l, const struct file *f, size_t index,
    struct json_object *section)
{
	const struct conf_row *row = &f->outline.row[index];
	unsigned int where = CONF_TOP | CONF_DAEMON;
	struct json_object *value = NULL;
	const struct conf_def *def;
	struct conf_fault fault;
	enum cimd_err e;

	if (row->section == CONF_NO_SECTION)
		section = l->root;
	else
		where =
		    conf_kind_find(f->outline.row[row->section].name)->where;
	def = conf_def_find(row->name, where);
	e = conf_value(def, f->tree, row, index, &value, &fault);
	if (e != CIMD_OK)
		return note_if(l, f, e, &fault);
	if (def->where == CONF_DAEMON)
		section = member(l->root, "daemon", json_type_object);
	if (section == NULL) {
		json_object_put(value);
		return CIMD_E_NO_MEMORY;
	}
	return put(section, row->name, value) &&
		put_place(section, row->name, f, row->line) ?
	    CIMD_OK :
	    CIMD_E_NO_MEMORY;
}

static enum cimd_err
add_rows(struct load *l, const struct file *f)
{
	struct json_object *section = NULL;
	enum cimd_err e = CIMD_OK;
	size_t i;

	for (i = 0; e == CIMD_OK && i < f->outline.n; i++)
		if (f->outline.row[i].title != NULL)
			e = add_section(l, f, &f->outline.row[i], &section);
		else
			e = add_setting(l, f, i, section);
	return e;
}

static enum cimd_err
load_text(struct load *l, struct file *f, char *text, size_t len)
{
	size_t faults = json_object_array_length(l->errors);
	struct conf_fault fault;
	enum cimd_err e;

	if ((e = conf_scan(text, len, &f->outline, &fault)) != CIMD_OK)
		return note_if(l, f, e, &fault);
	if ((e = check_outline(l, f)) != CIMD_OK ||
	    json_object_array_length(l->errors) > faults)
		return e;
	e = conf_tree_read(text, &f->outline, &f->tree, &fault);
	if (e != CIMD_OK)
		return note_if(l, f, e, &fault);
	return add_rows(l, f);
}

static enum cimd_err
load_file(struct load *l, struct file *f)
{
	struct conf_fault fault;
	char *text = NULL;
	size_t len = 0;
	enum cimd_err e;

	e = conf_file_read(f->path, &text, &len, &fault);
	if (e == CIMD_OK)
		e = load_text(l, f, text, len);
	else
		e = note_if(l, f, e, &fault);
	conf_tree_free(&f->tree);
	conf_outline_free(&f->outline);
	free(text);
	return e;
}

static enum cimd_err
load_in_dir(struct load *l, const char *dir, const char *name, bool catalog)
{
	struct file f = { .catalog = catalog };
	char *path = NULL;
	enum cimd_err e;

	if (asprintf(&path, "%s/%s", dir, name) == -1)
		return CIMD_E_NO_MEMORY;
	f.path = path;
	e = load_file(l, &f);
	free(path);
	return e;
}

static enum cimd_err
load_dir(struct load *l, const char *dir, bool catalog)
{
	struct conf_fault fault;
	struct conf_names names;
	enum cimd_err e;
	size_t i;

	e = conf_file_list(dir, &names, &fault);
	if (e == CIMD_E_CONFIG)
		e = note(l, dir, &fault);
	for (i = 0; e == CIMD_OK && i < names.n; i++)
		e = load_in_dir(l, dir, names.name[i], catalog);
	conf_names_free(&names);
	return e;
}

static enum cimd_err
load_all(struct load *l, const struct conf_sources *from)
{
	struct file f = { .path = from->file };
	enum cimd_err e;

	e = load_file(l, &f);
	if (e == CIMD_OK && from->dir != NULL)
		e = load_dir(l, from->dir, false);
	if (e == CIMD_OK && from->catalog != NULL)
		e = load_dir(l, from->catalog, true);
	return e;
}

enum cimd_err
conf_load(const struct conf_sources *from, struct json_object **out)
{
	struct load l = { json_object_new_object(), json_object_new_object(),
		json_object_new_array() };
	struct json_object *faults = NULL;
	enum cimd_err e = CIMD_E_NO_MEMORY;

	*out = NULL;
	if (l.root != NULL && l.seen != NULL && l.errors != NULL)
		e = load_all(&l, from);
	if (e == CIMD_OK && json_object_array_length(l.errors) > 0) {
		faults = json_object_new_object();
		e = faults != NULL &&
			put(faults, "errors", json_object_get(l.errors)) ?
		    CIMD_E_CONFIG :
		    CIMD_E_NO_MEMORY;
	}
	if (e == CIMD_OK)
		*out = json_object_get(l.root);
	else if (e == CIMD_E_CONFIG)
		*out = json_object_get(faults);
	json_object_put(faults);
	json_object_put(l.root);
	json_object_put(l.seen);
	json_object_put(l.errors);
	return e;
}
