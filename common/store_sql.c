/*
 * store_sql.c - the statements of the store
 * SPDX-License-Identifier: Apache-2.0
 */

#include "store_int.h"

/* Bytes of a client's records but the live one. */
#define HELD                                                                   \
	"coalesce(length(approved), 0)"                                        \
	" + (SELECT coalesce(sum(length(record)), 0)"                          \
	" FROM baseline WHERE client = client.id)"

/* Large columns come last, so that scans do not read them. */
const char *const store_sql[SQL_COUNT] = {
	[SQL_BEGIN] = "BEGIN IMMEDIATE",
	[SQL_COMMIT] = "COMMIT",
	[SQL_ROLLBACK] = "ROLLBACK",

	/* client */
	[SQL_READ] = "SELECT c.kept, c.governance, c.first_seen, c.sum,"
		     " d.fetched_at, d.refresh_at, d.expires_at, d.floor_only,"
		     " d.etag, d.last_modified, d.sum, d.live, c.approved,"
		     " c.client_id, c.id, c.baselines"
		     " FROM client c LEFT JOIN document d ON d.client = c.id"
		     " WHERE c.client_id = ?1",
	[SQL_FIND] = "SELECT id, kept, governance, approved IS NOT NULL,"
		     " baselines FROM client WHERE client_id = ?1",
	[SQL_FIND_SHORT] = "SELECT client_id FROM client WHERE short_id = ?1",
	[SQL_INSERT_CLIENT] =
	    "INSERT INTO client (client_id, short_id, kept, governance,"
	    " first_seen, last_seen, active, size, sum)"
	    " VALUES (?1, ?2, ?3, 0, ?4, ?4, 0, 0, ?5)",
	[SQL_KEEP_CLIENT] = "UPDATE client SET kept = max(kept, ?2),"
			    " size = ?3 + " HELD " WHERE id = ?1",
	[SQL_GOVERN_CLIENT] =
	    "UPDATE client SET governance = ?2, approved = ?3,"
	    " governed_at = ?4, sum = ?5, baselines = ?6 WHERE id = ?1",
	[SQL_STRIP_CLIENT] =
	    "UPDATE client SET approved = NULL, active = 0, size = 0,"
	    " baselines = 0, sum = ?2 WHERE id = ?1",
	[SQL_DELETE_CLIENT] = "DELETE FROM client WHERE id = ?1",

	/* document */
	[SQL_PUT_DOCUMENT] =
	    "INSERT OR REPLACE INTO document (client, fetched_at, refresh_at,"
	    " expires_at, floor_only, etag, last_modified, sum, live)"
	    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
	[SQL_HAS_DOCUMENT] = "SELECT 1 FROM document WHERE client ="
			     " (SELECT id FROM client WHERE client_id = ?1)",
	[SQL_DELETE_DOCUMENT] = "DELETE FROM document WHERE client = ?1",
	[SQL_SHRINK_CLIENT] = "UPDATE client SET size = " HELD " WHERE id = ?1",
	[SQL_MEASURE_CLIENT] =
	    "UPDATE client SET size = " HELD " + coalesce("
	    "(SELECT length(live) FROM document WHERE client = ?1), 0)"
	    " WHERE id = ?1",

	/* baseline */
	[SQL_BASELINES] = "SELECT tenant, sum, record FROM baseline"
			  " WHERE client = ?1 ORDER BY tenant",
	[SQL_FIND_BASELINE] = "SELECT 1 FROM baseline"
			      " WHERE client = ?1 AND tenant = ?2",
	[SQL_OF_CONSUMER] = "SELECT count(*) FROM baseline WHERE client = ?1"
			    " AND substr(tenant, 1, length(?2)) = ?2",
	[SQL_ADD_BASELINE] =
	    "INSERT INTO baseline (client, tenant, sum, record)"
	    " VALUES (?1, ?2, ?3, ?4)",
	[SQL_COUNT_BASELINE] =
	    "UPDATE client SET baselines = baselines + 1, sum = ?2"
	    " WHERE id = ?1",
	[SQL_DELETE_BASELINES] = "DELETE FROM baseline WHERE client = ?1",

	/* segments */
	[SQL_SEGMENT] = "SELECT count(*), coalesce(sum(size), 0) FROM client"
			" WHERE governance = 0 AND kept = ?1",
	[SQL_OLDEST] = "SELECT id, size FROM client"
		       " WHERE governance = 0 AND kept = ?1 AND id <> ?2"
		       " ORDER BY active, last_seen LIMIT 1",

	/* activity */
	[SQL_ADD_ACTIVITY] =
	    "INSERT INTO activity (client, consumer, lookups, refused,"
	    " first_seen, last_seen) VALUES (?1, ?2, ?3, ?4, ?5, ?5)"
	    " ON CONFLICT (client, consumer) DO UPDATE SET"
	    " lookups = lookups + excluded.lookups,"
	    " refused = refused + excluded.refused,"
	    " last_seen = max(last_seen, excluded.last_seen)",
	[SQL_OTHER_CONSUMERS] = "SELECT count(*) FROM activity"
				" WHERE client = ?1 AND consumer <> ?2",
	[SQL_DELETE_OLDEST_ACTIVITY] =
	    "DELETE FROM activity WHERE client = ?1 AND consumer ="
	    " (SELECT consumer FROM activity WHERE client = ?1"
	    " AND consumer <> ?2 ORDER BY last_seen LIMIT 1)",
	[SQL_DELETE_ACTIVITY] = "DELETE FROM activity WHERE client = ?1",
	[SQL_SEE_CLIENT] = "UPDATE client SET active = max(active, ?2),"
			   " last_seen = max(last_seen, ?3) WHERE id = ?1",
	[SQL_LIST] =
	    "SELECT c.client_id, a.consumer, a.lookups, a.refused,"
	    " coalesce(a.first_seen, c.first_seen), coalesce(a.last_seen, 0)"
	    " FROM client c LEFT JOIN activity a ON a.client = c.id"
	    " WHERE (?1 IS NULL OR instr(c.client_id, ?1) > 0)"
	    " AND (?4 IS NULL OR a.consumer = ?4)"
	    " ORDER BY 6 DESC, c.id DESC, 2 LIMIT ?2 OFFSET ?3",

	/* jti */
	[SQL_USED_JTI] = "SELECT 1 FROM jti WHERE hash = ?1",
	[SQL_USE_JTI] = "INSERT INTO jti (hash, keep_until, issuer)"
			" VALUES (?1, ?2, ?3)",
	[SQL_USED_BY] = "SELECT used FROM issuer WHERE hash = ?1",
	[SQL_COUNT_ISSUER] =
	    "INSERT INTO issuer (hash, used) VALUES (?1, 1)"
	    " ON CONFLICT (hash) DO UPDATE SET used = used + 1",
	[SQL_SHRINK_ISSUERS] = "UPDATE issuer SET used = used - old.n FROM"
			       " (SELECT issuer AS hash, count(*) AS n FROM jti"
			       " WHERE keep_until < ?1 GROUP BY issuer) AS old"
			       " WHERE issuer.hash = old.hash",
	[SQL_DELETE_ISSUERS] =
	    "DELETE FROM issuer WHERE used <= 0 AND hash IN"
	    " (SELECT issuer FROM jti WHERE keep_until < ?1)",
	[SQL_EXPIRE_JTI] = "DELETE FROM jti WHERE keep_until < ?1",
	[SQL_COUNT_JTI] = "SELECT count(*) FROM jti",

	/* audit */
	[SQL_LAST_LINE] = "SELECT seq, total FROM audit"
			  " ORDER BY seq DESC LIMIT 1",
	[SQL_FIRST_LINE] = "SELECT seq, total FROM audit"
			   " ORDER BY seq LIMIT 1",
	[SQL_ADD_LINE] = "INSERT INTO audit (seq, at, total, line)"
			 " VALUES (?1, ?2, ?3, ?4)",
	[SQL_DELETE_LINE] = "DELETE FROM audit WHERE seq = ?1",
	[SQL_TAIL] = "SELECT line FROM audit ORDER BY seq DESC LIMIT ?1",

	/* housekeeping */
	[SQL_SHRINK_EXPIRED] =
	    "UPDATE client SET size = " HELD " WHERE id IN"
	    " (SELECT client FROM document WHERE expires_at < ?1)",
	[SQL_EXPIRE_DOCUMENTS] = "DELETE FROM document WHERE expires_at < ?1",
	[SQL_EXPIRE_CLIENTS] =
	    "DELETE FROM client WHERE governance = 0 AND active = 0"
	    " AND approved IS NULL AND baselines = 0 AND NOT EXISTS"
	    " (SELECT 1 FROM document WHERE client = client.id)",
	[SQL_SHRINK_ALL] = "UPDATE client SET size = " HELD,
	[SQL_DELETE_ALL_DOCUMENTS] = "DELETE FROM document",
	[SQL_COUNT_CLIENTS] =
	    "SELECT count(*) FILTER (WHERE governance = 0 AND kept = 1),"
	    " count(*) FILTER (WHERE governance = 0 AND kept = 0),"
	    " count(*) FILTER (WHERE governance <> 0) FROM client",
};
