/*
 * disk.c - a store on a disk that is full or read-only
 * SPDX-License-Identifier: Apache-2.0
 *
 * The disk is a tmpfs of 8 MB in a mount namespace of this process.
 */

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "box.h"
#include "store_int.h"

static char mount_point[] = "disk-XXXXXX";
static bool have_disk;

static bool
write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool good;

	if (fd == -1)
		return false;
	good = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	(void)close(fd);
	return good;
}

/* A mount namespace: as root, or in a user namespace where that is allowed. */
static bool
enter_namespace(void)
{
	const uid_t uid = geteuid();
	const gid_t gid = getegid();
	char map[64];

	if (unshare(CLONE_NEWNS) == 0)
		return true;
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0)
		return false;
	(void)snprintf(map, sizeof(map), "0 %u 1\n", (unsigned int)uid);
	if (!write_text("/proc/self/uid_map", map) ||
	    !write_text("/proc/self/setgroups", "deny"))
		return false;
	(void)snprintf(map, sizeof(map), "0 %u 1\n", (unsigned int)gid);
	return write_text("/proc/self/gid_map", map);
}

static int
set_up(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(mount_point));
	have_disk = enter_namespace() &&
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	    mount("cimd", mount_point, "tmpfs", MS_NOSUID | MS_NODEV,
		"size=8m,mode=0700") == 0;
	if (!have_disk)
		print_message("skipped: no mount namespace here; files are "
			      "limited instead, nothing is read-only\n");
	return chdir(mount_point);
}

static int
tear_down(void **state)
{
	(void)state;
	if (chdir("..") == -1)
		return -1;
	if (have_disk && umount(mount_point) == -1)
		return -1;
	return rmdir(mount_point);
}

/* Take all space that is left, to the last page. */
static void
fill_disk(void)
{
	static const char zeros[4096];
	const struct rlimit none = { 65536, RLIM_INFINITY };
	int fd;

	if (!have_disk) {
		assert_true(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
		return;
	}
	fd = open("filler", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd != -1);
	while (write(fd, zeros, sizeof(zeros)) > 0)
		continue;
	assert_int_equal(errno, ENOSPC);
	assert_int_equal(close(fd), 0);
}

static void
free_disk(void)
{
	const struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY };

	if (have_disk)
		assert_int_equal(unlink("filler"), 0);
	else
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &all), 0);
}

/* Put large records until the disk is full; how many went in? */
static uint32_t
put_until_full(struct box *b)
{
	struct cimd_error err = { 0 };
	struct entry *e;
	enum cimd_err code = CIMD_OK;
	uint32_t i;

	for (i = 0; code == CIMD_OK; i++) {
		assert_true(i < 1000);
		e = box_entry(box_url(i), true, 30000);
		code = store_put(b->s, e, BOX_NOW, &err);
		entry_free(&e);
	}
	assert_int_equal(code, CIMD_E_STORE);
	return i - 1;
}

static enum cimd_err
govern(struct box *b, const char *url, enum governance governance)
{
	struct cimd_client *large = box_record(url, 60000);
	enum cimd_err code;

	code =
	    store_govern(b->s, span_of(url), governance, large, BOX_NOW, NULL);
	cimd_client_free(&large);
	return code;
}

/* What a full disk may not do: say that something is kept that is not. */
static void
check_full(struct box *b)
{
	const char old[] = "https://old.example/c";
	char buf[200];
	struct entry *e;

	assert_non_null(store_problem(b->s, buf, sizeof(buf)));
	assert_int_equal(govern(b, "https://new.example/c", GOVERN_BLOCKED),
	    CIMD_E_STORE);
	assert_int_equal(store_use_jti(b->s, span_of("i"), "late", BOX_NOW,
			     BOX_NOW, NULL),
	    CIMD_E_STORE);
	assert_true(box_has(b, old, 10));
	assert_null(box_read(b, "https://new.example/c"));
	e = box_read(b, "https://blocked.example/c");
	assert_int_equal(e->governance, GOVERN_BLOCKED);
	entry_free(&e);
	assert_int_equal(store_withdraw(b->s, span_of(old), NULL),
	    CIMD_E_STORE);
	assert_false(box_has(b, old, 10));
}

/* Space again: everything works by itself. */
static void
check_recovered(struct box *b)
{
	char buf[200];

	b->s->retry_at_ms = 0;
	assert_int_equal(govern(b, "https://new.example/c", GOVERN_BLOCKED),
	    CIMD_OK);
	assert_null(store_problem(b->s, buf, sizeof(buf)));
	assert_int_equal(store_use_jti(b->s, span_of("i"), "late", BOX_NOW,
			     BOX_NOW, NULL),
	    CIMD_OK);
	assert_int_equal(store_use_jti(b->s, span_of("i"), "early", BOX_NOW,
			     BOX_NOW, NULL),
	    CIMD_E_REPLAY);
	assert_false(box_has(b, "https://old.example/c", 10));
	box_put(b, "https://old.example/c", true, 20, BOX_NOW);
	assert_true(box_has(b, "https://old.example/c", 20));
}

static void
disk_fills_up(void **state)
{
	const struct store_limits limits = { 10000, 100, 100, 100 };
	struct box b;
	uint32_t i, n;

	(void)state;
	box_open(&b, &limits);
	box_put(&b, "https://old.example/c", true, 10, BOX_NOW);
	assert_int_equal(govern(&b, "https://blocked.example/c",
			     GOVERN_BLOCKED),
	    CIMD_OK);
	assert_int_equal(store_use_jti(b.s, span_of("i"), "early", BOX_NOW,
			     BOX_NOW, NULL),
	    CIMD_OK);
	fill_disk();
	n = put_until_full(&b);
	check_full(&b);
	for (i = 0; i < n; i++)
		assert_true(box_has(&b, box_url(i), 30000));
	free_disk();
	check_recovered(&b);
	box_reopen(&b);
	assert_false(box_has(&b, box_url(n), 30000));
	assert_true(box_has(&b, "https://old.example/c", 20));
	box_close(&b);
}

/* A store that is opened on a full disk is read all the same. */
static void
full_disk_is_opened(void **state)
{
	struct cimd_error err = { 0 };
	struct box b, fresh = { .dir = "fresh-XXXXXX" };

	(void)state;
	box_open(&b, NULL);
	box_put(&b, "https://a.example/c", true, 10, BOX_NOW);
	fresh.limits = b.limits;
	assert_non_null(mkdtemp(fresh.dir));
	fill_disk();
	(void)put_until_full(&b);
	box_reopen(&b);
	assert_true(box_has(&b, "https://a.example/c", 10));
	(void)put_until_full(&b);
	assert_true(box_has(&b, "https://a.example/c", 10));
	if (have_disk)
		assert_int_equal(store_open(fresh.dir, &fresh.limits, &fresh.s,
				     &err),
		    CIMD_E_STORE);
	assert_null(fresh.s);
	free_disk();
	box_close(&b);
	box_close(&fresh);
}

static void
set_read_only(bool on)
{
	assert_int_equal(mount(NULL, ".", NULL,
			     MS_REMOUNT | MS_NOSUID | MS_NODEV |
				 (on ? MS_RDONLY : 0),
			     "size=8m"),
	    0);
}

static void
read_only_disk_is_read(void **state)
{
	struct cimd_error err = { 0 };
	struct entry *e;
	char buf[200];
	struct box b;

	(void)state;
	if (!have_disk)
		skip();
	box_open(&b, NULL);
	box_put(&b, "https://a.example/c", true, 10, BOX_NOW);
	assert_int_equal(govern(&b, "https://b.example/c", GOVERN_BLOCKED),
	    CIMD_OK);
	store_close(&b.s);
	set_read_only(true);
	box_reopen(&b);
	assert_string_equal(store_problem(b.s, buf, sizeof(buf)),
	    "the disk or the file is read-only");
	assert_true(box_has(&b, "https://a.example/c", 10));
	assert_null(box_read(&b, "https://c.example/c"));
	e = box_read(&b, "https://b.example/c");
	assert_int_equal(e->governance, GOVERN_BLOCKED);
	entry_free(&e);
	assert_int_equal(store_withdraw(b.s, span_of("https://a.example/c"),
			     &err),
	    CIMD_E_STORE);
	assert_false(box_has(&b, "https://a.example/c", 10));
	assert_int_equal(store_use_jti(b.s, span_of("i"), "1", 9, 1, &err),
	    CIMD_E_STORE);
	set_read_only(false);
	b.s->retry_at_ms = 0;
	assert_int_equal(store_use_jti(b.s, span_of("i"), "1", 9, 1, &err),
	    CIMD_OK);
	assert_null(store_problem(b.s, buf, sizeof(buf)));
	assert_false(box_has(&b, "https://a.example/c", 10));
	box_put(&b, "https://a.example/c", true, 20, BOX_NOW);
	assert_true(box_has(&b, "https://a.example/c", 20));
	box_close(&b);
}

static void
copy_file(const struct box *from, const struct box *to, const char *name)
{
	static char bytes[1 << 20];
	FILE *f = fopen(box_file(from, name), "r");
	size_t n;

	assert_non_null(f);
	n = fread(bytes, 1, sizeof(bytes), f);
	assert_int_equal(fclose(f), 0);
	f = fopen(box_file(to, name), "w");
	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

/* After a crash, on a disk that came up read-only: nothing is lost, or the
 * store is not opened at all. */
static void
log_is_not_left_out(void **state)
{
	struct box b, crashed = { .dir = "crash-XXXXXX" };
	struct cimd_error err = { 0 };
	struct entry *e;

	(void)state;
	if (!have_disk)
		skip();
	box_open(&b, NULL);
	assert_int_equal(govern(&b, "https://b.example/c", GOVERN_BLOCKED),
	    CIMD_OK);
	crashed.limits = b.limits;
	assert_non_null(mkdtemp(crashed.dir));
	copy_file(&b, &crashed, "cimd.db");
	copy_file(&b, &crashed, "cimd.db-wal");
	copy_file(&b, &crashed, "cimd.db-shm");
	box_close(&b);
	set_read_only(true);
	box_reopen(&crashed);
	e = box_read(&crashed, "https://b.example/c");
	assert_int_equal(e->governance, GOVERN_BLOCKED);
	entry_free(&e);
	store_close(&crashed.s);
	set_read_only(false);
	assert_int_equal(unlink(box_file(&crashed, "cimd.db-shm")), 0);
	set_read_only(true);
	assert_int_equal(store_open(crashed.dir, &crashed.limits, &crashed.s,
			     &err),
	    CIMD_E_STORE);
	set_read_only(false);
	box_reopen(&crashed);
	e = box_read(&crashed, "https://b.example/c");
	assert_int_equal(e->governance, GOVERN_BLOCKED);
	entry_free(&e);
	box_close(&crashed);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(disk_fills_up),
		cmocka_unit_test(full_disk_is_opened),
		cmocka_unit_test(read_only_disk_is_read),
		cmocka_unit_test(log_is_not_left_out),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
