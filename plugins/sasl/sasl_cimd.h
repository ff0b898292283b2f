/*
 * sasl_cimd.h - what the parts of the Cyrus SASL plugin share
 * SPDX-License-Identifier: Apache-2.0
 *
 * One shared object with two entry points of libsasl2: sasl_auxprop_plug_init
 * (properties of URL clients, asked of cimdd) and sasl_canonuser_init (URLs
 * that stay what they are).  Every SASL program on the machine loads it, the
 * clients too, so that it does nothing on its own: no thread, no signal, no
 * global state, and no socket unless cimd_socket is set for the application.
 */

#ifndef SASL_CIMD_H
#define SASL_CIMD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sasl/sasl.h>
#include <sasl/saslplug.h>

#include "cimdclient.h"

enum {
	SASL_CIMD_MAX_ID = 1024, /* bytes; libsasl2's buffer for a name */
};

/* What the application's configuration says. */
struct option_values {
	char *socket; /* NULL: the plugin does nothing; owned */
	int timeout_ms;
	size_t max_length; /* of a client_id */
	char fault[96];    /* what is wrong with them; "": nothing */
};

/*
 * Read the options.  Release out with option_clear().  A fault in them is for
 * each lookup to tell: at this point libsasl2 does not know the application's
 * log yet.  False: no memory.
 */
bool option_read(const sasl_utils_t *utils, struct option_values *out);

void option_clear(struct option_values *v);

/*
 * Is auto_transition on?  libsasl2 would write an assertion that was accepted
 * into a database of passwords, where it would count for ever.
 */
bool option_transitions(const sasl_utils_t *utils);

/* Does the name start with "https://", in any case? */
bool is_url(const char *name, size_t len);

/* Does the name end in "@" and the realm that libsasl2 adds to names? */
bool has_realm(const char *name, size_t len, const char *realm);

/*
 * Give the properties of an accepted client to who has requested them, those
 * of the authentication or of the authorization name, as flags say.
 */
int property_fill(const struct cimdclient_answer *a,
    const sasl_server_params_t *sparams, unsigned flags);

#endif /* SASL_CIMD_H */
