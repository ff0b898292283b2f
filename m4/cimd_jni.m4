# SPDX-License-Identifier: Apache-2.0
# CIMD_JNI
# Where jni.h of a JDK is: below JAVA_HOME, or below the javac of the PATH.
# Sets enable_jni, JNI_CPPFLAGS and the conditional JNI.
AC_DEFUN([CIMD_JNI], [
AC_ARG_ENABLE([jni],
    [AS_HELP_STRING([--disable-jni],
	[do not build libcimd_jni (default: if a JDK is there)])],
    [], [enable_jni=check])
AC_ARG_VAR([JAVA_HOME], [folder of the JDK whose jni.h is used])
JNI_CPPFLAGS=
AS_IF([test "x$enable_jni" != xno], [
	cimd_jdk=$JAVA_HOME
	AS_IF([test "x$cimd_jdk" = x], [
		cimd_jdk=`readlink -f "\`command -v javac\`" 2>/dev/null`
		cimd_jdk=${cimd_jdk%/bin/javac}
	])
	cimd_save_CPPFLAGS=$CPPFLAGS
	JNI_CPPFLAGS="-I$cimd_jdk/include -I$cimd_jdk/include/linux"
	CPPFLAGS="$CPPFLAGS $JNI_CPPFLAGS"
	AC_CHECK_HEADER([jni.h], [enable_jni=yes], [
		AS_IF([test "x$enable_jni" = xyes],
		    [AC_MSG_ERROR([--enable-jni, but missing: jni.h of a JDK])])
		enable_jni="no (missing: jni.h of a JDK)"
	])
	CPPFLAGS=$cimd_save_CPPFLAGS
])
AC_SUBST([JNI_CPPFLAGS])
AM_CONDITIONAL([JNI], [test "x$enable_jni" = xyes])
])
