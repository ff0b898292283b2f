/*
 * auxprop.c - URL clients as users whose properties cimdd knows
 * SPDX-License-Identifier: Apache-2.0
 */

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "memo.h"

#define EXPORT __attribute__((visibility("default")))

/* By this name libsasl2 finds it. */
EXPORT sasl_auxprop_init_t sasl_auxprop_plug_init;

enum {
	MAX_ADDRESS = 64, /* bytes of an address of a peer, in digits */
};

/* The plugin as one sasl_server_init() sees it. */
struct auxprop {
	sasl_auxprop_plug_t plug;
	char name[5];
	struct option_values options;
	struct memo memo;
};

bool
is_url(const char *name, size_t len)
{
	return len >= 8 && strncasecmp(name, "https://", 8) == 0;
}

bool
has_realm(const char *name, size_t len, const char *realm)
{
	const size_t n = realm == NULL ? 0 : strlen(realm);

	return n > 0 && len > n && name[len - n - 1] == '@' &&
	    memcmp(name + len - n, realm, n) == 0;
}

static int64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* The address of "192.0.2.1;993"; "" where there is none. */
static void
copy_address(const char *from, char to[MAX_ADDRESS])
{
	const size_t n = from == NULL ? 0 : strcspn(from, ";");

	to[0] = '\0';
	if (n > 0 && n < MAX_ADDRESS) {
		memcpy(to, from, n);
		to[n] = '\0';
	}
}

/* The rest of why is in the log of cimdd. */
static void
log_answer(const sasl_server_params_t *sparams,
    const struct cimdclient_answer *a)
{
	const enum cimd_class found = cimdclient_class(a);
	int level = SASL_LOG_ERR;

	if (found == CIMD_REFUSED || found == CIMD_NOT_OURS)
		level = SASL_LOG_NOTE;
	sparams->utils->log(sparams->utils->conn, level, "cimd: %s: %s",
	    cimdclient_code(a), cimdclient_detail(a));
}

static struct cimdclient_answer *
ask(const struct auxprop *x, const sasl_server_params_t *sparams,
    const struct memo_key *key)
{
	struct cimdclient_answer *out = NULL;
	char address[MAX_ADDRESS];
	struct cimdclient_ask question = {
		.socket = x->options.socket,
		.timeout_ms = x->options.timeout_ms,
		.client_id = key->id,
		.client_id_len = key->id_len,
		/* Before any password was looked at, nothing is fetched that
		 * is known already. */
		.purpose = CIMD_TOKEN,
		.service = sparams->service,
	};

	copy_address(sparams->ipremoteport, address);
	if (address[0] != '\0')
		question.remote_addr = address;
	if (cimdclient_lookup(&question, &out) != CIMD_ACCEPTED)
		log_answer(sparams, out);
	return out;
}

/*
 * Who was refused is disabled, not unknown: libsasl2 lets an unknown user in
 * where a mechanism has verified the name by other means (EXTERNAL, GSSAPI).
 * That cimdd cannot say is never taken for either.
 */
static int
judge(const struct cimdclient_answer *a, const sasl_server_params_t *sparams,
    unsigned flags)
{
	switch (cimdclient_class(a)) {
	case CIMD_ACCEPTED:
		return property_fill(a, sparams, flags);
	case CIMD_REFUSED:
		return SASL_DISABLED;
	case CIMD_NOT_OURS:
		return SASL_NOUSER;
	case CIMD_UNAVAILABLE:
	case CIMD_BROKEN:
		break;
	}
	return SASL_UNAVAIL;
}

static int
lookup_url(struct auxprop *x, const sasl_server_params_t *sparams,
    unsigned flags, const struct memo_key *key)
{
	struct cimdclient_answer *a;
	int64_t born = 0;
	int status;

	a = memo_take(&x->memo, key, now_ms(), &born);
	if (a == NULL) {
		if ((a = ask(x, sparams, key)) == NULL)
			return SASL_NOMEM;
		born = now_ms();
	}
	status = judge(a, sparams, flags);
	memo_put(&x->memo, key, born, &a);
	return status;
}

static const char *
or_empty(const char *text)
{
	return text == NULL ? "" : text;
}

/* user does not end in NUL. */
static int
lookup(void *glob_context, sasl_server_params_t *sparams, unsigned flags,
    const char *user, unsigned ulen)
{
	struct auxprop *x = glob_context;
	const struct memo_key key = {
		.conn = sparams->utils->conn,
		.service = or_empty(sparams->service),
		.peer = or_empty(sparams->ipremoteport),
		.id = user,
		.id_len = ulen,
	};

	if (x->options.socket == NULL)
		return SASL_NOMECH; /* which libsasl2 passes over */
	if (!is_url(user, ulen))
		return SASL_NOUSER;
	if (x->options.fault[0] != '\0') {
		sparams->utils->log(sparams->utils->conn, SASL_LOG_ERR,
		    "cimd: %s", x->options.fault);
		return SASL_UNAVAIL;
	}
	if (ulen > x->options.max_length)
		return SASL_DISABLED;
	if (has_realm(user, ulen, sparams->user_realm)) {
		sparams->utils->log(sparams->utils->conn, SASL_LOG_NOTE,
		    "cimd: refused: the name ends in the realm of this "
		    "server, which may have been added to it; set "
		    "canon_user_plugin: cimd, or no realm");
		return SASL_DISABLED;
	}
	return lookup_url(x, sparams, flags, &key);
}

static void
auxprop_free(void *glob_context, const sasl_utils_t *utils)
{
	struct auxprop *x = glob_context;

	(void)utils;
	if (x == NULL)
		return;
	memo_clear(&x->memo);
	option_clear(&x->options);
	free(x);
}

int
sasl_auxprop_plug_init(const sasl_utils_t *utils, int max_version,
    int *out_version, sasl_auxprop_plug_t **plug, const char *plugname)
{
	struct auxprop *x;

	(void)plugname;
	if (utils == NULL || out_version == NULL || plug == NULL)
		return SASL_BADPARAM;
	if (max_version < SASL_AUXPROP_PLUG_VERSION)
		return SASL_BADVERS;
	if ((x = calloc(1, sizeof(*x))) == NULL)
		return SASL_NOMEM;
	if (!memo_init(&x->memo)) {
		free(x);
		return SASL_NOMEM;
	}
	if (!option_read(utils, &x->options)) {
		auxprop_free(x, utils);
		return SASL_NOMEM;
	}
	memcpy(x->name, "cimd", sizeof(x->name));
	x->plug.name = x->name;
	x->plug.glob_context = x;
	x->plug.auxprop_free = auxprop_free;
	x->plug.auxprop_lookup = lookup;
	*out_version = SASL_AUXPROP_PLUG_VERSION;
	*plug = &x->plug;
	return SASL_OK;
}
