/*
 * cimd.h - OAuth Client ID Metadata Documents
 * SPDX-License-Identifier: Apache-2.0
 *
 * Turns a client_id that is an https URL into a checked client record and a
 * decision: URL grammar, policy, store, fetch, document, decision.
 *
 * "Section N" is a section of draft-ietf-oauth-client-id-metadata-document-03.
 *
 * Rules that hold for every function:
 *
 * Input: untrusted strings are pointer and length, and may hold any byte.
 * Output: strings end in NUL, hold no other NUL, and live as long as the
 * object that they came from.  An out-parameter is NULL unless the function
 * returned CIMD_OK.  err is filled in on failure only, and may be NULL.
 * Threads: any number may use one resolver at once, but for cimd_free().
 * Records and decisions are immutable.  The library has no globals.
 * Fork: a child must not use a resolver that its parent made.
 * Signals: the library keeps SIGPIPE from its caller, with no handler.
 */

#ifndef CIMD_H
#define CIMD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define CIMD_API __attribute__((visibility("default")))
#define CIMD_MUST CIMD_API __attribute__((warn_unused_result))
#else
#define CIMD_API
#define CIMD_MUST
#endif

#define CIMD_VERSION_HEX 0x000100 /* 0.1.0, for #if */

#ifdef __cplusplus
extern "C" {
#endif

struct cimd;          /* a resolver: policy, store, fetcher */
struct cimd_client;   /* one checked record; immutable, reference-counted */
struct cimd_decision; /* what one lookup answers; immutable */

/*
 * Numbers never change; new codes go at the end of their group.  A host
 * acts on cimd_err_class() and only logs the code.
 */
enum cimd_err {
	CIMD_OK = 0,

	/* Not ours: the next client source should be asked. */
	CIMD_E_NOT_CIMD = 1, /* does not start with "https://" */

	/* Refused: asking again will not help until something changes. */
	CIMD_E_URL = 16,      /* section 3: no client identifier URL */
	CIMD_E_POLICY,        /* no rule of this server admits it */
	CIMD_E_BLOCKED,       /* an administrator or a deny rule blocks it */
	CIMD_E_PENDING,       /* waits for an administrator's approval */
	CIMD_E_CONSUMER,      /* who asks may not ask for this */
	CIMD_E_PORT,          /* a port that no rule allows */
	CIMD_E_ADDRESS,       /* section 9.6: a special-use address */
	CIMD_E_CERT,          /* chain, name or time of the certificate */
	CIMD_E_STATUS,        /* section 5: 3xx, 4xx or not HTTP */
	CIMD_E_GONE,          /* 404 or 410: the document was withdrawn */
	CIMD_E_BOT_WALL,      /* 403 of a bot wall in front of the document */
	CIMD_E_TYPE,          /* section 4: not a JSON media type */
	CIMD_E_ENCODING,      /* a content encoding that nobody asked for */
	CIMD_E_TOO_BIG,       /* section 9.7: body or headers too large */
	CIMD_E_JSON,          /* RFC 8259, RFC 7493: no strict JSON object */
	CIMD_E_MISMATCH,      /* section 4: client_id is not this very URL */
	CIMD_E_SECRET,        /* section 4.1: a shared secret or private key */
	CIMD_E_METADATA,      /* RFC 7591 section 2: a value is not allowed */
	CIMD_E_REDIRECT_URIS, /* no usable redirect URI is left */
	CIMD_E_AUTH_METHOD,   /* section 6: no method in common */
	CIMD_E_KEYS,          /* section 6.2: no usable key */
	CIMD_E_ASSERTION,     /* RFC 7523: client assertion not valid */
	CIMD_E_REPLAY,        /* RFC 7523: jti was used before */

	/* Unavailable: the same call may succeed later. */
	CIMD_E_DNS = 64,
	CIMD_E_CONNECT,
	CIMD_E_TLS,
	CIMD_E_TIMEOUT,
	CIMD_E_SERVER,     /* 5xx or 429 */
	CIMD_E_BUSY,       /* the budget of fetches is spent */
	CIMD_E_LIMITED,    /* the attempt limiter lets no fetch start yet */
	CIMD_E_NOT_STORED, /* nothing stored, and this purpose never fetches */
	CIMD_E_TOO_MANY,   /* assertions of one client in a few minutes */

	/* Broken: this host is at fault, not the client. */
	CIMD_E_NO_MEMORY = 96,
	CIMD_E_CONFIG,   /* a setting is unknown or out of range */
	CIMD_E_STATE,    /* a call came in the wrong order */
	CIMD_E_STORE,    /* the store cannot be read or written */
	CIMD_E_REQUEST,  /* the request on the wire is malformed */
	CIMD_E_INTERNAL, /* a bug; please report the text */
};

/* What a host should answer.  Zero is the safe one: a zeroed value refuses. */
enum cimd_class {
	CIMD_BROKEN = 0,  /* server_error; also for any unknown number */
	CIMD_REFUSED,     /* invalid_client, unauthorized_client */
	CIMD_UNAVAILABLE, /* temporarily_unavailable */
	CIMD_NOT_OURS,    /* let the next client source decide */
	CIMD_ACCEPTED,    /* CIMD_OK, and nothing else */
};

/*
 * section: where the rule stands ("3", "RFC 7591 2", "policy"), or empty.
 * text: one line of printable ASCII, safe to log.  The sizes never change.
 */
struct cimd_error {
	enum cimd_err code;
	char section[28];
	char text[224];
};

/* "CIMD_E_URL"; "CIMD_E_INTERNAL" for a number that is not known. */
CIMD_API const char *cimd_err_name(enum cimd_err code);

/* One sentence for administrators.  Never NULL. */
CIMD_API const char *cimd_err_text(enum cimd_err code);

/* The class that a host acts on; CIMD_BROKEN for an unknown number. */
CIMD_API enum cimd_class cimd_err_class(enum cimd_err code);

/* "refused" and so on, as on the wire.  Never NULL. */
CIMD_API const char *cimd_class_name(enum cimd_class class_);

/* The OAuth error that is safe to show to anyone: "invalid_client" ... */
CIMD_API const char *cimd_err_oauth(enum cimd_err code);

/* "0.1.0" of the library that runs; may differ from CIMD_VERSION_HEX. */
CIMD_API const char *cimd_version(void);

/*
 * Make a resolver from its configuration: the JSON form of cimd.conf(5), as
 * "cimdd -t --json" prints it; NULL means all defaults (which admit nobody).
 * It opens no file and starts no thread before the first lookup.
 * Free it with cimd_free().  Fails with: CIMD_E_CONFIG, CIMD_E_NO_MEMORY.
 */
CIMD_MUST enum cimd_err cimd_new(const char *config, size_t len,
    struct cimd **out, struct cimd_error *err);

/*
 * Open the state directory now and not at the first lookup, so that a fault
 * shows at start.  Fails with: CIMD_E_STORE, CIMD_E_NO_MEMORY.
 */
CIMD_MUST enum cimd_err cimd_open(struct cimd *r, struct cimd_error *err);

/* Free *r, on which no call may be under way, and set it to NULL. */
CIMD_API void cimd_free(struct cimd **r);

/*
 * Take a new configuration, all of it or nothing.  Lookups under way finish
 * under the old policy.  state_dir cannot change.
 * Fails with: CIMD_E_CONFIG, CIMD_E_STATE, CIMD_E_NO_MEMORY.
 */
CIMD_MUST enum cimd_err cimd_reload(struct cimd *r, const char *config,
    size_t len, struct cimd_error *err);

/*
 * line: one JSON object, printable ASCII, no newline.  Called in whatever
 * thread the line arises in, never with a lock held.  Set it before the
 * first lookup.
 */
enum cimd_level {
	CIMD_LOG_ERROR,
	CIMD_LOG_NOTICE,
	CIMD_LOG_DEBUG,
};
typedef void cimd_log_fn(void *ctx, enum cimd_level level, const char *line);
CIMD_API void cimd_set_log(struct cimd *r, cimd_log_fn *fn, void *ctx);

/* Why a client is looked up; decides whether a fetch may happen. */
enum cimd_purpose {
	CIMD_DISPLAY = 0, /* never fetches; stale will do */
	CIMD_TOKEN,       /* fetches only when nothing is stored */
	CIMD_AUTHORIZE,   /* fetches what is not fresh */
};

/*
 * One lookup.  Zero every member that is not used.  client_id and
 * redirect_uri are bytes from outside; policy is the JSON of a realm's own
 * policy (see cimd.conf(5)); tenant names that realm, in at most 128 bytes
 * without control characters: what it pins is pinned for it alone.  consumer
 * is the name of the consumer section that asks, NULL for the process itself
 * (no consumer restrictions).
 */
struct cimd_request {
	const char *client_id;
	size_t client_id_len;
	const char *redirect_uri; /* NULL: the request carries none */
	size_t redirect_uri_len;
	const char *policy; /* NULL: none */
	size_t policy_len;
	const char *consumer;
	enum cimd_purpose purpose;
	const char *tenant; /* NULL: none */
	size_t tenant_len;
};

/*
 * Is this a client identifier URL (section 3)?  IP addresses and special-use
 * names as host are refused.  Touches neither network nor store.
 * Fails with: CIMD_E_NOT_CIMD, CIMD_E_URL, CIMD_E_NO_MEMORY.
 */
CIMD_MUST enum cimd_err cimd_check_url(const char *id, size_t len,
    struct cimd_error *err);

/*
 * The decision about the client that req names, from the store or from the
 * network.  Blocks for at most 4 seconds.  Redirects are never followed
 * (section 5); errors and invalid documents are never stored (section 5.2).
 * The caller owns *out and frees it with cimd_decision_free().
 * Fails with any code but CIMD_E_ASSERTION, CIMD_E_REPLAY and CIMD_E_TOO_MANY.
 */
CIMD_MUST enum cimd_err cimd_resolve(struct cimd *r,
    const struct cimd_request *req, struct cimd_decision **out,
    struct cimd_error *err);

/* Free *d and set it to NULL.  A NULL pointer, or one to NULL, is no error. */
CIMD_API void cimd_decision_free(struct cimd_decision **d);

/* The record that the decision is about; borrowed, lives as long as d. */
CIMD_API const struct cimd_client *cimd_decision_client(
    const struct cimd_decision *d);

/* True only if the request's redirect_uri is registered and allowed. */
CIMD_API bool cimd_decision_redirect_ok(const struct cimd_decision *d);

/* "trusted" or "unverified".  Never NULL. */
CIMD_API const char *cimd_decision_trust(const struct cimd_decision *d);

/* Name of the rule that admitted the client; "default" for none. */
CIMD_API const char *cimd_decision_rule(const struct cimd_decision *d);

/* Preferred method (section 6): "private_key_jwt" or "none". */
CIMD_API const char *cimd_decision_auth_method(const struct cimd_decision *d);

/* May the client authenticate with this method?  False for unknown names. */
CIMD_API bool cimd_decision_allows_method(const struct cimd_decision *d,
    const char *method);

/*
 * Verify a client assertion (RFC 7523, section 6.2) of the client in req for
 * one of the audiences of req->consumer, and use up its jti.
 * Blocks for at most 4 seconds.  Fails with any code.
 */
CIMD_MUST enum cimd_err cimd_verify_assertion(struct cimd *r,
    const struct cimd_request *req, const char *assertion, size_t len,
    struct cimd_error *err);

/*
 * Check that doc is a valid document for id (section 4), without network,
 * store, clock or policy; keys behind jwks_uri are not looked at.
 * Free *out with cimd_client_free().  Fails with: CIMD_E_NOT_CIMD, CIMD_E_URL,
 * CIMD_E_JSON and those after it up to CIMD_E_KEYS, CIMD_E_NO_MEMORY.
 */
CIMD_MUST enum cimd_err cimd_parse(const char *id, size_t id_len,
    const char *doc, size_t doc_len, struct cimd_client **out,
    struct cimd_error *err);

/* Free *c and set it to NULL.  A NULL pointer, or one to NULL, is no error. */
CIMD_API void cimd_client_free(struct cimd_client **c);

/* The client identifier URL, as it was asked for. */
CIMD_API const char *cimd_client_id(const struct cimd_client *c);

/* A string member of RFC 7591 section 2 ("client_name"), or NULL. */
CIMD_API const char *cimd_client_get(const struct cimd_client *c,
    const char *name);

/* Number of usable redirect URIs. */
CIMD_API size_t cimd_client_redirects(const struct cimd_client *c);

/* redirect_uris in document order; NULL when i is not below the count. */
CIMD_API const char *cimd_client_redirect(const struct cimd_client *c,
    size_t i);

/* The checked members only, as one JSON object; borrowed from c. */
CIMD_API const char *cimd_client_json(const struct cimd_client *c, size_t *len);

/*
 * Who calls over a socket.  uid is -1 where it is not known; service is the
 * PAM or SASL service that the peer says it is, which cimd.conf(5) may let it
 * be, or NULL; admin: came over the admin socket.
 */
struct cimd_caller {
	int64_t uid;
	const uint32_t *gids;
	size_t n_gids;
	const char *service;
	bool admin;
};

/* What to send back.  body is owned by the library until fn returns. */
struct cimd_reply {
	int status;               /* HTTP status */
	unsigned int retry_after; /* seconds; 0: none */
	const char *content_type;
	const char *body;
	size_t len;
};

/* Called exactly once for each cimd_call(), maybe before it returns. */
typedef void cimd_reply_fn(void *ctx, const struct cimd_reply *reply);

/*
 * One call of the JSON API that the daemon speaks: method is "client",
 * "assertion", "metadata", "clients", "approve" ... (see cimdd(8)); json
 * holds its parameters and may be empty.
 */
struct cimd_message {
	const char *method;
	const char *json;
	size_t len;
};

/*
 * Never blocks on the network: fn is called in this thread if the answer is
 * at hand, else later in a thread of the resolver.  fn must not block and
 * must not call back into the resolver.  who and in may go when this
 * returns.
 */
CIMD_API void cimd_call(struct cimd *r, const struct cimd_caller *who,
    const struct cimd_message *in, cimd_reply_fn *fn, void *ctx);

#ifdef __cplusplus
}
#endif

#endif /* CIMD_H */
