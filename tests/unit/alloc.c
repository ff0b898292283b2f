/*
 * alloc.c - let one allocation fail
 * SPDX-License-Identifier: Apache-2.0
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <idn2.h>
#include <json-c/json.h>

#include "alloc.h"

static size_t countdown;
static bool failed;

void
alloc_fail_at(size_t n)
{
	countdown = n;
	failed = false;
}

bool
alloc_failed(void)
{
	return failed;
}

size_t
alloc_sweep(alloc_fn *fn, void *ctx)
{
	bool good;
	size_t n;

	for (n = 1;; n++) {
		alloc_fail_at(n);
		good = fn(ctx);
		countdown = 0;
		if (!failed)
			break;
		if (good)
			fail_msg("allocation %zu failed unseen", n);
	}
	assert_true(good);
	return n - 1;
}

static bool
fails_now(void)
{
	if (countdown == 0 || --countdown > 0)
		return false;
	failed = true;
	return true;
}

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *
__wrap_malloc(size_t size)
{
	return fails_now() ? NULL : __real_malloc(size);
}

void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *
__wrap_calloc(size_t n, size_t size)
{
	return fails_now() ? NULL : __real_calloc(n, size);
}

void *__real_aligned_alloc(size_t alignment, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
void *
__wrap_aligned_alloc(size_t alignment, size_t size)
{
	return fails_now() ? NULL : __real_aligned_alloc(alignment, size);
}

void *__real_realloc(void *p, size_t size);
void *__wrap_realloc(void *p, size_t size);
void *
__wrap_realloc(void *p, size_t size)
{
	return fails_now() ? NULL : __real_realloc(p, size);
}

void *
alloc_real(void *p, size_t size)
{
	return __real_realloc(p, size);
}

void *__real_reallocarray(void *p, size_t n, size_t size);
void *__wrap_reallocarray(void *p, size_t n, size_t size);
void *
__wrap_reallocarray(void *p, size_t n, size_t size)
{
	return fails_now() ? NULL : __real_reallocarray(p, n, size);
}

char *__real_strdup(const char *s);
char *__wrap_strdup(const char *s);
char *
__wrap_strdup(const char *s)
{
	return fails_now() ? NULL : __real_strdup(s);
}

char *__real_strndup(const char *s, size_t n);
char *__wrap_strndup(const char *s, size_t n);
char *
__wrap_strndup(const char *s, size_t n)
{
	return fails_now() ? NULL : __real_strndup(s, n);
}

struct json_object *__real_json_object_new_object(void);
struct json_object *__wrap_json_object_new_object(void);
struct json_object *
__wrap_json_object_new_object(void)
{
	return fails_now() ? NULL : __real_json_object_new_object();
}

struct json_object *__real_json_object_new_array(void);
struct json_object *__wrap_json_object_new_array(void);
struct json_object *
__wrap_json_object_new_array(void)
{
	return fails_now() ? NULL : __real_json_object_new_array();
}

struct json_object *__real_json_object_new_array_ext(int size);
struct json_object *__wrap_json_object_new_array_ext(int size);
struct json_object *
__wrap_json_object_new_array_ext(int size)
{
	return fails_now() ? NULL : __real_json_object_new_array_ext(size);
}

struct json_object *__real_json_object_new_string_len(const char *s, int n);
struct json_object *__wrap_json_object_new_string_len(const char *s, int n);
struct json_object *
__wrap_json_object_new_string_len(const char *s, int n)
{
	return fails_now() ? NULL : __real_json_object_new_string_len(s, n);
}

struct json_object *__real_json_object_new_int64(int64_t value);
struct json_object *__wrap_json_object_new_int64(int64_t value);
struct json_object *
__wrap_json_object_new_int64(int64_t value)
{
	return fails_now() ? NULL : __real_json_object_new_int64(value);
}

struct json_object *__real_json_object_new_boolean(int value);
struct json_object *__wrap_json_object_new_boolean(int value);
struct json_object *
__wrap_json_object_new_boolean(int value)
{
	return fails_now() ? NULL : __real_json_object_new_boolean(value);
}

struct json_object *__real_json_tokener_parse(const char *s);
struct json_object *__wrap_json_tokener_parse(const char *s);
struct json_object *
__wrap_json_tokener_parse(const char *s)
{
	return fails_now() ? NULL : __real_json_tokener_parse(s);
}

int __real_json_object_object_add_ex(struct json_object *o, const char *key,
    struct json_object *value, unsigned int options);
int __wrap_json_object_object_add_ex(struct json_object *o, const char *key,
    struct json_object *value, unsigned int options);
int
__wrap_json_object_object_add_ex(struct json_object *o, const char *key,
    struct json_object *value, unsigned int options)
{
	if (fails_now())
		return -1;
	return __real_json_object_object_add_ex(o, key, value, options);
}

int __real_json_object_object_add(struct json_object *o, const char *key,
    struct json_object *value);
int __wrap_json_object_object_add(struct json_object *o, const char *key,
    struct json_object *value);
int
__wrap_json_object_object_add(struct json_object *o, const char *key,
    struct json_object *value)
{
	if (fails_now())
		return -1;
	return __real_json_object_object_add(o, key, value);
}

int __real_json_object_array_add(struct json_object *o,
    struct json_object *value);
int __wrap_json_object_array_add(struct json_object *o,
    struct json_object *value);
int
__wrap_json_object_array_add(struct json_object *o, struct json_object *value)
{
	return fails_now() ? -1 : __real_json_object_array_add(o, value);
}

int __real_idn2_register_u8(const uint8_t *ulabel, const uint8_t *alabel,
    uint8_t **out, int flags);
int __wrap_idn2_register_u8(const uint8_t *ulabel, const uint8_t *alabel,
    uint8_t **out, int flags);
int
__wrap_idn2_register_u8(const uint8_t *ulabel, const uint8_t *alabel,
    uint8_t **out, int flags)
{
	if (fails_now())
		return IDN2_MALLOC;
	return __real_idn2_register_u8(ulabel, alabel, out, flags);
}
