/* SPDX-License-Identifier: MIT */
/* What is said of a callback that took long, by a clock that stands still. */
#include "runtime/scheduler/slow.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <gnu/libc-version.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { BEGAN_NS = 1000, LIMIT_NS = 5000000, NUMBER = 3 };

static uint64_t now_ns = BEGAN_NS;

uint64_t __wrap_clock_now_ns(void);

uint64_t __wrap_clock_now_ns(void)
{
    return now_ns;
}

static int told_count;
static weir_slow_callback told;

static void tell(const weir_slow_callback *slow)
{
    told = *slow;
    told_count++;
}

static struct scheduler_limits limits = {.slow_callback_ns = LIMIT_NS, .slow_callback = tell};
static struct scheduler scheduler = {.number = NUMBER, .limits = &limits};

static void take(uint64_t took_ns, slow_function *function)
{
    now_ns = BEGAN_NS;
    uint64_t began_ns = slow_begin(&scheduler);
    now_ns += took_ns;
    slow_end(&scheduler, began_ns, function);
}

static void unknown(void)
{
}

Test(slow, is_what_takes_so_long)
{
    take(LIMIT_NS - 1, unknown);
    cr_expect_eq(told_count, 0);
    take(LIMIT_NS, unknown);
    cr_expect_eq(told_count, 1);
    cr_expect(told.took_ns == LIMIT_NS && told.scheduler == NUMBER);
    limits.slow_callback_ns = 0;
    take(LIMIT_NS, unknown);
    cr_expect_eq(told_count, 1, "nobody asked");
}

Test(slow, has_a_name_if_it_is_known)
{
    take(LIMIT_NS, (slow_function *)gnu_get_libc_version);
    cr_expect((void *)told.function == (void *)gnu_get_libc_version && told.name && told.file);
    cr_expect_str_eq(told.name, "gnu_get_libc_version");
    cr_expect_not_null(strstr(told.file, "libc"));
    take(LIMIT_NS, unknown);
    cr_expect(told.function == unknown && told.name == NULL && told.file != NULL);
    cr_expect(told.offset > 0 && told.offset < (uintptr_t)unknown);
    take(LIMIT_NS, NULL);
    cr_expect(!told.function && !told.name && !told.file && told.offset == 0);
}

/* What it prints of a callback. */
static void expect_line(slow_function *function, const char *name)
{
    char line[4096] = "";
    char expected[8192];
    int ends[2];
    limits.slow_callback = tell;
    take(LIMIT_NS + 1999, function);
    snprintf(expected, sizeof(expected),
             "weir: scheduler 3 was held up for 5001 us by %s (%s+%#" PRIxPTR ")\n", name,
             told.file ? told.file : "?", told.offset);
    cr_assert_eq(pipe2(ends, O_NONBLOCK), 0);
    int before = dup(STDERR_FILENO);
    dup2(ends[1], STDERR_FILENO);
    limits.slow_callback = NULL;
    take(LIMIT_NS + 1999, function);
    dup2(before, STDERR_FILENO);
    (void)!read(ends[0], line, sizeof(line) - 1);
    cr_expect_str_eq(line, expected);
    close(before);
    close(ends[0]);
    close(ends[1]);
}

Test(slow, is_a_line_by_default)
{
    expect_line((slow_function *)gnu_get_libc_version, "gnu_get_libc_version");
    expect_line(unknown, "a callback");
    expect_line(NULL, "a callback");
}
