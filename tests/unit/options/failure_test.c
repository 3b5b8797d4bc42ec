/* SPDX-License-Identifier: MIT */
/*
 * The `failure:` lines of docs/OPTIONS.md, each row against each call that takes it, on a kernel
 * that refuses everything.
 */
#include "base/system.h"
#include "options/describe.h"
#include "options/options.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <string.h>
#include <weir/error.h>

static int kernel_refusal;
static int kernel_reading;

int system_setsockopt(int fd, int level, int name, const void *value, socklen_t size)
{
    (void)fd;
    (void)level;
    (void)name;
    (void)value;
    (void)size;
    return kernel_refusal;
}

int system_getsockopt(int fd, int level, int name, void *value, socklen_t *size)
{
    (void)fd;
    (void)level;
    (void)name;
    memset(value, 0, *size);
    return kernel_reading;
}

enum { NO_DESCRIPTOR_NEEDED = 1000 };

static int create(enum option_scope scope, const weir_option *options)
{
    struct option_setup setup;
    int result = options_set_up(&setup, scope, NULL, options);
    return result < 0 ? result : options_prepare(&setup, NO_DESCRIPTOR_NEEDED);
}

static int set(enum option_scope scope, const weir_option *options, struct option_values *values)
{
    int result = options_check(options, scope);
    if (result < 0)
        return result;
    return options_apply(options, scope, values, NO_DESCRIPTOR_NEEDED, WEIR_INET);
}

/* In its range, and as low as that is. */
static weir_option lowest_of(enum weir_option_id id)
{
    static const uint8_t byte = 1;
    const weir_address address = {WEIR_INET, {127, 0, 0, 1}, 0, 0};
    switch (option_rows[id].type) {
    case OPTION_ADDRESS:
    case OPTION_INTERFACE:
        return weir_option_address(id, address);
    case OPTION_MEMBERSHIP:
        return weir_option_membership(id, address, address);
    case OPTION_LINGER:
        return WEIR_LINGER(true, 1);
    case OPTION_NAME:
        return weir_option_name_value(id, "x");
    case OPTION_PATH:
        return weir_option_path(id, "/x");
    case OPTION_RAW:
        return WEIR_RAW(1, 2, &byte, 1);
    case OPTION_ACTIVE:
        return weir_option_number(id, WEIR_ACTIVE_FALSE);
    case OPTION_BOOLEAN:
    case OPTION_FLAG:
        return weir_option_number(id, 1);
    default:
        return weir_option_number(id, option_rows[id].least);
    }
}

static int expected_of(enum failure failure)
{
    static const int results[] = {
        [FAILURE_NONE] = 0,         [FAILURE_PASSED_OVER] = 0, [FAILURE_BADARG] = WEIR_BADARG,
        [FAILURE_EINVAL] = -EINVAL, [FAILURE_KERNEL] = -EPERM, [FAILURE_KERNEL_EINVAL] = -EINVAL,
    };
    return results[failure];
}

static bool ends_list(enum failure failure)
{
    return failure == FAILURE_EINVAL || failure == FAILURE_KERNEL_EINVAL;
}

/* What stands behind it is set, or is not. */
static void expect_list(enum weir_option_id id, enum option_scope scope, enum failure failure)
{
    const weir_option list[] = {lowest_of(id), WEIR_BUFFER(4242), WEIR_REQUEST(END)};
    struct option_values values = {.packet = 0};
    (void)!set(scope, list, &values);
    bool ended = values.buffer != 4242;
    cr_expect(ended == ends_list(failure), "%s: the list %s", option_rows[id].atom,
              ended ? "ends" : "goes on");
}

static void expect_row(enum weir_option_id id, enum option_scope scope)
{
    const weir_option list[] = {lowest_of(id), WEIR_REQUEST(END)};
    struct option_values values = {.packet = 0};
    bool creates = !(scope & OPTION_SCOPES_SET);
    enum failure failure = failure_of(&option_rows[id], scope);
    int result = creates ? create(scope, list) : set(scope, list, &values);
    cr_expect(result == expected_of(failure), "%s, scope %u: %d instead of %d",
              option_rows[id].atom, (unsigned)scope, result, expected_of(failure));
    if (!creates)
        expect_list(id, scope, failure);
}

Test(failure, each_row_against_each_call)
{
    static const enum option_scope scopes[] = {OPTION_LISTEN, OPTION_CONNECT, OPTION_UDP,
                                               OPTION_SET_TCP, OPTION_SET_UDP};
    kernel_refusal = -EPERM;
    for (size_t id = WEIR_OPTION_END + 1; id < WEIR_OPTION_COUNT; id++)
        for (size_t i = 0; i < sizeof(scopes) / sizeof(scopes[0]); i++)
            if (option_rows[id].scopes & scopes[i])
                expect_row((enum weir_option_id)id, scopes[i]);
}

/* What no call takes, and what is out of its range. */
Test(failure, a_list_that_is_wrong_sets_nothing)
{
    struct option_values values = {.packet = 0};
    const weir_option *foreign = WEIR_OPTIONS(WEIR_BUFFER(4242), WEIR_BACKLOG(1));
    const weir_option *large = WEIR_OPTIONS(WEIR_BUFFER(4242), WEIR_PACKET_SIZE(-1));
    cr_expect(eq(int, set(OPTION_SET_TCP, foreign, &values), -EINVAL));
    cr_expect(eq(int, set(OPTION_SET_TCP, large, &values), -EINVAL));
    cr_expect(eq(u32, values.buffer, 0));
    cr_expect(eq(int, create(OPTION_CONNECT, foreign), WEIR_BADARG));
    cr_expect(eq(int, create(OPTION_CONNECT, large), WEIR_BADARG));
}

Test(failure, texts_name_each_call)
{
    char text[DESCRIPTION_SIZE];
    cr_expect(eq(str, (char *)describe_failure(&option_rows[WEIR_OPTION_USER_TIMEOUT], text),
                 (char *)"listen, connect: what the kernel refuses it with; setopts: einval if the "
                         "kernel refuses it, and the list ends there"));
    cr_expect(eq(str, (char *)describe_failure(&option_rows[WEIR_OPTION_NODELAY], text),
                 (char *)"listen, connect, setopts: passed over if the kernel refuses it"));
}

/* How many of one option are read: one or none. */
static int reading(enum weir_option_id id, enum option_scope scope, enum weir_family family)
{
    const struct option_values values = {.packet = 0};
    const struct option_source source = {
        .values = &values, .fd = NO_DESCRIPTOR_NEEDED, .family = (int)family};
    weir_option wanted[] = {lowest_of(id), WEIR_REQUEST(END)};
    return options_read(&source, scope, wanted, 1);
}

static bool is_kernels(enum weir_option_id id)
{
    return option_rows[id].keeper == OPTION_KEEPER_KERNEL && option_rows[id].type != OPTION_RAW;
}

Test(failure, what_the_kernel_does_not_say_is_left_out)
{
    static const enum option_scope scopes[] = {OPTION_SET_TCP, OPTION_SET_UDP};
    static const enum weir_family families[] = {WEIR_INET, WEIR_INET6};
    int known = 0;
    for (size_t id = WEIR_OPTION_END + 1; id < WEIR_OPTION_COUNT; id++) {
        for (int i = 0; i < 4 && is_kernels((enum weir_option_id)id); i++) {
            kernel_reading = 0;
            known += reading((enum weir_option_id)id, scopes[i / 2], families[i % 2]) == 1;
            kernel_reading = -ENOMEM;
            cr_expect(reading((enum weir_option_id)id, scopes[i / 2], families[i % 2]) <= 0,
                      "%s, scope %u, family %d", option_rows[id].atom, (unsigned)scopes[i / 2],
                      families[i % 2]);
        }
    }
    kernel_reading = 0;
    cr_expect(known > 40, "%d", known);
}
