/*
 * test_url_libs.c - what url.c and host.c do when a library disagrees or fails
 * SPDX-License-Identifier: Apache-2.0
 *
 * libcurl's URL functions and libidn2 are replaced by those below.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <curl/curl.h>
#include <idn2.h>

#include "host.h"
#include "redirect.h"
#include "uri.h"
#include "url.h"

/* What libcurl is made to answer. */
static struct {
	CURLU *handle;
	CURLUcode set, get;
	const char *host;
	char copy[64];
	int live; /* handles and strings not freed */
} curl;

static int idn_result;

CURLU *
curl_url(void)
{
	if (curl.handle != NULL)
		curl.live++;
	return curl.handle;
}

void
curl_url_cleanup(CURLU *handle)
{
	assert_ptr_equal(handle, curl.handle);
	curl.live--;
}

CURLUcode
curl_url_set(CURLU *handle, CURLUPart what, const char *part,
    unsigned int flags)
{
	assert_ptr_equal(handle, curl.handle);
	assert_int_equal(what, CURLUPART_URL);
	assert_non_null(part);
	assert_int_equal(flags, 0);
	return curl.set;
}

/* The handle is constant since libcurl 8. */
#if LIBCURL_VERSION_NUM >= 0x080000
#define READ_HANDLE const CURLU
#else
#define READ_HANDLE CURLU
#endif

CURLUcode
curl_url_get(READ_HANDLE *handle, CURLUPart what, char **part,
    unsigned int flags)
{
	assert_ptr_equal(handle, curl.handle);
	assert_int_equal(what, CURLUPART_HOST);
	assert_int_equal(flags, 0);
	if (curl.get != CURLUE_OK)
		return curl.get;
	assert_true(strlen(curl.host) < sizeof(curl.copy));
	memcpy(curl.copy, curl.host, strlen(curl.host) + 1);
	*part = curl.copy;
	curl.live++;
	return CURLUE_OK;
}

void
curl_free(void *p)
{
	if (p != NULL)
		curl.live--;
}

int
idn2_register_u8(const uint8_t *ulabel, const uint8_t *alabel,
    uint8_t **insertname, int flags)
{
	(void)ulabel;
	(void)alabel;
	(void)insertname;
	(void)flags;
	return idn_result;
}

static int
reset(void **state)
{
	static int dummy;

	(void)state;
	memset(&curl, 0, sizeof(curl));
	curl.handle = (CURLU *)(void *)&dummy;
	curl.set = curl.get = CURLUE_OK;
	curl.host = "client.example.com";
	idn_result = IDN2_OK;
	return 0;
}

static void
expect(const char *url, enum cimd_err code, const char *text)
{
	struct cimd_error err = { 0 };
	struct url u;

	assert_int_equal(url_parse(span_of(url), URL_ALLOW_ADDRESS, &u, &err),
	    code);
	if (code != CIMD_OK) {
		assert_non_null(strstr(err.text, text));
		assert_null(u.whole.p);
	}
	assert_int_equal(curl.live, 0);
}

static void
same_host(void **state)
{
	(void)state;
	expect("https://client.example.com/a", CIMD_OK, "");
	expect("https://Client.Example.com/a", CIMD_OK, "");
	curl.host = "[::1]";
	expect("https://[::1]/a", CIMD_OK, "");
	expect("https://[0:0::0001]/a", CIMD_OK, "");
}

static void
other_host(void **state)
{
	static const char text[] = "libcurl sees another host";

	(void)state;
	curl.host = "127.0.0.1";
	expect("https://client.example.com/a", CIMD_E_URL, text);
	expect("https://[::1]/a", CIMD_E_URL, text);
	curl.host = "client.example.com.";
	expect("https://client.example.com/a", CIMD_E_URL, text);
	curl.host = "";
	expect("https://client.example.com/a", CIMD_E_URL, text);
	expect("https://[::1]/a", CIMD_E_URL, text);
	curl.host = "[::2]";
	expect("https://[::1]/a", CIMD_E_URL, text);
	curl.host = "[::1%25lo]";
	expect("https://[::1]/a", CIMD_E_URL, text);
	curl.host = "[::1";
	expect("https://[::1]/a", CIMD_E_URL, text);
}

static void
libcurl_refuses(void **state)
{
	(void)state;
	curl.set = CURLUE_MALFORMED_INPUT;
	expect("https://client.example.com/a", CIMD_E_URL, "cannot read");
	curl.set = CURLUE_OK;
	curl.get = CURLUE_NO_HOST;
	expect("https://client.example.com/a", CIMD_E_URL, "cannot read");
}

static void
libcurl_lacks_memory(void **state)
{
	(void)state;
	curl.set = CURLUE_OUT_OF_MEMORY;
	expect("https://client.example.com/a", CIMD_E_NO_MEMORY, "memory");
	curl.set = CURLUE_OK;
	curl.get = CURLUE_OUT_OF_MEMORY;
	expect("https://client.example.com/a", CIMD_E_NO_MEMORY, "memory");
	curl.handle = NULL;
	expect("https://client.example.com/a", CIMD_E_NO_MEMORY, "memory");
}

static void
libidn_lacks_memory(void **state)
{
	static const char uri[] = "https://xn--bcher-kva.com/a";
	enum cimd_warning warning;
	enum redirect_kind kind;
	const char *why = NULL;
	struct uri u;

	(void)state;
	idn_result = IDN2_MALLOC;
	expect(uri, CIMD_E_NO_MEMORY, "memory");
	assert_true(uri_split(span_of(uri), &u, &why));
	assert_false(uri_is_public_https(&u, &why));
	assert_ptr_equal(why, host_no_memory);
	assert_int_equal(redirect_judge(span_of(uri), &kind, &warning, &why),
	    REDIRECT_DROP);
	assert_ptr_equal(why, host_no_memory);
	idn_result = IDN2_PUNYCODE_OVERFLOW;
	expect(uri, CIMD_E_URL, "no A-label");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(same_host, reset),
		cmocka_unit_test_setup(other_host, reset),
		cmocka_unit_test_setup(libcurl_refuses, reset),
		cmocka_unit_test_setup(libcurl_lacks_memory, reset),
		cmocka_unit_test_setup(libidn_lacks_memory, reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
