/*
 * policy.h - who may ask for which client, judged before any fetch
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: 2; in: URL parts, policy; out: the rules that apply, or a refusal;
 * touches nothing
 */

#ifndef POLICY_H
#define POLICY_H

#include "url.h"

struct json_object;

enum trust {
	TRUST_BLOCKED = 0,
	TRUST_PENDING,
	TRUST_UNVERIFIED,
	TRUST_TRUSTED,
};

enum update {
	UPDATE_LIVE = 0,
	UPDATE_PINNED,  /* only the approved document hash */
	UPDATE_APPROVE, /* a changed document waits */
};

enum profile {
	PROFILE_MCP = 0, /* client_name and redirect_uris required */
	PROFILE_IETF,    /* redirect_uris only for redirect grants */
};

enum redirect_rule_kind {
	RULE_DOCUMENT = 0,   /* what the document lists, loopback any port */
	RULE_LOOPBACK_EXACT, /* switches the any-port rule off */
	RULE_SAME_ORIGIN,
	RULE_SAME_SITE,
	RULE_HOST,   /* value: host name; https only */
	RULE_SCHEME, /* value: private-use scheme */
};

struct redirect_rule {
	enum redirect_rule_kind kind;
	char *value; /* NULL but for RULE_HOST and RULE_SCHEME */
};

/* A "client" section, with the top-level defaults filled in. */
struct rule {
	char *name;
	char *where;  /* "/etc/cimd/cimd.conf:12" or "" */
	char **match; /* exact URLs, or with "*" for one path segment */
	size_t n_match;
	enum trust trust;
	enum update update;
	struct redirect_rule *redirects; /* none: allows nothing */
	size_t n_redirects;
	uint32_t methods; /* METHOD_* */
	uint32_t grants;  /* GRANT_* that the host supports */
	char **scopes;    /* ceiling; NULL: no ceiling */
	size_t n_scopes;
	uint16_t *ports; /* besides 443 */
	size_t n_ports;
	bool lenient_type; /* content_type = lenient */
	enum profile profile;
	uint32_t given; /* bit i: the section itself gives rule member i */
	bool shares;    /* the lists that are not given are the policy's */
};

/* A "consumer" section: who may ask, over which door, for whom. */
struct consumer {
	char *name;
	char *where;
	uint32_t *uids;
	size_t n_uids;
	uint32_t *gids;
	size_t n_gids;
	char **services;
	size_t n_services;
	bool delegate;
	char **audiences;
	size_t n_audiences;
	char **clients; /* rule names; NULL: all */
	size_t n_clients;
};

struct policy; /* immutable, reference-counted; policy_int.h */

/* Where a policy comes from decides which members it may have. */
enum policy_source {
	POLICY_MACHINE, /* cimd.conf: everything; default is deny */
	POLICY_REALM,   /* a provider's console: no consumers; default deny */
	POLICY_BATCH,   /* cimdctl check: like a realm's; default is unverified
			   unless it names clients */
};

/*
 * Read a policy from JSON (shape: cimd.conf(5)).  Every member is checked;
 * an unknown one fails.  Members that are settings (settings.h) are left to
 * settings_read(), but a realm may have none.  The caller owns *out.
 * Fails with: CIMD_E_CONFIG (text: place, member, reason), CIMD_E_NO_MEMORY.
 */
enum cimd_err policy_read(struct json_object *json, enum policy_source source,
    struct policy **out, struct cimd_error *err);

/*
 * The same, where "allow" may also name client sections and catalog entries
 * of base (may be NULL).  They are copied, so that *out does not need base;
 * what such a section does not say itself comes from the defaults of json.
 */
enum cimd_err policy_read_with(struct json_object *json,
    enum policy_source source, const struct policy *base, struct policy **out,
    struct cimd_error *err);

struct policy *policy_ref(struct policy *p);

/* Drop a reference; accepts NULL; sets *p to NULL.  Thread-safe. */
void policy_free(struct policy **p);

/* What policy_consumer() found. */
enum asker {
	ASKER_UNKNOWN = 0, /* no section names the peer */
	ASKER_CLAIMS,      /* says that it is a service that it may not be */
	ASKER_UNNAMED,     /* says that it is a service that no section names */
	ASKER_OPEN,        /* there is no section: whoever reaches the socket
			      may ask */
	ASKER_KNOWN,
};

/*
 * The consumer section for who asks, in file order.  Who says that it is a
 * service: one that names that service; if none does, one with "*".  The word
 * of root about a service is taken, that of others only if the section names
 * their uid or group as well.  Who says no service: one without services that
 * names its uid, else its group.  NULL unless *asker is ASKER_KNOWN.
 */
const struct consumer *policy_consumer(const struct policy *p,
    const struct cimd_caller *who, enum asker *asker);

/* By name; NULL when there is none. */
const struct consumer *policy_consumer_named(const struct policy *p,
    const char *name);

/* Does the consumer of that name (NULL: any) bring policies of its own? */
bool policy_delegates(const struct policy *p, const char *name);

/* enum url_flag bits for url_parse() of these very bytes. */
unsigned int policy_url_flags(const struct policy *p,
    const struct policy *realm, struct span id);

/* Is development_loopback on: may hosts be this machine? */
bool policy_loopback(const struct policy *p);

/* What a lookup asks of policy. */
struct policy_question {
	const struct policy *machine;
	const struct policy *realm;      /* NULL: the request carries none */
	const struct consumer *consumer; /* NULL: the process itself */
	const struct url *url;
};

/*
 * The rules that admit a client: one, or the machine's and the realm's,
 * which must then both agree.  Borrowed from the policies.
 */
struct verdict {
	const struct rule *rule[2];
	size_t n_rules;
	const char *name;   /* of the rule to show; "default" without one */
	bool explicit_rule; /* a client section matched, not the default */
	bool named;         /* and one by this very URL, not by a pattern */
	enum trust trust;   /* the lowest of all; never TRUST_BLOCKED */
	enum update update; /* the strictest of all */
	bool realm_update;  /* if not live: only the realm wants it so */
	bool lenient_type;  /* all say lenient */
	bool no_method_invalid_client; /* no_common_method_error: answer
					  CIMD_E_AUTH_METHOD of decide() with
					  the OAuth error invalid_client */
};

/*
 * Judge before anything is fetched.  Fails with: CIMD_E_BLOCKED,
 * CIMD_E_POLICY, CIMD_E_PORT, CIMD_E_CONSUMER; err names rule and place.
 */
enum cimd_err policy_judge(const struct policy_question *q, struct verdict *out,
    struct cimd_error *err);

/*
 * May keys of a document come from that port?  Rules admit ports by the
 * document's URL, and the document must not lead to others than 443 and its
 * own.  Fails with: CIMD_E_PORT.
 */
enum cimd_err policy_judge_keys(const struct url *document, uint16_t port,
    struct cimd_error *err);

/* deny_country: is this ISO 3166 code on the list (letters in any case)? */
bool policy_denies_country(const struct policy *p, const char *iso);

/* Is there a deny_country list at all, so that a country must be known? */
bool policy_has_countries(const struct policy *p);

/*
 * Does the pattern (exact, or "*" for one path segment) match the URL?
 * "*" stands for one or more bytes but "/" and "?"; everything else is
 * compared byte for byte.
 */
bool policy_match(const char *pattern, struct span url);

/* All rules of a policy in file order, for status and "policy test". */
size_t policy_rules(const struct policy *p);
const struct rule *policy_rule(const struct policy *p, size_t i);

/*
 * METHOD_* that a client may come in with: those of rules that admit, and of
 * what admits beside them (default, a realm under delegate).  Never 0.
 */
uint32_t policy_methods(const struct policy *p);

/* "trusted", "live", "mcp" ... as in cimd.conf(5); never NULL. */
const char *trust_name(enum trust t);
const char *update_name(enum update u);
const char *profile_name(enum profile p);

#endif /* POLICY_H */
