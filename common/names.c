/*
 * names.c - grant types and authentication methods by name
 * SPDX-License-Identifier: Apache-2.0
 */

#include "names.h"

struct named_bit {
	uint32_t bit;
	const char *name;
};

static const struct named_bit grants[] = {
	{ GRANT_AUTHORIZATION_CODE, "authorization_code" },
	{ GRANT_REFRESH_TOKEN, "refresh_token" },
	{ GRANT_CLIENT_CREDENTIALS, "client_credentials" },
	{ GRANT_JWT_BEARER, "urn:ietf:params:oauth:grant-type:jwt-bearer" },
	{ GRANT_DEVICE_CODE, "urn:ietf:params:oauth:grant-type:device_code" },
	{ GRANT_TOKEN_EXCHANGE,
	    "urn:ietf:params:oauth:grant-type:token-exchange" },
	{ GRANT_CIBA, "urn:openid:params:grant-type:ciba" },
	{ GRANT_IMPLICIT, "implicit" },
	{ 0, NULL },
};

/* In order of preference. */
static const struct named_bit methods[] = {
	{ METHOD_PRIVATE_KEY_JWT, "private_key_jwt" },
	{ METHOD_NONE, "none" },
	{ 0, NULL },
};

static uint32_t
bit_of(const struct named_bit *table, struct span name)
{
	for (; table->name != NULL; table++)
		if (span_is(name, table->name))
			return table->bit;
	return 0;
}

static const char *
name_of(const struct named_bit *table, uint32_t bit)
{
	while (table->name != NULL && table->bit != bit)
		table++;
	return table->name;
}

uint32_t
names_grant_bit(struct span name)
{
	return bit_of(grants, name);
}

const char *
names_grant(uint32_t bit)
{
	return name_of(grants, bit);
}

uint32_t
names_method_bit(struct span name)
{
	return bit_of(methods, name);
}

const char *
names_method(uint32_t bit)
{
	return name_of(methods, bit);
}

uint32_t
names_preferred_method(uint32_t set)
{
	const struct named_bit *row;

	for (row = methods; row->name != NULL; row++)
		if ((set & row->bit) != 0)
			break;
	return row->bit;
}
