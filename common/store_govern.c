/*
 * store_govern.c - what must be on the disk before it counts
 * SPDX-License-Identifier: Apache-2.0
 */

#include <string.h>

#include "base64url.h"
#include "digest.h"
#include "store_int.h"

void
store_short_id(struct span client_id, char out[44])
{
	uint8_t hash[32];

	static_assert(sizeof(hash) / 3 * 4 + 3 + 1 == 44, "43 letters, NUL");
	out[0] = '\0';
	if (digest_sha256(client_id, hash, NULL) == CIMD_OK)
		base64url_encode(hash, sizeof(hash), out);
}

/* An approved record is every tenant's yardstick. */
static int
govern(struct store *s, struct span client_id, const struct client_row *row,
    enum governance governance, struct span approved, int64_t now)
{
	const int64_t baselines = approved.p == NULL ? row->baselines : 0;
	struct query q;
	int rc = SQLITE_OK;

	if (row->baselines != baselines)
		rc = store_run_on(s, SQL_DELETE_BASELINES, row->id);
	if (rc != SQLITE_OK)
		return rc;
	query_begin(&q, &s->writer, SQL_GOVERN_CLIENT);
	query_int(&q, row->id);
	query_int(&q, governance);
	query_blob(&q, approved);
	query_int(&q, now);
	query_int(&q,
	    sum_governance(client_id, governance, approved, baselines));
	query_int(&q, baselines);
	rc = query_run(&q);
	return rc == SQLITE_OK ? store_run_on(s, SQL_MEASURE_CLIENT, row->id) :
				 rc;
}

enum cimd_err
store_govern(struct store *s, struct span client_id, enum governance governance,
    const struct cimd_client *approved, int64_t now, struct cimd_error *err)
{
	const struct span none = { NULL, 0 };
	struct client_row row;
	struct span bytes = none;
	enum cimd_err code;
	int rc;

	if (approved != NULL)
		bytes = client_bytes(approved);
	code = store_begin(s, true, none, err);
	if (code != CIMD_OK)
		return code;
	rc = store_find_or_add(s, client_id, false, now, &row);
	if (rc == SQLITE_OK)
		rc = govern(s, client_id, &row, governance, bytes, now);
	/* Without a word about it, it is one of its segment again. */
	if (rc == SQLITE_OK && governance == GOVERN_NONE)
		rc = store_evict(s, row.kept, row.id);
	return store_end(s, rc, err);
}

/* Has the tenant a yardstick already, of its own or of an administrator? */
static int
has_yardstick(struct store *s, const struct client_row *row, struct span tenant,
    bool *has)
{
	struct query q;

	*has = row->approved;
	if (*has)
		return SQLITE_OK;
	query_begin(&q, &s->writer, SQL_FIND_BASELINE);
	query_int(&q, row->id);
	query_text(&q, tenant);
	*has = query_row(&q);
	return query_end(&q);
}

static int
add_baseline(struct store *s, struct span client_id,
    const struct client_row *row, struct span tenant, struct span record)
{
	const struct span none = { NULL, 0 };
	struct query q;
	int rc;

	query_begin(&q, &s->writer, SQL_ADD_BASELINE);
	query_int(&q, row->id);
	query_text(&q, tenant);
	query_int(&q, sum_baseline(client_id, tenant, record));
	query_blob(&q, record);
	if ((rc = query_run(&q)) != SQLITE_OK)
		return rc;
	query_begin(&q, &s->writer, SQL_COUNT_BASELINE);
	query_int(&q, row->id);
	query_int(&q,
	    sum_governance(client_id, row->governance, none,
		row->baselines + 1));
	rc = query_run(&q);
	return rc == SQLITE_OK ? store_run_on(s, SQL_MEASURE_CLIENT, row->id) :
				 rc;
}

enum cimd_err
store_baseline(struct store *s, const char *tenant,
    const struct cimd_client *first, struct cimd_error *err)
{
	const struct span client_id = span_of(cimd_client_id(first));
	const struct span none = { NULL, 0 };
	struct client_row row;
	enum cimd_err code;
	bool full = false, has = true;
	int rc;

	if ((code = store_begin(s, true, none, err)) != CIMD_OK)
		return code;
	rc = store_find(&s->writer, client_id, &row);
	if (rc == SQLITE_OK && row.id != 0 && row.governance != GOVERN_BLOCKED)
		rc = has_yardstick(s, &row, span_of(tenant), &has);
	if (rc == SQLITE_OK && !has) {
		full = row.baselines >= STORE_MAX_BASELINES;
		if (!full)
			rc = add_baseline(s, client_id, &row, span_of(tenant),
			    client_bytes(first));
	}
	code = store_end(s, rc, err);
	if (code != CIMD_OK || !full)
		return code;
	return err_set(err, CIMD_E_PENDING, "policy",
	    "%d tenants hold this client to a document of their own; an "
	    "administrator has to approve one for all",
	    STORE_MAX_BASELINES);
}

/* The hash of (iss, jti); iss has its length before it. */
static enum cimd_err
hash_jti(struct span iss, const char *jti, uint8_t out[32],
    struct cimd_error *err)
{
	const struct span parts[] = { iss, span_of(jti) };
	uint8_t hash[2][32];
	enum cimd_err e;
	size_t i;

	for (i = 0; i < 2; i++) {
		e = digest_sha256(parts[i], hash[i], err);
		if (e != CIMD_OK)
			return e;
	}
	return digest_sha256((struct span){ (const char *)hash, sizeof(hash) },
	    out, err);
}

/* How many are in the window; counted once, then kept up. */
static int
count_jti(struct store *s)
{
	struct query q;

	if (s->n_jti >= 0)
		return SQLITE_OK;
	query_begin(&q, &s->writer, SQL_COUNT_JTI);
	if (query_row(&q))
		s->n_jti = query_get_int(&q, 0);
	return query_end(&q);
}

int
store_expire_jti(struct store *s, int64_t now)
{
	struct query q;
	int rc;

	rc = count_jti(s);
	if (rc != SQLITE_OK)
		return rc;
	query_begin(&q, &s->writer, SQL_EXPIRE_JTI);
	query_int(&q, now);
	rc = query_run(&q);
	if (rc == SQLITE_OK)
		s->n_jti -= sqlite3_changes(s->writer.h);
	return rc;
}

enum jti {
	JTI_TAKEN, /* it was fresh and is used up now */
	JTI_USED,
	JTI_FULL, /* no room to remember it */
};

static int
use_jti(struct store *s, struct span hash, int64_t keep_until, enum jti *out)
{
	struct query q;
	bool used;
	int rc;

	query_begin(&q, &s->writer, SQL_USED_JTI);
	query_blob(&q, hash);
	used = query_row(&q);
	rc = query_end(&q);
	if (rc != SQLITE_OK)
		return rc;
	*out = used ? JTI_USED : JTI_FULL;
	if (used || s->n_jti >= s->limits.max_jti)
		return SQLITE_OK;
	query_begin(&q, &s->writer, SQL_USE_JTI);
	query_blob(&q, hash);
	query_int(&q, keep_until);
	rc = query_run(&q);
	s->n_jti++;
	*out = JTI_TAKEN;
	return rc;
}

enum cimd_err
store_use_jti(struct store *s, struct span iss, const char *jti,
    int64_t keep_until, int64_t now, struct cimd_error *err)
{
	const struct span none = { NULL, 0 };
	enum jti answer = JTI_FULL;
	uint8_t hash[32];
	enum cimd_err e;
	int rc;

	if ((e = hash_jti(iss, jti, hash, err)) != CIMD_OK)
		return e;
	if ((e = store_begin(s, true, none, err)) != CIMD_OK)
		return e;
	rc = store_expire_jti(s, now);
	if (rc == SQLITE_OK)
		rc = use_jti(s,
		    (struct span){ (const char *)hash, sizeof(hash) },
		    keep_until, &answer);
	if ((e = store_end(s, rc, err)) != CIMD_OK)
		return e;
	switch (answer) {
	case JTI_TAKEN:
		return CIMD_OK;
	case JTI_USED:
		return err_set(err, CIMD_E_REPLAY, "RFC 7523",
		    "jti was used before");
	case JTI_FULL:
		break;
	}
	return err_set(err, CIMD_E_STORE, "policy",
	    "all %u places for used jti are taken", s->limits.max_jti);
}
