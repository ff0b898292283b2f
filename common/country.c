/*
 * country.c - in which country is an address? (deny_country)
 * SPDX-License-Identifier: Apache-2.0
 */

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "country.h"
#include "error.h"

#ifdef HAVE_MAXMINDDB
#include <maxminddb.h>

struct country {
	MMDB_s db;
};

enum cimd_err
country_open(const char *path, struct country **out, struct cimd_error *err)
{
	struct country *c;
	int status;

	*out = NULL;
	if ((c = calloc(1, sizeof(*c))) == NULL)
		return err_no_memory(err);
	status = MMDB_open(path, MMDB_MODE_MMAP, &c->db);
	if (status != MMDB_SUCCESS) {
		free(c);
		return err_set(err, CIMD_E_CONFIG, "policy",
		    "country_database: %s: %s", path, MMDB_strerror(status));
	}
	*out = c;
	return CIMD_OK;
}

void
country_close(struct country **c)
{
	if (*c != NULL)
		MMDB_close(&(*c)->db);
	free(*c);
	*c = NULL;
}

/* The ISO code of an address; false when the database has none. */
static bool
find(struct country *c, const struct netaddr *a, char iso[3])
{
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
	struct sockaddr *sa = (void *)&v4;
	MMDB_lookup_result_s found;
	MMDB_entry_data_s data;
	int status;

	if (a->len == sizeof(v4.sin_addr))
		(void)memcpy(&v4.sin_addr, a->bytes, sizeof(v4.sin_addr));
	else {
		(void)memcpy(&v6.sin6_addr, a->bytes, sizeof(v6.sin6_addr));
		sa = (void *)&v6;
	}
	found = MMDB_lookup_sockaddr(&c->db, sa, &status);
	if (status != MMDB_SUCCESS || !found.found_entry)
		return false;
	status = MMDB_get_value(&found.entry, &data, "country", "iso_code",
	    (char *)NULL);
	if (status != MMDB_SUCCESS || !data.has_data ||
	    data.type != MMDB_DATA_TYPE_UTF8_STRING || data.data_size != 2)
		return false;
	(void)memcpy(iso, data.utf8_string, 2);
	iso[2] = '\0';
	return true;
}

enum cimd_err
country_judge(struct country *c, const struct policy *p,
    const struct netaddr *a, struct cimd_error *err)
{
	char iso[3], text[NETADDR_TEXT];

	if (c == NULL || a->len == 0 || !find(c, a, iso) ||
	    !policy_denies_country(p, iso))
		return CIMD_OK;
	return err_set(err, CIMD_E_ADDRESS, "policy",
	    "%s is in %s, which deny_country names", netaddr_text(a, text),
	    iso);
}

#else /* !HAVE_MAXMINDDB */

enum cimd_err
country_open(const char *path, struct country **out, struct cimd_error *err)
{
	*out = NULL;
	return err_set(err, CIMD_E_CONFIG, "policy",
	    "country_database: %s: this build has no libmaxminddb", path);
}

void
country_close(struct country **c)
{
	*c = NULL;
}

enum cimd_err
country_judge(struct country *c, const struct policy *p,
    const struct netaddr *a, struct cimd_error *err)
{
	(void)c;
	(void)p;
	(void)a;
	(void)err;
	return CIMD_OK;
}

#endif /* HAVE_MAXMINDDB */
