/*
 * http_int.h - what http.c and handle.c share
 * SPDX-License-Identifier: Apache-2.0
 *
 * http.c has the threads and the connections, handle.c takes one request to
 * its answer.
 */

#ifndef HTTP_INT_H
#define HTTP_INT_H

#include <microhttpd.h>

#include "http.h"

enum {
	/* Of a connection, for request line and headers. */
	HTTP_POOL_BYTES = 32768,
};

struct http {
	struct http_parts parts;
	struct MHD_Daemon *mhd;
	_Atomic bool draining; /* answers are the last ones */
	pthread_mutex_t lock;  /* for what follows */
	pthread_cond_t calm;   /* busy or calls became 0 */
	bool closing;          /* no call may begin */
	unsigned int calls;    /* of cimd_call() that are not over */
	unsigned int busy;     /* requests that were read, not yet done with */
	struct request *live;
};

/*
 * The request was read, and a call begins if it is for one.  False: it is
 * too late for both.
 */
bool http_set_busy(struct http *h, struct request *r, bool calls);

/* A cimd_call() begins; its answer was handed over, and all is done with. */
void http_call_begin(struct http *h);
void http_call_end(struct http *h);

/*
 * The MHD_AccessHandlerCallback: once with the headers, then with each piece
 * of the body, then at its end, and again when the connection was resumed.
 */
enum MHD_Result handle_request(void *cls, struct MHD_Connection *connection,
    const char *url, const char *verb, const char *version, const char *data,
    size_t *size, void **ctx);

#endif /* HTTP_INT_H */
