/*
 * cimdclient.c - ask cimdd about a client, from inside another program
 * SPDX-License-Identifier: Apache-2.0
 */

#include "answer.h"
#include "exchange.h"

static enum cimd_class
ask_daemon(const struct cimdclient_ask *ask, bool verify,
    struct cimdclient_answer **out)
{
	struct span id = { ask->client_id, ask->client_id_len };
	int timeout =
	    ask->timeout_ms > 0 ? ask->timeout_ms : CIMDCLIENT_TIMEOUT_MS;
	struct reply reply = { 0 };
	struct question q;
	enum cimd_err e;

	if ((*out = answer_new()) == NULL)
		return CIMD_BROKEN;
	e = question_write(ask, verify, &q, answer_error(*out));
	if (e == CIMD_OK)
		e = exchange(ask->socket != NULL ? ask->socket :
						   CIMDCLIENT_SOCKET,
		    timeout, &q, &reply, answer_error(*out));
	question_clear(&q);
	if (e == CIMD_OK)
		answer_decode(*out, &reply, id, verify);
	else
		answer_fail(*out, e);
	reply_clear(&reply);
	return cimdclient_class(*out);
}

enum cimd_class
cimdclient_lookup(const struct cimdclient_ask *ask,
    struct cimdclient_answer **out)
{
	return ask_daemon(ask, false, out);
}

enum cimd_class
cimdclient_verify(const struct cimdclient_ask *ask,
    struct cimdclient_answer **out)
{
	return ask_daemon(ask, true, out);
}
