/*
 * parse.c - cimd_parse(): the document step alone
 * SPDX-License-Identifier: Apache-2.0
 */

#include "document.h"
#include "url.h"

enum cimd_err
cimd_parse(const char *id, size_t id_len, const char *doc, size_t doc_len,
    struct cimd_client **out, struct cimd_error *err)
{
	struct span body = { doc, doc_len };
	struct span s = { id, id_len };
	struct document *d = NULL;
	struct url url;
	enum cimd_err e;

	*out = NULL;
	if ((e = url_parse(s, 0, &url, err)) != CIMD_OK ||
	    (e = document_parse(s, body, &d, err)) != CIMD_OK)
		return e;
	e = document_record(d, out, err);
	document_free(&d);
	return e;
}
