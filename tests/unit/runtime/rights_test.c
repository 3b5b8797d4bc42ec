/* SPDX-License-Identifier: MIT */
/* Descriptors on their way out: duplicates, of which none is left open whatever fails. */
#include "runtime/socket/rights.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/memory.h"
#include "runtime/buffer/buffer.h"
#include <weir/error.h>

enum { MANY = RIGHTS_MOST + 1 };

static int descriptors[MANY];

static int open_count(void)
{
    int count = 0;
    for (int fd = 0; fd < 2 * MANY + 100; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

static void start(void)
{
    int fd = eventfd(0, EFD_CLOEXEC);
    cr_assert_geq(fd, 0);
    for (int i = 0; i < MANY; i++)
        descriptors[i] = fd;
}

Test(rights, are_duplicates_that_the_last_reference_closes)
{
    static const size_t counts[] = {1, 2, RIGHTS_MOST};
    start();
    int64_t blocks = memory_live_count();
    int before = open_count();
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        struct weir_buffer *rights;
        cr_assert_eq(rights_make(descriptors, counts[i], &rights), 0);
        cr_expect_eq(open_count(), before + (int)counts[i]);
        struct msghdr message = {0};
        rights_attach(rights, &message);
        const struct cmsghdr *control = CMSG_FIRSTHDR(&message);
        cr_assert_not_null(control);
        cr_expect(control->cmsg_level == SOL_SOCKET && control->cmsg_type == SCM_RIGHTS);
        cr_expect_eq(control->cmsg_len, CMSG_LEN(counts[i] * sizeof(int)));
        cr_expect_eq(message.msg_controllen, CMSG_SPACE(counts[i] * sizeof(int)));
        buffer_keep(rights);
        buffer_release(rights);
        cr_expect_eq(open_count(), before + (int)counts[i]);
        buffer_release(rights);
        cr_expect_eq(open_count(), before, "%d are left", open_count() - before);
    }
    cr_expect_eq(memory_live_count(), blocks);
}

/* Where the standard input is closed, that number is free. */
Test(rights, may_have_the_first_number)
{
    struct weir_buffer *rights;
    start();
    close(STDIN_FILENO);
    cr_assert_eq(rights_make(descriptors, 1, &rights), 0);
    cr_expect_geq(fcntl(STDIN_FILENO, F_GETFD), 0);
    buffer_release(rights);
    cr_expect_lt(fcntl(STDIN_FILENO, F_GETFD), 0);
}

Test(rights, may_be_none)
{
    struct weir_buffer *rights = (struct weir_buffer *)descriptors;
    struct msghdr message = {0};
    cr_expect(rights_make(NULL, 0, &rights) == 0 && rights == NULL);
    rights_attach(NULL, &message);
    cr_expect(message.msg_control == NULL && message.msg_controllen == 0);
}

Test(rights, are_as_many_as_the_kernel_takes)
{
    struct weir_buffer *rights;
    start();
    cr_expect_eq(rights_make(descriptors, MANY, &rights), -EINVAL);
    cr_expect(rights == NULL && strstr(weir_last_error_text(), "254 descriptors are more than"));
}

Test(rights, before_one_that_is_none_are_closed_again)
{
    struct weir_buffer *rights;
    start();
    int before = open_count();
    int64_t blocks = memory_live_count();
    descriptors[2] = 12345;
    cr_expect_eq(rights_make(descriptors, 4, &rights), -EBADF);
    cr_expect(rights == NULL && strstr(weir_last_error_text(), "descriptor 12345"), "%s",
              weir_last_error_text());
    cr_expect_eq(open_count(), before);
    cr_expect_eq(memory_live_count(), blocks);
}

Test(rights, without_memory_are_closed_again)
{
    struct weir_buffer *rights;
    start();
    int before = open_count();
    int64_t blocks = memory_live_count();
    for (uint64_t nth = 1; nth <= 2; nth++) {
        memory_fail_nth(nth);
        cr_expect_eq(rights_make(descriptors, 3, &rights), -ENOMEM);
        memory_fail_nth(0);
        cr_expect(rights == NULL && strstr(weir_last_error_text(), "no memory for descriptors"));
        cr_expect_eq(open_count(), before);
        cr_expect_eq(memory_live_count(), blocks);
    }
}
