/*
 * options.c - what stands behind pam_cimd.so in a line of /etc/pam.d
 * SPDX-License-Identifier: Apache-2.0
 */

#include <string.h>

#include "options.h"

/* What follows "name=", unless it is nothing; else NULL. */
static const char *
value_of(const char *word, const char *name)
{
	size_t n = strlen(name);

	if (strncmp(word, name, n) != 0 || word[n] != '=' ||
	    word[n + 1] == '\0')
		return NULL;
	return word + n + 1;
}

static bool
set_flag(bool *flag)
{
	bool first = !*flag;

	*flag = true;
	return first;
}

static bool
set_timeout(struct options *o, const char *text)
{
	int n = 0;

	if (o->timeout_ms != 0 || *text == '0')
		return false;
	for (; *text >= '0' && *text <= '9'; text++) {
		n = n * 10 + (*text - '0');
		if (n > OPTIONS_MAX_TIMEOUT_MS)
			return false;
	}
	o->timeout_ms = n;
	return n > 0 && *text == '\0';
}

static bool
set_socket(struct options *o, const char *path)
{
	if (o->socket != NULL || *path != '/')
		return false;
	o->socket = path;
	return true;
}

static bool
add_audience(struct options *o, const char *audience)
{
	if (o->n_audiences == OPTIONS_MAX_AUDIENCES)
		return false;
	o->audiences[o->n_audiences++] = audience;
	return true;
}

/* Words without a value. */
static bool
read_flag(struct options *o, const char *word)
{
	if (strcmp(word, "decode_user") == 0)
		return set_flag(&o->decode_user);
	if (strcmp(word, "use_first_pass") == 0)
		return set_flag(&o->use_first_pass);
	if (strcmp(word, "env") == 0)
		return set_flag(&o->env);
	if (strcmp(word, "debug") == 0)
		return set_flag(&o->debug);
	return strcmp(word, "try_first_pass") == 0; /* happens anyway */
}

static bool
read_word(struct options *o, const char *word)
{
	const char *value;

	if ((value = value_of(word, "socket")) != NULL)
		return set_socket(o, value);
	if ((value = value_of(word, "timeout")) != NULL)
		return set_timeout(o, value);
	if ((value = value_of(word, "audience")) != NULL)
		return add_audience(o, value);
	if (strcmp(word, "unknown=ignore") == 0)
		return set_flag(&o->ignore_unknown) && !o->deny_unknown;
	if (strcmp(word, "unknown=deny") == 0)
		return set_flag(&o->deny_unknown) && !o->ignore_unknown;
	return read_flag(o, word);
}

bool
options_read(int argc, const char **argv, struct options *out, const char **bad)
{
	int i;

	*out = (struct options){ 0 };
	for (i = 0; i < argc; i++) {
		*bad = argv[i];
		if (!read_word(out, argv[i]))
			return false;
	}
	return true;
}
