# SPDX-License-Identifier: Apache-2.0
# Compiler and linker flags.  Each one is tried before it is used, so that
# another compiler loses a flag and not the build.

# CIMD_TRY_FLAG(VARIABLE, FLAG) - append FLAG to VARIABLE if a program builds
# with it and with warnings as errors.  stdio.h is there because fortified
# headers speak up only when they are read.
AC_DEFUN([CIMD_TRY_FLAG], [
	AS_VAR_PUSHDEF([cimd_works], [cimd_cv_flag_$2])
	AC_CACHE_CHECK([whether $2 works], [cimd_works], [
		cimd_saved_cflags=$CFLAGS
		CFLAGS="$CFLAGS -Werror $2"
		AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <stdio.h>]], [])],
		    [AS_VAR_SET([cimd_works], [yes])],
		    [AS_VAR_SET([cimd_works], [no])])
		CFLAGS=$cimd_saved_cflags
	])
	AS_VAR_IF([cimd_works], [yes], [$1="$$1 $2"])
	AS_VAR_POPDEF([cimd_works])
])

# CIMD_NEED_FLAG(VARIABLE, FLAG) - the same for a flag that somebody asked
# for by name: configure fails if it does not work.
AC_DEFUN([CIMD_NEED_FLAG], [
	CIMD_TRY_FLAG([$1], [$2])
	AS_VAR_PUSHDEF([cimd_works], [cimd_cv_flag_$2])
	AS_VAR_IF([cimd_works], [yes], [],
	    [AC_MSG_ERROR([this compiler cannot do $2])])
	AS_VAR_POPDEF([cimd_works])
])

# CIMD_WARNINGS - --enable-werror, and the warnings.  Two of them are wrong
# about instrumented code and stay out of sanitizer builds.
AC_DEFUN([CIMD_WARNINGS], [
	AC_ARG_ENABLE([werror],
	    [AS_HELP_STRING([--enable-werror],
		[warnings are errors; for developers and CI])],
	    [], [enable_werror=no])
	m4_foreach_w([cimd_flag], [-Wall -Wextra -Wpedantic -Wshadow
	    -Wconversion -Wsign-conversion -Wcast-qual -Wcast-align
	    -Wwrite-strings -Wpointer-arith -Wstrict-prototypes
	    -Wmissing-prototypes -Wmissing-declarations -Wbad-function-cast
	    -Wformat=2 -Wimplicit-fallthrough -Wundef -Wvla -Wswitch-enum],
	    [CIMD_TRY_FLAG([CIMD_CFLAGS], m4_defn([cimd_flag]))])
	AS_IF([test "x$cimd_instrumented" != xyes], [
		m4_foreach_w([cimd_flag],
		    [-Wnull-dereference -Wframe-larger-than=4096],
		    [CIMD_TRY_FLAG([CIMD_CFLAGS], m4_defn([cimd_flag]))])
	])
	AS_IF([test "x$enable_werror" = xyes],
	    [CIMD_CFLAGS="$CIMD_CFLAGS -Werror"])
])

# CIMD_HARDENING - what the toolchain offers against memory errors.  A
# packager's own _FORTIFY_SOURCE wins, and sanitizers want none.
AC_DEFUN([CIMD_HARDENING], [
	m4_foreach_w([cimd_flag], [-fvisibility=hidden
	    -fstack-protector-strong -fstack-clash-protection
	    -fcf-protection -ftrivial-auto-var-init=zero],
	    [CIMD_TRY_FLAG([CIMD_CFLAGS], m4_defn([cimd_flag]))])
	AS_CASE(["$cimd_instrumented $CPPFLAGS $CFLAGS"],
	    [yes*|*_FORTIFY_SOURCE*], [],
	    [CIMD_TRY_FLAG([CIMD_CFLAGS], [-D_FORTIFY_SOURCE=2])])
	m4_foreach([cimd_flag], [[-Wl,-z,relro], [-Wl,-z,now],
	    [-Wl,-z,noexecstack], [-Wl,--no-undefined-version]],
	    [CIMD_TRY_FLAG([CIMD_LDFLAGS], m4_defn([cimd_flag]))])
	AS_IF([test "x$cimd_instrumented" != xyes],
	    [CIMD_TRY_FLAG([CIMD_LDFLAGS], [-Wl,-z,defs])])
])

# CIMD_INSTRUMENT - --enable-sanitize, --enable-fuzz and --enable-coverage.
# Sets cimd_instrumented.  The run-time of a sanitizer lives in the program,
# so that -z,defs, which CIMD_HARDENING adds, would fail on the library.
AC_DEFUN([CIMD_INSTRUMENT], [
	AC_ARG_ENABLE([sanitize],
	    [AS_HELP_STRING([--enable-sanitize=LIST],
		[build all with -fsanitize=LIST: "address,undefined" or
		"thread"])],
	    [], [enable_sanitize=no])
	AC_ARG_ENABLE([fuzz],
	    [AS_HELP_STRING([--enable-fuzz],
		[make libFuzzer programs of tests/fuzz; wants CC=clang, and
		turns on address,undefined unless --enable-sanitize says
		otherwise])],
	    [], [enable_fuzz=no])
	AC_ARG_ENABLE([coverage],
	    [AS_HELP_STRING([--enable-coverage],
		[count the lines that the tests reach (make coverage)])],
	    [], [enable_coverage=no])
	cimd_instrumented=no
	AS_CASE([$enable_sanitize/$enable_fuzz],
	    [yes/*|no/yes], [enable_sanitize=address,undefined])
	AS_IF([test "x$enable_sanitize" != xno], [
		cimd_instrumented=yes
		CIMD_NEED_SANITIZER
	])
	AS_IF([test "x$enable_fuzz" = xyes], [
		CIMD_NEED_FLAG([FUZZ_LDFLAGS], [-fsanitize=fuzzer-no-link])
		CIMD_CFLAGS="$CIMD_CFLAGS -fsanitize=fuzzer-no-link"
		FUZZ_LDFLAGS=-fsanitize=fuzzer
	])
	AS_IF([test "x$enable_coverage" = xyes], [
		cimd_instrumented=yes
		CIMD_NEED_FLAG([CIMD_CFLAGS], [--coverage])
		CIMD_TRY_FLAG([CIMD_CFLAGS], [-fprofile-update=atomic])
	])
	AM_CONDITIONAL([FUZZ], [test "x$enable_fuzz" = xyes])
	AM_CONDITIONAL([COVERAGE], [test "x$enable_coverage" = xyes])
	AC_SUBST([FUZZ_LDFLAGS])
])

# The flags of --enable-sanitize.  The list comes from the command line, so
# the answer is not cached under its name.
AC_DEFUN([CIMD_NEED_SANITIZER], [
	AC_MSG_CHECKING([whether -fsanitize=$enable_sanitize works])
	cimd_saved_cflags=$CFLAGS
	cimd_flags="-fsanitize=$enable_sanitize -fno-sanitize-recover=all"
	cimd_flags="$cimd_flags -fno-omit-frame-pointer"
	CFLAGS="$CFLAGS -Werror $cimd_flags"
	AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])],
	    [AC_MSG_RESULT([yes])],
	    [AC_MSG_RESULT([no])
	    AC_MSG_ERROR([this compiler cannot do $cimd_flags])])
	CFLAGS=$cimd_saved_cflags
	CIMD_CFLAGS="$CIMD_CFLAGS $cimd_flags"
])
