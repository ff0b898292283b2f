/*
 * settings_int.h - what the files of the settings share
 * SPDX-License-Identifier: Apache-2.0
 *
 * Each function judges the text of one kind of setting.  NULL: it is good;
 * else what is wrong with it, to be read after the name of the setting.
 */

#ifndef SETTINGS_INT_H
#define SETTINGS_INT_H

typedef const char *setting_check(const char *text);

setting_check setting_path;      /* an absolute path */
setting_check setting_state_dir; /* the same, or "" */
setting_check setting_socket;    /* a path that a socket can have */
setting_check setting_account;   /* a user or group */
setting_check setting_contact;   /* fit for User-Agent */
setting_check setting_proxy;     /* an http or https URL without path */
setting_check setting_servers;   /* addresses of DNS servers */

#endif /* SETTINGS_INT_H */
