/* SPDX-License-Identifier: MIT */
/* Zero-copy sends: how long memory is lent, and when the kernel is not asked for it again. */
#include "sending/filled.h"

#include "base/memory.h"
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

enum { LARGE = 200000 };

static const weir_config zero_copy = {.schedulers = 1, .zero_copy_from_bytes = 4096};
static uint8_t bytes[LARGE];

static void count_release(void *count)
{
    __atomic_fetch_add((int *)count, 1, __ATOMIC_RELEASE);
}

static int released(int *count)
{
    return __atomic_load_n(count, __ATOMIC_ACQUIRE);
}

static void fill(void)
{
    for (size_t i = 0; i < LARGE; i++)
        bytes[i] = (uint8_t)(i * 7 ^ i >> 8);
}

static void expect_bytes(int peer, size_t size)
{
    uint8_t *got = memory_allocate(size);
    peer_read(peer, got, size);
    cr_assert(memcmp(got, bytes, size) == 0);
    memory_free(got);
}

TestSuite(zero_copy, .init = fill);

/* The loopback interface copies always, and says so with the first notice. */
Test(zero_copy, a_peer_for_which_the_kernel_copies_is_not_offered_it_again)
{
    weir_totals before, after;
    struct loopback loopback = open_small(&zero_copy, "");
    for (int i = 0; i < 10; i++) {
        GIVES(weir_send(loopback.socket, bytes, 10000), 0);
        expect_bytes(loopback.peer, 10000);
        settle(loopback.socket);
    }
    GIVES(weir_get_totals(loopback.runtime, -1, &before), 0);
    for (int i = 0; i < 100; i++) {
        GIVES(weir_send(loopback.socket, bytes, 4096), 0);
        expect_bytes(loopback.peer, 4096);
    }
    settle(loopback.socket);
    GIVES(weir_get_totals(loopback.runtime, -1, &after), 0);
    uint64_t operations = after.send_operations - before.send_operations;
    uint64_t completions = after.completions - before.completions;
    cr_expect(completions < operations * 2 + 400, "%lu completions of %lu sends",
              (unsigned long)completions, (unsigned long)operations);
    loopback_close(&loopback);
}

Test(zero_copy, memory_is_released_once_and_not_before_it_is_sent)
{
    int count = 0;
    struct loopback loopback = open_small(&zero_copy, "");
    GIVES(weir_send_owned(loopback.socket, bytes, LARGE, count_release, &count), 0);
    settled_queue(&loopback);
    cr_expect(released(&count) == 0);
    expect_bytes(loopback.peer, LARGE);
    EVENTUALLY(released(&count) == 1);
    loopback_close(&loopback);
    cr_expect(released(&count) == 1);
}

Test(zero_copy, closing_with_notices_pending_sends_all)
{
    int count = 0;
    struct loopback loopback = open_small(&zero_copy, "");
    GIVES(weir_send_owned(loopback.socket, bytes, LARGE, count_release, &count), 0);
    weir_close(loopback.socket);
    expect_bytes(loopback.peer, LARGE);
    peer_expect_end(loopback.peer);
    EVENTUALLY(released(&count) == 1);
    loopback_close(&loopback);
}

Test(zero_copy, shutting_down_with_notices_pending_sends_all)
{
    struct loopback loopback = open_small(&zero_copy, "");
    GIVES(weir_send(loopback.socket, bytes, LARGE), 0);
    GIVES(weir_shutdown(loopback.socket, WEIR_WRITE), 0);
    expect_bytes(loopback.peer, LARGE);
    peer_expect_end(loopback.peer);
    loopback_close(&loopback);
}

Test(zero_copy, a_reset_gives_the_memory_back)
{
    int count = 0;
    struct loopback loopback = open_small(&zero_copy, ",{linger,{true,0}}");
    GIVES(weir_send_owned(loopback.socket, bytes, LARGE, count_release, &count), 0);
    GIVES(weir_send(loopback.socket, bytes, LARGE), 0);
    settled_queue(&loopback);
    weir_close(loopback.socket);
    EVENTUALLY(released(&count) == 1);
    peer_expect_reset(loopback.peer);
    loopback_close(&loopback);
}

Test(zero_copy, a_peer_that_goes_away_gives_the_memory_back)
{
    int count = 0;
    struct loopback loopback = open_small(&zero_copy, "");
    GIVES(weir_send_owned(loopback.socket, bytes, LARGE, count_release, &count), 0);
    settled_queue(&loopback);
    peer_reset(&loopback.peer);
    EVENTUALLY(released(&count) == 1);
    GIVES(weir_send(loopback.socket, bytes, 1), WEIR_CLOSED);
    loopback_close(&loopback);
}

Test(zero_copy, stopping_takes_the_memory_back)
{
    int count = 0;
    struct loopback loopback = open_small(&zero_copy, "");
    GIVES(weir_send_owned(loopback.socket, bytes, LARGE, count_release, &count), 0);
    settled_queue(&loopback);
    loopback_close(&loopback);
    cr_expect(released(&count) == 1);
}
