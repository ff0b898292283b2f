/*
 * cases.c - cases and corpora for unit tests
 * SPDX-License-Identifier: Apache-2.0
 */

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "cases.h"

struct block {
	struct block *next;
	char bytes[];
};

struct test_case {
	const char *name;
	char *path;
	bool is_folder;
	bool loaded;
	struct span facts; /* the lines with keys */
	struct block *blocks;
	size_t failures;
};

static void
die(const char *what, const char *which)
{
	print_error("%s: %s\n", what, which);
	abort();
}

static void *
must_alloc(size_t n)
{
	void *p = malloc(n);

	if (p == NULL)
		die("no memory", "cases");
	return p;
}

static char *
join(const char *folder, const char *name)
{
	size_t n = strlen(folder) + strlen(name) + 2;
	char *path = must_alloc(n);

	(void)snprintf(path, n, "%s/%s", folder, name);
	return path;
}

/* Memory that goes when the case ends. */
static char *
case_alloc(struct test_case *c, size_t n)
{
	struct block *b = must_alloc(sizeof(*b) + n);

	b->next = c->blocks;
	c->blocks = b;
	return b->bytes;
}

static void
case_clear(struct test_case *c)
{
	struct block *b;

	while ((b = c->blocks) != NULL) {
		c->blocks = b->next;
		free(b);
	}
	free(c->path);
}

static bool
file_size(FILE *f, size_t *size)
{
	long end;

	if (fseek(f, 0, SEEK_END) != 0 || (end = ftell(f)) < 0 ||
	    fseek(f, 0, SEEK_SET) != 0)
		return false;
	*size = (size_t)end;
	return true;
}

/* All bytes of a file, absent if there is no such file. */
static struct span
read_file(const char *path)
{
	struct span out = { NULL, 0 };
	size_t size = 0;
	char *bytes;
	FILE *f;

	f = fopen(path, "rb");
	if (f == NULL)
		return out;
	if (!file_size(f, &size))
		die("cannot read", path);
	bytes = must_alloc(size == 0 ? 1 : size);
	if (fread(bytes, 1, size, f) != size)
		die("cannot read", path);
	(void)fclose(f);
	out.p = bytes;
	out.n = size;
	return out;
}

/* Let the case own s, in a block of exactly its size. */
static struct span
case_own(struct test_case *c, struct span s)
{
	struct span out = { NULL, s.n };
	char *bytes;

	if (s.p == NULL)
		return s;
	bytes = case_alloc(c, s.n);
	memcpy(bytes, s.p, s.n);
	out.p = bytes;
	corpus_free(&s);
	return out;
}

struct span
case_file(struct test_case *c, const char *name)
{
	char *path = join(c->path, name);
	struct span out = case_own(c, read_file(path));

	free(path);
	return out;
}

static unsigned int
hex_value(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *p = c == '\0' ? NULL : strchr(digits, c);

	if (p == NULL)
		die("bad escape", "use \\x and two of 0-9a-f");
	return p == NULL ? 0 : (unsigned int)(p - digits);
}

/* The byte that the escape at in stands for; *used: its length. */
static char
unescape(const char *in, size_t left, size_t *used)
{
	*used = 2;
	if (left >= 2 && in[1] == '\\')
		return '\\';
	if (left >= 2 && in[1] == 'n')
		return '\n';
	if (left >= 2 && in[1] == 'r')
		return '\r';
	if (left >= 2 && in[1] == 't')
		return '\t';
	if (left < 4 || in[1] != 'x')
		die("bad escape", in);
	*used = 4;
	return (char)(hex_value(in[2]) << 4 | hex_value(in[3]));
}

/* One value, decoded, in a block of exactly its size. */
static struct span
decode(struct test_case *c, const char *in, size_t n)
{
	struct span out = { NULL, 0 };
	size_t i, used;
	char *buf, *exact;

	buf = must_alloc(n + 1);
	for (i = 0; i < n; i += used) {
		used = 1;
		buf[out.n++] =
		    in[i] == '\\' ? unescape(in + i, n - i, &used) : in[i];
	}
	exact = case_alloc(c, out.n);
	memcpy(exact, buf, out.n);
	free(buf);
	out.p = exact;
	return out;
}

static void
load_facts(struct test_case *c)
{
	if (c->loaded)
		return;
	c->loaded = true;
	if (c->is_folder)
		c->facts = case_file(c, "case");
	else
		c->facts = case_own(c, read_file(c->path));
	if (c->facts.p == NULL)
		die("case without facts", c->path);
}

/* Is the line "key: value", or "key:" for an empty value? */
static bool
has_key(const char *line, size_t len, const char *key)
{
	size_t n = strlen(key);

	return len > n && memcmp(line, key, n) == 0 && line[n] == ':' &&
	    (len == n + 1 || line[n + 1] == ' ');
}

struct span
case_value_at(struct test_case *c, const char *key, size_t i)
{
	static const struct span absent = { NULL, 0 };
	size_t n = strlen(key), len;
	const char *p, *end, *nl;

	load_facts(c);
	end = c->facts.p + c->facts.n;
	for (p = c->facts.p; p < end; p = nl + 1) {
		nl = memchr(p, '\n', (size_t)(end - p));
		if (nl == NULL)
			die("last line without newline", c->path);
		len = (size_t)(nl - p);
		if (!has_key(p, len, key) || i-- > 0)
			continue;
		if (len < n + 2)
			return decode(c, nl, 0);
		return decode(c, p + n + 2, len - n - 2);
	}
	return absent;
}

struct span
case_value(struct test_case *c, const char *key)
{
	return case_value_at(c, key, 0);
}

const char *
case_string(struct test_case *c, const char *key)
{
	struct span s = case_value(c, key);
	char *out;

	if (s.p == NULL)
		return NULL;
	out = case_alloc(c, s.n + 1);
	memcpy(out, s.p, s.n);
	out[s.n] = '\0';
	return out;
}

int64_t
case_number(struct test_case *c, const char *key, int64_t otherwise)
{
	const char *s = case_string(c, key);
	char *end = NULL;
	long long n;

	if (s == NULL)
		return otherwise;
	n = strtoll(s, &end, 10);
	if (end == s || *end != '\0')
		die("not a number", s);
	return n;
}

const char *
case_name(const struct test_case *c)
{
	return c->name;
}

void
case_check(struct test_case *c, bool good, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	if (good)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	print_error("%s: %s\n", c->path, text);
	c->failures++;
}

void
case_check_error(struct test_case *c, enum cimd_err got,
    const struct cimd_error *err)
{
	const char *code = case_string(c, "code");
	const char *section = case_string(c, "section");
	const char *text = case_string(c, "text");

	if (code == NULL || section == NULL || text == NULL)
		die("case lacks code, section or text", c->path);
	case_check(c, strcmp(cimd_err_name(got), code) == 0, "%s (%s), not %s",
	    cimd_err_name(got), err->text, code);
	case_check(c, err->code == got, "err says %s",
	    cimd_err_name(err->code));
	case_check(c, strcmp(err->section, section) == 0, "section %s, not %s",
	    err->section, section);
	case_check(c, strstr(err->text, text) != NULL,
	    "text \"%s\", not \"%s\"", err->text, text);
}

void
case_check_warnings(struct test_case *c, uint64_t warnings)
{
	uint64_t expected = 0;
	struct span name;
	unsigned int w;
	size_t i;

	for (i = 0; (name = case_value_at(c, "warning", i)).p != NULL; i++) {
		for (w = 0; w < WARN_COUNT; w++)
			if (span_is(name, warning_name((enum cimd_warning)w)))
				break;
		if (w == WARN_COUNT)
			die("unknown warning", c->path);
		expected |= WARN_BIT(w);
	}
	for (w = 0; w < WARN_COUNT; w++)
		case_check(c, !((warnings ^ expected) & WARN_BIT(w)),
		    "%s warning %s",
		    warnings & WARN_BIT(w) ? "unexpected" : "no",
		    warning_name((enum cimd_warning)w));
}

static int
not_hidden(const struct dirent *e)
{
	return e->d_name[0] != '.';
}

/* By bytes: no locale decides about the order. */
static int
by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* Returns the number of failed checks. */
static size_t
run_one(const char *folder, const char *name, case_fn *fn)
{
	struct test_case c = { .name = name };
	struct stat st;

	c.path = join(folder, name);
	if (stat(c.path, &st) != 0)
		die("cannot stat", c.path);
	c.is_folder = S_ISDIR(st.st_mode);
	fn(&c);
	case_clear(&c);
	return c.failures;
}

void
cases_run(const char *folder, case_fn *fn)
{
	const char *top = getenv("top_srcdir");
	struct dirent **list = NULL;
	size_t failures = 0;
	char *cases, *path;
	int i, n;

	cases = join(top == NULL ? "../.." : top, "tests/cases");
	path = join(cases, folder);
	n = scandir(path, &list, not_hidden, by_name);
	if (n <= 0)
		die("no cases in", path);
	for (i = 0; i < n; i++) {
		print_message("# %s/%s\n", folder, list[i]->d_name);
		failures += run_one(path, list[i]->d_name, fn);
		free(list[i]);
	}
	free(list);
	free(path);
	free(cases);
	assert_int_equal(failures, 0);
}

struct span
corpus_read(const char *path)
{
	const char *top = getenv("CIMD_CORPORA");
	char *full = join(top == NULL ? "../../../shared/data" : top, path);
	struct span out = read_file(full);

	if (out.p == NULL)
		print_message("# no corpus %s: only our own cases ran\n", full);
	free(full);
	return out;
}

void
corpus_free(struct span *s)
{
	union {
		const char *in;
		char *out;
	} u;

	u.in = s->p;
	free(u.out);
	s->p = NULL;
	s->n = 0;
}

char *
source_read(const char *path)
{
	const char *top = getenv("top_srcdir");
	char *full = join(top == NULL ? "../.." : top, path), *text;
	struct span s = read_file(full);

	if (s.p == NULL)
		die("cannot read", full);
	text = must_alloc(s.n + 1);
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	corpus_free(&s);
	free(full);
	return text;
}
