/*
 * error.c - codes, classes, texts; filling in struct cimd_error
 * SPDX-License-Identifier: Apache-2.0
 */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "error.h"

struct code_row {
	enum cimd_err code;
	const char *name;
	const char *oauth;
	const char *text;
};

static const struct code_row rows[] = {
	{ CIMD_OK, "CIMD_OK", "", "The client is accepted." },
	{ CIMD_E_NOT_CIMD, "CIMD_E_NOT_CIMD", "invalid_client",
	    "The client_id does not start with https://." },
	{ CIMD_E_URL, "CIMD_E_URL", "invalid_client",
	    "The client_id is not a valid client identifier URL." },
	{ CIMD_E_POLICY, "CIMD_E_POLICY", "unauthorized_client",
	    "No rule of this server admits the client." },
	{ CIMD_E_BLOCKED, "CIMD_E_BLOCKED", "unauthorized_client",
	    "The client is blocked." },
	{ CIMD_E_PENDING, "CIMD_E_PENDING", "unauthorized_client",
	    "The client waits for an administrator's approval." },
	{ CIMD_E_CONSUMER, "CIMD_E_CONSUMER", "unauthorized_client",
	    "Who asks may not ask for this client." },
	{ CIMD_E_PORT, "CIMD_E_PORT", "unauthorized_client",
	    "No rule allows the port of the client_id." },
	{ CIMD_E_ADDRESS, "CIMD_E_ADDRESS", "invalid_client",
	    "The host resolves to a special-use address." },
	{ CIMD_E_CERT, "CIMD_E_CERT", "invalid_client",
	    "The certificate of the document's host does not verify." },
	{ CIMD_E_STATUS, "CIMD_E_STATUS", "invalid_client",
	    "The document's host did not answer with status 200." },
	{ CIMD_E_GONE, "CIMD_E_GONE", "invalid_client",
	    "The document does not exist (any more)." },
	{ CIMD_E_BOT_WALL, "CIMD_E_BOT_WALL", "invalid_client",
	    "A bot wall in front of the document refused this server." },
	{ CIMD_E_TYPE, "CIMD_E_TYPE", "invalid_client",
	    "The answer is not labelled as JSON." },
	{ CIMD_E_ENCODING, "CIMD_E_ENCODING", "invalid_client",
	    "The answer has a content encoding that nobody asked for." },
	{ CIMD_E_TOO_BIG, "CIMD_E_TOO_BIG", "invalid_client",
	    "The document or its headers are too large." },
	{ CIMD_E_JSON, "CIMD_E_JSON", "invalid_client",
	    "The document is not one strict JSON object." },
	{ CIMD_E_MISMATCH, "CIMD_E_MISMATCH", "invalid_client",
	    "The client_id in the document is not the URL it came from." },
	{ CIMD_E_SECRET, "CIMD_E_SECRET", "invalid_client",
	    "The document holds a secret or relies on one." },
	{ CIMD_E_METADATA, "CIMD_E_METADATA", "invalid_client",
	    "A member of the document has a value that is not allowed." },
	{ CIMD_E_REDIRECT_URIS, "CIMD_E_REDIRECT_URIS", "invalid_client",
	    "No usable redirect URI is left." },
	{ CIMD_E_AUTH_METHOD, "CIMD_E_AUTH_METHOD", "unauthorized_client",
	    "Client and server share no authentication method." },
	{ CIMD_E_KEYS, "CIMD_E_KEYS", "invalid_client",
	    "The client has no usable key for private_key_jwt." },
	{ CIMD_E_ASSERTION, "CIMD_E_ASSERTION", "invalid_client",
	    "The client assertion is not valid." },
	{ CIMD_E_REPLAY, "CIMD_E_REPLAY", "invalid_client",
	    "The client assertion was used before." },
	{ CIMD_E_DNS, "CIMD_E_DNS", "temporarily_unavailable",
	    "The name of the document's host did not resolve." },
	{ CIMD_E_CONNECT, "CIMD_E_CONNECT", "temporarily_unavailable",
	    "The document's host could not be reached." },
	{ CIMD_E_TLS, "CIMD_E_TLS", "temporarily_unavailable",
	    "The TLS handshake with the document's host failed." },
	{ CIMD_E_TIMEOUT, "CIMD_E_TIMEOUT", "temporarily_unavailable",
	    "The document's host did not answer in time." },
	{ CIMD_E_SERVER, "CIMD_E_SERVER", "temporarily_unavailable",
	    "The document's host answered with an error of its own." },
	{ CIMD_E_BUSY, "CIMD_E_BUSY", "temporarily_unavailable",
	    "Too many documents are being fetched." },
	{ CIMD_E_LIMITED, "CIMD_E_LIMITED", "temporarily_unavailable",
	    "The document failed a moment ago and is not tried again yet." },
	{ CIMD_E_NOT_STORED, "CIMD_E_NOT_STORED", "temporarily_unavailable",
	    "Nothing is stored about the client." },
	{ CIMD_E_TOO_MANY, "CIMD_E_TOO_MANY", "temporarily_unavailable",
	    "The client has used too many client assertions." },
	{ CIMD_E_NO_MEMORY, "CIMD_E_NO_MEMORY", "server_error",
	    "Out of memory." },
	{ CIMD_E_CONFIG, "CIMD_E_CONFIG", "server_error",
	    "A setting is unknown or out of range." },
	{ CIMD_E_STATE, "CIMD_E_STATE", "server_error",
	    "A call came in the wrong order." },
	{ CIMD_E_STORE, "CIMD_E_STORE", "server_error",
	    "The store cannot be read or written." },
	{ CIMD_E_REQUEST, "CIMD_E_REQUEST", "server_error",
	    "The request is malformed." },
	{ CIMD_E_INTERNAL, "CIMD_E_INTERNAL", "server_error",
	    "A bug; please report it." },
};

static const struct code_row *
row_of(enum cimd_err code)
{
	size_t i, n;

	n = sizeof(rows) / sizeof(rows[0]);
	for (i = 0; i < n; i++)
		if (rows[i].code == code)
			return &rows[i];
	return &rows[n - 1];
}

const char *
cimd_err_name(enum cimd_err code)
{
	return row_of(code)->name;
}

const char *
cimd_err_text(enum cimd_err code)
{
	return row_of(code)->text;
}

const char *
cimd_err_oauth(enum cimd_err code)
{
	return row_of(code)->oauth;
}

enum cimd_class
cimd_err_class(enum cimd_err code)
{
	if (row_of(code)->code != code)
		return CIMD_BROKEN;
	if (code == CIMD_OK)
		return CIMD_ACCEPTED;
	if (code < CIMD_E_URL)
		return CIMD_NOT_OURS;
	if (code < CIMD_E_DNS)
		return CIMD_REFUSED;
	if (code < CIMD_E_NO_MEMORY)
		return CIMD_UNAVAILABLE;
	return CIMD_BROKEN;
}

const char *
cimd_class_name(enum cimd_class class_)
{
	switch (class_) {
	case CIMD_REFUSED:
		return "refused";
	case CIMD_UNAVAILABLE:
		return "unavailable";
	case CIMD_NOT_OURS:
		return "not_ours";
	case CIMD_ACCEPTED:
		return "accepted";
	case CIMD_BROKEN:
		break;
	}
	return "broken";
}

/* Copy in to out, with what is not printable ASCII as \xNN. */
static void
escape(const char *in, char *out, size_t size)
{
	static const char hex[] = "0123456789abcdef";
	size_t o = 0;

	for (; *in != '\0'; in++) {
		unsigned char c = (unsigned char)*in;

		if (c >= 0x20 && c < 0x7f) {
			if (o + 1 >= size)
				break;
			out[o++] = (char)c;
			continue;
		}
		if (o + 4 >= size)
			break;
		out[o++] = '\\';
		out[o++] = 'x';
		out[o++] = hex[c >> 4];
		out[o++] = hex[c & 15];
	}
	out[o] = '\0';
}

enum cimd_err
err_set(struct cimd_error *err, enum cimd_err code, const char *section,
    const char *fmt, ...)
{
	char raw[sizeof(err->text)];
	va_list ap;

	if (err == NULL)
		return code;
	err->code = code;
	(void)snprintf(err->section, sizeof(err->section), "%s", section);
	va_start(ap, fmt);
	(void)vsnprintf(raw, sizeof(raw), fmt, ap);
	va_end(ap);
	escape(raw, err->text, sizeof(err->text));
	return code;
}

enum cimd_err
err_no_memory(struct cimd_error *err)
{
	return err_set(err, CIMD_E_NO_MEMORY, "", "out of memory");
}

void
err_prefix(struct cimd_error *err, const char *fmt, ...)
{
	char text[2 * sizeof(err->text) + 2], place[sizeof(err->text)];
	va_list ap;

	if (err == NULL)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(place, sizeof(place), fmt, ap);
	va_end(ap);
	(void)snprintf(text, sizeof(text), "%s: %s", place, err->text);
	escape(text, err->text, sizeof(err->text));
}
