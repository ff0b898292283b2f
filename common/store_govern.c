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

/* "consumer/" of "consumer/tenant"; empty for the machine's own rules. */
static struct span
consumer_of(struct span tenant)
{
	const char *slash =
	    tenant.n > 0 ? memchr(tenant.p, '/', tenant.n) : NULL;

	tenant.n = slash != NULL ? (size_t)(slash - tenant.p) + 1 : 0;
	return tenant;
}

/*
 * Is there no place for the tenant?  The tenants of one consumer hold no more
 * of a client's places than are free, since it names them as it likes.
 */
static int
is_full(struct store *s, const struct client_row *row, struct span tenant,
    bool *full)
{
	const struct span consumer = consumer_of(tenant);
	int64_t held = 0;
	struct query q;
	int rc = SQLITE_OK;

	if (consumer.n > 0) {
		query_begin(&q, &s->writer, SQL_OF_CONSUMER);
		query_int(&q, row->id);
		query_text(&q, consumer);
		if (query_row(&q))
			held = query_get_int(&q, 0);
		rc = query_end(&q);
	}
	*full = held >= STORE_MAX_BASELINES - row->baselines;
	return rc;
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
	if (rc == SQLITE_OK && !has)
		rc = is_full(s, &row, span_of(tenant), &full);
	if (rc == SQLITE_OK && !has && !full)
		rc = add_baseline(s, client_id, &row, span_of(tenant),
		    client_bytes(first));
	code = store_end(s, rc, err);
	if (code != CIMD_OK || !full)
		return code;
	return err_set(err, CIMD_E_PENDING, "policy",
	    "no place is left for one more tenant that holds this client to "
	    "a document of its own; an administrator has to approve one for "
	    "all");
}

enum {
	ISSUER_BYTES = 16, /* of its hash */
};

struct jti {
	uint8_t issuer[32]; /* hash of iss */
	uint8_t hash[32];   /* of both, iss at its length */
	int64_t keep_until;
};

static enum cimd_err
hash_jti(struct span iss, const char *jti, struct jti *out,
    struct cimd_error *err)
{
	uint8_t both[2 * 32];
	enum cimd_err e;

	e = digest_sha256(iss, out->issuer, err);
	if (e == CIMD_OK)
		e = digest_sha256(span_of(jti), both + 32, err);
	if (e != CIMD_OK)
		return e;
	memcpy(both, out->issuer, 32);
	return digest_sha256((struct span){ (const char *)both, sizeof(both) },
	    out->hash, err);
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

/* A statement about what expired before now; *changed: rows. */
static int
run_expired(struct store *s, enum sql sql, int64_t now, int *changed)
{
	struct query q;
	int rc;

	query_begin(&q, &s->writer, sql);
	query_int(&q, now);
	rc = query_run(&q);
	*changed = rc == SQLITE_OK ? sqlite3_changes(s->writer.h) : 0;
	return rc;
}

int
store_expire_jti(struct store *s, int64_t now)
{
	int changed = 0, rc;

	rc = count_jti(s);
	if (rc == SQLITE_OK)
		rc = run_expired(s, SQL_SHRINK_ISSUERS, now, &changed);
	if (rc == SQLITE_OK && changed > 0)
		rc = run_expired(s, SQL_DELETE_ISSUERS, now, &changed);
	if (rc == SQLITE_OK)
		rc = run_expired(s, SQL_EXPIRE_JTI, now, &changed);
	if (rc == SQLITE_OK)
		s->n_jti -= changed;
	return rc;
}

enum place {
	PLACE_TAKEN, /* it was fresh and is used up now */
	PLACE_USED,  /* it was used up before */
	PLACE_SHARE, /* the client has its share of the places */
	PLACE_NONE,  /* no room to remember it */
};

/* One number that a statement says about a hash; 0: nothing. */
static int
number_of(struct store *s, enum sql sql, struct span hash, int64_t *out)
{
	struct query q;

	*out = 0;
	query_begin(&q, &s->writer, sql);
	query_blob(&q, hash);
	if (query_row(&q))
		*out = query_get_int(&q, 0);
	return query_end(&q);
}

/*
 * A client may hold as many places as are free.  So one that takes all that
 * it gets ends at half of them, two end at a third each, and there is always
 * room for one that has few.
 */
static int
find_place(struct store *s, struct span hash, struct span issuer,
    enum place *out)
{
	const int64_t left = (int64_t)s->limits.max_jti - s->n_jti;
	int64_t used, by_issuer;
	int rc;

	rc = number_of(s, SQL_USED_JTI, hash, &used);
	if (rc == SQLITE_OK)
		rc = number_of(s, SQL_USED_BY, issuer, &by_issuer);
	if (rc != SQLITE_OK)
		return rc;
	if (used != 0)
		*out = PLACE_USED;
	else if (left <= 0)
		*out = PLACE_NONE;
	else
		*out = by_issuer < left ? PLACE_TAKEN : PLACE_SHARE;
	return SQLITE_OK;
}

static int
use_jti(struct store *s, const struct jti *j, enum place *out)
{
	const struct span hash = { (const char *)j->hash, sizeof(j->hash) };
	const struct span issuer = { (const char *)j->issuer, ISSUER_BYTES };
	struct query q;
	int rc;

	rc = find_place(s, hash, issuer, out);
	if (rc != SQLITE_OK || *out != PLACE_TAKEN)
		return rc;
	query_begin(&q, &s->writer, SQL_USE_JTI);
	query_blob(&q, hash);
	query_int(&q, j->keep_until);
	query_blob(&q, issuer);
	if ((rc = query_run(&q)) != SQLITE_OK)
		return rc;
	s->n_jti++;
	query_begin(&q, &s->writer, SQL_COUNT_ISSUER);
	query_blob(&q, issuer);
	return query_run(&q);
}

/* What became of it, as an error. */
static enum cimd_err
tell_place(enum place place, uint32_t max, struct cimd_error *err)
{
	switch (place) {
	case PLACE_TAKEN:
		return CIMD_OK;
	case PLACE_USED:
		return err_set(err, CIMD_E_REPLAY, "RFC 7523",
		    "jti was used before");
	case PLACE_SHARE:
		return err_set(err, CIMD_E_TOO_MANY, "policy",
		    "the client has its share of the %u places for used jti",
		    max);
	case PLACE_NONE:
		break;
	}
	return err_set(err, CIMD_E_STORE, "policy",
	    "all %u places for used jti are taken", max);
}

enum cimd_err
store_use_jti(struct store *s, struct span iss, const char *jti,
    int64_t keep_until, int64_t now, struct cimd_error *err)
{
	const struct span none = { NULL, 0 };
	enum place place = PLACE_NONE;
	struct jti j = { .keep_until = keep_until };
	enum cimd_err e;
	int rc;

	if ((e = hash_jti(iss, jti, &j, err)) != CIMD_OK)
		return e;
	if ((e = store_begin(s, true, none, err)) != CIMD_OK)
		return e;
	rc = store_expire_jti(s, now);
	if (rc == SQLITE_OK)
		rc = use_jti(s, &j, &place);
	if ((e = store_end(s, rc, err)) != CIMD_OK)
		return e;
	return tell_place(place, s->limits.max_jti, err);
}
