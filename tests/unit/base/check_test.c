/* SPDX-License-Identifier: MIT */
#include "base/check.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void break_an_invariant(void)
{
    int left = 3;
    CHECK_LT(left, 2);
}

/* What `broken` says on stderr in a process of its own, which must abort. */
static void said_by(void (*broken)(void), char *text, size_t size)
{
    int ends[2];
    cr_assert_eq(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        signal(SIGABRT, SIG_DFL);
        dup2(ends[1], STDERR_FILENO);
        broken();
        _exit(0);
    }
    close(ends[1]);
    ssize_t count = read(ends[0], text, size - 1);
    cr_assert_gt(count, 0);
    text[count] = '\0';
    close(ends[0]);
    int status;
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

Test(check, a_broken_one_names_place_condition_and_values)
{
    char text[256];
    said_by(break_an_invariant, text, sizeof(text));
    cr_expect(strstr(text, "check_test.c:"), "%s", text);
    cr_expect(strstr(text, ": broken invariant: left < 2 (3, 2)"), "%s", text);
}

Test(check, those_that_hold_evaluate_once_and_go_on)
{
    int count = 0;
    CHECK(++count == 1);
    CHECK_EQ(++count, 2);
    CHECK_NE(count, 3);
    CHECK_LE(count, 2);
    CHECK_GE(count, 2);
    CHECK_GT(count, 1);
    cr_expect_eq(count, 2);
}

Test(check, never, .signal = SIGABRT)
{
    CHECK_NEVER(7);
}

/* `if` without braces: the macro must not take the else. */
Test(check, is_one_statement)
{
    bool other = false;
    if (other)
        CHECK(true);
    else
        other = true;
    cr_expect(other);
}
