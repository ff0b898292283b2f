/*
 * cimd.h - OAuth Client ID Metadata Documents
 * SPDX-License-Identifier: Apache-2.0
 */

#ifndef CIMD_H
#define CIMD_H

#if defined(__GNUC__)
#define CIMD_API __attribute__((visibility("default")))
#else
#define CIMD_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define CIMD_VERSION_HEX 0x000100 /* 0.1.0, for #if */

/*
 * The version of the library that is running, "0.1.0"; it may be newer than
 * CIMD_VERSION_HEX.  Any thread, any time; never freed.
 */
CIMD_API const char *cimd_version(void);

#ifdef __cplusplus
}
#endif

#endif /* CIMD_H */
