/*
 * http.h - one HTTP request: to cimdd, or for "doctor"
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: none; in: URL; out: status, body; touches the network.
 * Not for documents of clients: those go through fetch.h and its guard.
 */

#ifndef HTTP_H
#define HTTP_H

#include "cimd_int.h"

struct http_ask {
	const char *url;
	const char *socket;  /* path of a UNIX socket; NULL: https only */
	const char *post;    /* a JSON body; NULL: GET */
	const char *ca_path; /* NULL: the system's */
	const char *ca_file;
	long timeout_ms;
	size_t max_bytes;
};

enum http_result {
	HTTP_ANSWER = 0, /* whatever its status */
	HTTP_UNREACHABLE,
	HTTP_TIMEOUT,
	HTTP_CERTIFICATE, /* the other side's was refused */
	HTTP_CA_FILE,     /* ours to trust cannot be read */
	HTTP_BROKEN,      /* no HTTP, too large, out of memory ... */
};

struct http_answer {
	enum http_result result;
	long status;
	char type[128]; /* Content-Type; cut if longer */
	char location[512];
	char *body; /* owned; ends with a NUL that len does not count */
	size_t len;
	char why[256]; /* unless there was an answer */
};

/* Redirects are not followed.  Release out with http_clear(), always. */
void http_do(const struct http_ask *ask, struct http_answer *out);

void http_clear(struct http_answer *a);

#endif /* HTTP_H */
