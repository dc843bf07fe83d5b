// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The journal that undoes what a killed run changed, also where the disk is full. Wants no privilege. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "../../skel/error.h"
#include "../../userspace/control/control.h"
#include "../../userspace/nic/journal.h"

/* The journal, in a folder of its own; what is undone is written down. */
static char folder[64], undone[256];
static int refuse_with;

static int undo(const char *ifname, const char *text)
{
	size_t used = strlen(undone);

	if (refuse_with && !strncmp(text, "held", 4))
		return refuse_with;
	snprintf(undone + used, sizeof(undone) - used, "%s:%s;", ifname, text);
	return 0;
}

static const struct xfn_journal_kind kinds[] = { { "one", undo }, { "other", undo }, {} };

static int set_up(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/xfn-journal-XXXXXX");
	undone[0] = 0;
	refuse_with = 0;
	return !mkdtemp(folder) || setenv("XFN_RUNTIME_DIR", folder, 1);
}

static int tear_down(void **state)
{
	(void)state;
	return rmdir(folder); /* fails where a journal was left */
}

static struct xfn_journal *opened(void)
{
	struct xfn_error err = { 0 };
	struct xfn_journal *j;

	if (xfn_journal__open("eth9", kinds, &j, &err))
		fail_msg("%s", err.line);
	return j;
}

static void journal_path(char *path, size_t len)
{
	struct xfn_error err;

	/* beside the control socket */
	assert_int_equal(xfn_control__path("eth9", path, len, &err), 0);
	snprintf(strrchr(path, '.'), sizeof(".journal"), ".journal");
}

static void undoes(void **state)
{
	struct xfn_journal *j = opened();

	(void)state;
	assert_int_equal(xfn_journal__count("eth9"), 0);
	assert_int_equal(xfn_journal__note(j, "one", "a"), 0);
	assert_int_equal(xfn_journal__note(j, "other", "b c"), 0);
	assert_int_equal(xfn_journal__note(j, "one", "a"), 0);
	assert_int_equal(xfn_journal__note(j, "one", "d"), 0);
	assert_int_equal(xfn_journal__count("eth9"), 3);
	xfn_journal__forget(j, "other", "b c");
	xfn_journal__forget(j, "other", "never noted");
	assert_int_equal(xfn_journal__count("eth9"), 2);
	assert_int_equal(xfn_journal__count("eth8"), 0);
	xfn_journal__close(j);
	assert_string_equal(undone, "eth9:d;eth9:a;");
	assert_int_equal(xfn_journal__count("eth9"), 0);
}

/* What a run that was killed left behind. */
static void leave_journal(const char *text)
{
	char path[128];
	FILE *f;

	journal_path(path, sizeof(path));
	f = fopen(path, "we");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

/* A run is killed in the middle of a line: that change was not made yet. */
static void of_a_killed_run(void **state)
{
	struct xfn_journal *j;

	(void)state;
	leave_journal("one first\nother second\none thi");
	assert_int_equal(xfn_journal__count("eth9"), 2);
	j = opened();
	assert_string_equal(undone, "eth9:second;eth9:first;");
	assert_int_equal(xfn_journal__note(j, "one", "new"), 0);
	assert_int_equal(xfn_journal__count("eth9"), 1);
	xfn_journal__close(j);
	assert_string_equal(undone, "eth9:second;eth9:first;eth9:new;");
}

/* What cannot be undone, or is another version's, is kept and holds up nothing. */
static void keeps(void **state)
{
	struct xfn_journal *j;
	char path[128];

	(void)state;
	leave_journal("one a\none held\nunknown x\none b\n");
	refuse_with = -EBUSY;
	j = opened();
	assert_string_equal(undone, "eth9:b;eth9:a;");
	assert_int_equal(xfn_journal__count("eth9"), 2);
	refuse_with = 0;
	xfn_journal__close(j);
	assert_string_equal(undone, "eth9:b;eth9:a;eth9:held;");
	assert_int_equal(xfn_journal__count("eth9"), 1);
	journal_path(path, sizeof(path));
	assert_int_equal(unlink(path), 0);
}

static void without_folder(void **state)
{
	struct xfn_journal *j = opened();

	(void)state;
	assert_int_equal(rmdir(folder), 0);
	assert_int_equal(xfn_journal__note(j, "one", "a"), -ENOENT);
	xfn_journal__close(j);
	assert_string_equal(undone, "");
	assert_int_equal(mkdir(folder, 0700), 0);
}

/* A note that does not fit is none, and spoils none that comes after. */
static void of_a_full_disk(void **state)
{
	struct xfn_journal *j = opened();
	struct rlimit before, now;
	struct stat st;
	char path[128];

	(void)state;
	journal_path(path, sizeof(path));
	assert_int_equal(xfn_journal__note(j, "one", "a"), 0);
	assert_int_equal(stat(path, &st), 0);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	now = (struct rlimit){ (rlim_t)st.st_size + 3, before.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &now), 0);
	assert_true(xfn_journal__note(j, "one", "cut short") < 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(xfn_journal__note(j, "other", "b"), 0);
	/* as the next run finds it */
	xfn_journal__close(opened());
	assert_string_equal(undone, "eth9:b;eth9:a;");
	xfn_journal__close(j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(undoes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(of_a_killed_run, set_up, tear_down),
		cmocka_unit_test_setup_teardown(keeps, set_up, tear_down),
		cmocka_unit_test_setup_teardown(without_folder, set_up, tear_down),
		cmocka_unit_test_setup_teardown(of_a_full_disk, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
