/*
 * policy_int.h - what the files of the policy step share
 * SPDX-License-Identifier: Apache-2.0
 *
 * step: 2.  policy.c judges, policy_read.c reads the top level,
 * policy_lists.c, policy_rule.c and policy_consumer.c the rest of it,
 * policy_match.c checks and compares patterns, policy_table.c finds what speaks
 * about a URL.
 */

#ifndef POLICY_INT_H
#define POLICY_INT_H

#include "conf.h"
#include "policy.h"

/* One entry of a sorted table; the key's bytes are owned elsewhere. */
struct slot {
	struct span key;
	size_t i;
};

/* Sorted by length, then bytes, then i. */
struct slots {
	struct slot *v;
	size_t n;
	uint64_t lengths; /* bit (length % 64): there are such keys */
};

/* A match with "*", and its bytes before the first one. */
struct pattern {
	const char *text;
	struct span prefix;
	size_t rule;
};

enum deny_kind {
	DENY_URL = 0, /* one URL or pattern */
	DENY_HOST,
	DENY_SUFFIX,    /* a host and all names under it */
	DENY_FORBIDDEN, /* a URL of forbidden_client_ids */
};

/*
 * Who may never come.  URLs are compared in the form that servers take for
 * the same: host without letter case, default port, percent triplets
 * decoded, any query.  Otherwise whoever owns a corner of a shared host gets
 * around a denial by spelling it differently.
 */
struct deny {
	enum deny_kind kind;
	char *text;       /* as configured */
	char *host;       /* lower case */
	struct span rest; /* path and query, in text */
	uint16_t port;    /* of URLs */
	char *where;      /* place of the list, or "" */
	const char *list; /* its name; NULL: a blocked rule */
	const char *rule; /* name of the blocked rule */
};

struct policy {
	_Atomic uint32_t refs;
	struct rule *rules; /* client sections, then allow; file order */
	size_t n_rules;
	struct rule *catalog; /* only what each section says itself */
	size_t n_catalog;
	struct consumer *consumers;
	size_t n_consumers;
	bool admits;     /* default is pending or unverified */
	struct rule any; /* by which that is judged; name "default" */

	struct deny *denies;
	size_t n_denies;
	struct conf_strings countries;
	struct conf_strings special; /* special_names */
	bool special_all;
	bool special_loopback; /* development_loopback */
	bool root_path;
	bool query;
	bool method_error_given; /* no_common_method_error */
	bool method_error_client;

	struct slots exact; /* matches without "*"; i: index of the rule */
	struct slots names; /* of rules */
	struct slots catalog_names;
	struct slots hosts; /* of denies */
	struct pattern *patterns;
	size_t n_patterns;
};

/* policy.c */

/* A policy that holds nothing yet and denies.  Fails with: CIMD_E_NO_MEMORY. */
enum cimd_err policy_new(struct policy **out, struct cimd_error *err);

/* policy_lists.c: one function for each member; an absent one is no fault. */
struct reading {
	struct policy *p;
	const struct conf *c;
	enum policy_source source;
	const struct policy *base; /* may be NULL */
};
typedef enum cimd_err policy_reader(struct reading *r, const char *member);
policy_reader policy_read_special;
policy_reader policy_read_root_path;
policy_reader policy_read_query;
policy_reader policy_read_default;
policy_reader policy_read_deny;
policy_reader policy_read_suffix;
policy_reader policy_read_country;
policy_reader policy_read_forbidden;
policy_reader policy_read_method_error;

/* policy_read.c */

/* Names at the top level that are policy, and "client" and so on; NULL end. */
conf_names_fn policy_member_name;

/* Members that sections have and the top level gives defaults for. */
enum rule_member {
	MEMBER_TRUST = 0, /* bit 0 of rule.given, and so on */
	MEMBER_UPDATE,
	MEMBER_REDIRECTS,
	MEMBER_AUTH,
	MEMBER_GRANTS,
	MEMBER_SCOPES,
	MEMBER_PORTS,
	MEMBER_CONTENT_TYPE,
	MEMBER_PROFILE,
	MEMBER_COUNT
};

#define MEMBER_BIT(m) (UINT32_C(1) << (m))

/* policy_rule.c */

/* Names of those members, then "match"; NULL at the end. */
conf_names_fn rule_member_name;

/*
 * Read the members that c has into r and mark them in r->given; at the top
 * level, where they are defaults, all but "match".  p: for its switches.
 */
enum cimd_err rule_read(const struct policy *p, const struct conf *c,
    struct rule *r);

/* policy_fill.c */

/* The values without any configuration.  Fails with: CIMD_E_NO_MEMORY. */
enum cimd_err rule_init(struct rule *r, struct cimd_error *err);

/*
 * Take from defaults what r does not give itself; of lists, a loan.  So
 * defaults must outlive r, and what r does not give must be empty.
 */
void rule_fill(struct rule *r, const struct rule *defaults);

/* Make to a copy of name, where, match and what the section gives. */
enum cimd_err rule_copy(const struct rule *from, struct rule *to,
    struct cimd_error *err);

void rule_free_redirects(struct rule *r);
void rule_clear(struct rule *r);

/* policy_consumer.c */

/* Names of the members of a consumer section; NULL at the end. */
conf_names_fn consumer_member_name;

enum cimd_err consumer_read(const struct conf *c, struct consumer *out);
void consumer_clear(struct consumer *c);

/* policy_match.c */

/* Does it start like an https URL? */
bool match_is_url(const char *text);

/* May the host of the URL be used though its name is special? */
bool match_special_ok(const struct policy *p, struct span url);

/* Is host the suffix, or a name under it?  ASCII letters in either case. */
bool match_suffix(struct span host, const char *suffix);

/* Check an exact URL or pattern under the switches of p. */
enum cimd_err match_check(const struct policy *p, const struct conf *c,
    const char *member, const char *text);

/* Is it a public suffix, under which anyone can have a name? */
bool match_public_suffix(const char *host);

/*
 * Host, port and what follows of what starts like an https URL, without a
 * check; an absent host for anything else.
 */
struct target {
	struct span host;
	uint16_t port;    /* 0: none that makes sense */
	struct span rest; /* path and query */
};
struct target match_target(struct span url);

/* Does a denied path and query speak about this one? */
bool match_denied(struct span denied, struct span rest);

/* policy_table.c */

/* Add a denial; text and where are copied, list and rule borrowed. */
struct denial {
	enum deny_kind kind;
	const char *text;
	const char *where;
	const char *list;
	const char *rule;
};
enum cimd_err deny_add(struct policy *p, const struct denial *what,
    struct cimd_error *err);

/*
 * Sort the names of rules; a name twice fails.  kind: of the sections, for
 * the text.
 */
enum cimd_err table_names(const struct rule *rules, size_t n, const char *kind,
    struct slots *out, struct cimd_error *err);

/* Build the tables of a policy that is complete otherwise. */
enum cimd_err table_build(struct policy *p, struct cimd_error *err);
void policy_clear(struct policy *p);

/* Index of the first slot with this key; s->n where there is none. */
size_t slots_find(const struct slots *s, struct span key);

/* The rule that speaks for the URL; *exact: by its very bytes.  NULL: none. */
const struct rule *table_rule(const struct policy *p, struct span url,
    bool *exact);

/* The entry that denies the URL; NULL: none. */
const struct deny *table_deny(const struct policy *p, const struct url *url);

#endif /* POLICY_INT_H */
