/*
 * test_conf_load.c - files of a configuration as JSON
 * SPDX-License-Identifier: Apache-2.0
 *
 * The forms of values and all faults are in tests/cases/config-valid and
 * config-invalid, which tests/server/config.py runs through the program.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <json-c/json.h>

#include "alloc.h"
#include "conf_file.h"
#include "conf_load.h"

/* Files that a test has written, below a folder of its own. */
struct folder {
	char path[64];
	char name[16][96];
	size_t n;
};

static void
open_folder(struct folder *f)
{
	char dir[96];

	*f = (struct folder){ .path = P_tmpdir "/conf-XXXXXX" };
	assert_non_null(mkdtemp(f->path));
	(void)snprintf(dir, sizeof(dir), "%s/conf.d", f->path);
	assert_int_equal(mkdir(dir, 0755), 0);
	(void)snprintf(dir, sizeof(dir), "%s/catalog.d", f->path);
	assert_int_equal(mkdir(dir, 0755), 0);
}

static void
write_file(struct folder *f, const char *name, const char *text)
{
	char path[96];
	FILE *out;

	assert_true(f->n < 16);
	(void)snprintf(path, sizeof(path), "%s/%s", f->path, name);
	memcpy(f->name[f->n++], path, sizeof(path));
	assert_non_null(out = fopen(path, "w"));
	assert_int_equal(fputs(text, out) == EOF, 0);
	assert_int_equal(fclose(out), 0);
	assert_int_equal(chmod(path, 0644), 0);
}

static void
close_folder(struct folder *f)
{
	static const char *const below[] = { "/conf.d", "/catalog.d", "" };
	char dir[96];
	size_t i;

	for (i = 0; i < f->n; i++)
		(void)unlink(f->name[i]);
	for (i = 0; i < 3; i++) {
		(void)snprintf(dir, sizeof(dir), "%s%s", f->path, below[i]);
		assert_int_equal(rmdir(dir), 0);
	}
}

static enum cimd_err
load(const struct folder *f, struct json_object **out)
{
	char file[96], dir[96], catalog[96];
	const struct conf_sources from = { file, dir, catalog };

	(void)snprintf(file, sizeof(file), "%s/cimd.conf", f->path);
	(void)snprintf(dir, sizeof(dir), "%s/conf.d", f->path);
	(void)snprintf(catalog, sizeof(catalog), "%s/catalog.d", f->path);
	return conf_load(&from, out);
}

/* The text of a member's member, "" where there is none. */
static const char *
text_at(struct json_object *o, const char *member, const char *name)
{
	struct json_object *value = NULL;

	if (!json_object_object_get_ex(o, member, &value))
		return "";
	if (!json_object_object_get_ex(value, name, &value))
		return "";
	return json_object_get_string(value);
}

static void
files_are_read_in_order(void **state)
{
	static const char *const want[] = { "a", "b", "c", "d" };
	struct json_object *o = NULL, *list = NULL, *name = NULL;
	struct folder f;
	size_t i;

	(void)state;
	open_folder(&f);
	write_file(&f, "conf.d/B.conf", "client b {}\n");
	write_file(&f, "conf.d/a.conf", "client d {}\n");
	write_file(&f, "conf.d/_.conf", "client c {}\n");
	write_file(&f, "conf.d/.x.conf", "nonsense\n");
	write_file(&f, "conf.d/x.conf~", "nonsense\n");
	write_file(&f, "conf.d/.conf", "nonsense\n");
	write_file(&f, "cimd.conf", "client a {}\n");
	assert_int_equal(load(&f, &o), CIMD_OK);
	assert_true(json_object_object_get_ex(o, "client", &list));
	assert_int_equal(json_object_array_length(list), 4);
	for (i = 0; i < 4; i++) {
		assert_true(
		    json_object_object_get_ex(json_object_array_get_idx(list,
						  i),
			"name", &name));
		assert_string_equal(json_object_get_string(name), want[i]);
	}
	json_object_put(o);
	close_folder(&f);
}

static void
places_are_paths(void **state)
{
	struct json_object *o = NULL, *list = NULL, *section;
	struct folder f;
	char want[128];

	(void)state;
	open_folder(&f);
	write_file(&f, "cimd.conf", "\nquery = yes\nuser = root\n");
	write_file(&f, "catalog.d/x.conf", "\n\nclient x {}\n");
	assert_int_equal(load(&f, &o), CIMD_OK);
	(void)snprintf(want, sizeof(want), "%s/cimd.conf:2", f.path);
	assert_string_equal(text_at(o, "@", "query"), want);
	(void)snprintf(want, sizeof(want), "%s/catalog.d/x.conf:3", f.path);
	assert_true(json_object_object_get_ex(o, "catalog", &list));
	section = json_object_array_get_idx(list, 0);
	assert_string_equal(text_at(section, "@", ""), want);
	assert_string_equal(text_at(o, "daemon", "user"), "root");
	json_object_put(o);
	close_folder(&f);
}

static void
faults_of_all_files_are_told(void **state)
{
	struct json_object *o = NULL, *list = NULL;
	struct folder f;

	(void)state;
	open_folder(&f);
	write_file(&f, "cimd.conf", "query = maybe\nfetch_rate = 010\n");
	write_file(&f, "conf.d/1.conf", "client a {\n");
	write_file(&f, "conf.d/2.conf", "contact = '${X}'\n");
	write_file(&f, "conf.d/3.conf", "query = yes\nquery = yes\n");
	assert_int_equal(load(&f, &o), CIMD_E_CONFIG);
	assert_int_equal(json_object_object_length(o), 1);
	assert_true(json_object_object_get_ex(o, "errors", &list));
	assert_int_equal(json_object_array_length(list), 6);
	json_object_put(o);
	close_folder(&f);
}

static void
missing_folders_are_no_fault(void **state)
{
	struct json_object *o = NULL;
	struct conf_sources from = { NULL, NULL, NULL };
	struct folder f;

	(void)state;
	open_folder(&f);
	write_file(&f, "cimd.conf", "");
	from.file = f.name[0];
	assert_int_equal(conf_load(&from, &o), CIMD_OK);
	assert_int_equal(json_object_object_length(o), 0);
	json_object_put(o);
	from.dir = from.catalog = "/nonexistent/conf.d";
	assert_int_equal(conf_load(&from, &o), CIMD_OK);
	json_object_put(o);
	from.dir = f.name[0]; /* a file */
	assert_int_equal(conf_load(&from, &o), CIMD_E_CONFIG);
	json_object_put(o);
	close_folder(&f);
}

/* At its limit it is read, one byte more is refused. */
static void
files_are_bounded(void **state)
{
	char *text = malloc(CONF_MAX_FILE + 2), *read = NULL;
	struct conf_fault fault;
	struct folder f;
	size_t len = 0;

	(void)state;
	assert_non_null(text);
	memset(text, '\n', CONF_MAX_FILE + 1);
	text[CONF_MAX_FILE] = '\0';
	open_folder(&f);
	write_file(&f, "a", text);
	assert_int_equal(conf_file_read(f.name[0], &read, &len, &fault),
	    CIMD_OK);
	assert_int_equal(len, CONF_MAX_FILE);
	assert_int_equal(strlen(read), len);
	free(read);
	text[CONF_MAX_FILE] = '\n';
	text[CONF_MAX_FILE + 1] = '\0';
	write_file(&f, "a", text);
	assert_int_equal(conf_file_read(f.name[0], &read, &len, &fault),
	    CIMD_E_CONFIG);
	assert_null(read);
	assert_non_null(strstr(fault.text, "has more than 262144 bytes"));
	/* What says nothing of its size. */
	assert_int_equal(conf_file_read("/proc/self/maps", &read, &len, &fault),
	    CIMD_OK);
	free(read);
	close_folder(&f);
	free(text);
}

static bool
load_once(void *ctx)
{
	struct json_object *o = NULL;
	enum cimd_err e = load(ctx, &o);

	assert_true(e == CIMD_OK || e == CIMD_E_NO_MEMORY);
	assert_true((o != NULL) == (e == CIMD_OK));
	json_object_put(o);
	return e == CIMD_OK;
}

static bool
fail_once(void *ctx)
{
	struct json_object *o = NULL;
	enum cimd_err e = load(ctx, &o);

	assert_true(e == CIMD_E_CONFIG || e == CIMD_E_NO_MEMORY);
	assert_true((o != NULL) == (e == CIMD_E_CONFIG));
	json_object_put(o);
	return e == CIMD_E_CONFIG;
}

static void
survives_no_memory(void **state)
{
	struct folder f;

	(void)state;
	open_folder(&f);
	write_file(&f, "cimd.conf",
	    "query = yes\nfetch_rate = 10\nuser = root\ndeny = { 'a', 'b' }\n"
	    "client a { match = 'x'\nports = { 443 } }\n"
	    "consumer b { uid = { root }\ngid = 0 }\n");
	write_file(&f, "catalog.d/x.conf", "client x { match = 'y' }\n");
	assert_true(alloc_sweep(load_once, &f) > 50);
	write_file(&f, "conf.d/x.conf", "nonsense = 1\nquery = yes\n");
	assert_true(alloc_sweep(fail_once, &f) > 50);
	close_folder(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_are_read_in_order),
		cmocka_unit_test(places_are_paths),
		cmocka_unit_test(faults_of_all_files_are_told),
		cmocka_unit_test(missing_folders_are_no_fault),
		cmocka_unit_test(files_are_bounded),
		cmocka_unit_test(survives_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
