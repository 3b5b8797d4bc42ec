/* SPDX-License-Identifier: MIT */
/* Every way of sending: what arrives, and what becomes of the memory. */
#include "sending/filled.h"

#include "base/memory.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { LARGE = 300000 };

static uint8_t pattern[LARGE];

static void fill_pattern(void)
{
    for (uint32_t i = 0; i < LARGE; i++)
        pattern[i] = (uint8_t)((i * 2654435761u) >> 13);
}

static void expect_pattern(int peer, size_t offset, size_t size)
{
    uint8_t *bytes = memory_allocate(size);
    peer_read(peer, bytes, size);
    cr_assert(memcmp(bytes, pattern + offset, size) == 0);
    memory_free(bytes);
}

static void expect_header(int peer, uint32_t size)
{
    uint8_t bytes[4];
    peer_read(peer, bytes, 4);
    cr_assert(((uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
               bytes[3]) == size);
}

static void count_release(void *count)
{
    __atomic_fetch_add((int *)count, 1, __ATOMIC_RELEASE);
}

static int released(int *count)
{
    return __atomic_load_n(count, __ATOMIC_ACQUIRE);
}

static int pattern_file(void)
{
    int fd = memfd_create("pattern", MFD_CLOEXEC);
    cr_assert(fd >= 0 && write(fd, pattern, LARGE) == LARGE);
    return fd;
}

TestSuite(forms, .init = fill_pattern);

Test(forms, small_and_large_sends_keep_their_order)
{
    struct loopback loopback = loopback_open("[{active,false}]");
    size_t sizes[] = {1, 4000, 100, 20000, 5, 200000, 1};
    size_t offset = 0;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        GIVES(weir_send(loopback.socket, pattern + offset, sizes[i]), 0);
        offset += sizes[i];
    }
    expect_pattern(loopback.peer, 0, offset);
    cr_expect(statistics_of(loopback.socket).send_oct == offset);
    cr_expect(statistics_of(loopback.socket).send_cnt == 7);
    loopback_close(&loopback);
}

Test(forms, pieces_are_one_packet)
{
    struct loopback loopback = loopback_open("[{packet,4},{active,false}]");
    struct iovec pieces[] = {{pattern, 3}, {NULL, 0}, {pattern + 3, 9000}, {pattern + 9003, 1}};
    GIVES(weir_sendv(loopback.socket, pieces, 4), 0);
    expect_header(loopback.peer, 9004);
    expect_pattern(loopback.peer, 0, 9004);
    pieces[1].iov_len = 1;
    GIVES(weir_sendv(loopback.socket, pieces, 4), -EINVAL);
    loopback_close(&loopback);
}

Test(forms, nothing_is_a_header_or_nothing)
{
    struct loopback loopback = loopback_open("[{packet,4},{active,false}]");
    GIVES(weir_send(loopback.socket, NULL, 0), 0);
    expect_header(loopback.peer, 0);
    GIVES(set(loopback.socket, "[{packet,raw}]"), 0);
    GIVES(weir_send(loopback.socket, NULL, 0), 0);
    cr_expect(statistics_of(loopback.socket).send_cnt == 2);
    cr_expect(statistics_of(loopback.socket).send_oct == 4);
    GIVES(weir_send(loopback.socket, NULL, 1), -EINVAL);
    loopback_close(&loopback);
}

Test(forms, a_packet_too_long_for_its_header_is_refused)
{
    struct loopback loopback = loopback_open("[{packet,1},{active,false}]");
    GIVES(weir_send(loopback.socket, pattern, 256), -EMSGSIZE);
    GIVES(set(loopback.socket, "[{packet,2}]"), 0);
    GIVES(weir_send(loopback.socket, pattern, 65536), -EMSGSIZE);
    cr_expect(statistics_of(loopback.socket).send_cnt == 0);
    loopback_close(&loopback);
}

Test(forms, owned_memory_is_released_once)
{
    int count = 0;
    struct loopback loopback = loopback_open("[{packet,4},{active,false}]");
    GIVES(weir_send_owned(loopback.socket, pattern, LARGE, count_release, &count), 0);
    expect_header(loopback.peer, LARGE);
    expect_pattern(loopback.peer, 0, LARGE);
    EVENTUALLY(released(&count) == 1);
    GIVES(weir_send_owned(loopback.socket, pattern, 10, count_release, &count), 0);
    expect_header(loopback.peer, 10);
    expect_pattern(loopback.peer, 0, 10);
    EVENTUALLY(released(&count) == 2);
    weir_close(loopback.socket);
    GIVES(weir_send_owned(loopback.socket, pattern, LARGE, count_release, &count), WEIR_CLOSED);
    cr_expect(released(&count) == 3);
    loopback_close(&loopback);
    cr_expect(released(&count) == 3);
}

Test(forms, owned_memory_that_is_none_is_refused)
{
    int count = 0;
    struct answer answer = {0};
    weir_owned_bytes nothing = {NULL, 10, count_release, &count};
    struct loopback loopback = loopback_open("[{active,false}]");
    GIVES(weir_send_owned(loopback.socket, NULL, 10, count_release, &count), -EINVAL);
    GIVES(weir_send_owned_async(loopback.socket, &nothing, answer_sent, &answer), -EINVAL);
    cr_expect(released(&count) == 2);
    GIVES(weir_send_owned(loopback.socket, NULL, 0, count_release, &count), 0);
    EVENTUALLY(released(&count) == 3);
    loopback_close(&loopback);
    cr_expect(answer_count(&answer) == 0);
}

/* A length of 32 bits would be 0. */
Test(forms, four_gibibytes_leave_from_where_they_lie)
{
    enum { SEEN = 1 << 20 };
    const size_t size = 1ull << 32;
    int count = 0;
    void *zeros = mmap(NULL, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    cr_assert(zeros != MAP_FAILED);
    struct loopback loopback = loopback_open("[{active,false}]");
    GIVES(weir_send_owned(loopback.socket, zeros, size, count_release, &count), 0);
    uint8_t *bytes = memory_allocate(SEEN);
    peer_read(loopback.peer, bytes, SEEN);
    cr_expect(memcmp(bytes, zeros, SEEN) == 0);
    memory_free(bytes);
    peer_reset(&loopback.peer);
    EVENTUALLY(released(&count) == 1);
    loopback_close(&loopback);
    munmap(zeros, size);
}

Test(forms, owned_memory_that_cannot_leave_is_released_once)
{
    int count = 0;
    uint64_t queue;
    struct loopback loopback = open_filled("", &queue);
    GIVES(weir_send_owned(loopback.socket, pattern, LARGE, count_release, &count), 0);
    GIVES(weir_send_owned(loopback.socket, pattern, LARGE, count_release, &count), 0);
    cr_expect(released(&count) == 0);
    peer_reset(&loopback.peer);
    EVENTUALLY(released(&count) == 2);
    loopback_close(&loopback);
    cr_expect(released(&count) == 2);
}

Test(forms, a_file_is_one_packet)
{
    struct loopback loopback = loopback_open("[{packet,4},{active,false}]");
    int fd = pattern_file();
    GIVES(weir_send_file(loopback.socket, fd, 0, LARGE), 0);
    GIVES(weir_send_file(loopback.socket, fd, 1000, 5), 0);
    close(fd);
    GIVES(weir_send(loopback.socket, "end", 3), 0);
    GIVES(weir_send_file(loopback.socket, fd, 0, LARGE), -EBADF);
    expect_header(loopback.peer, LARGE);
    expect_pattern(loopback.peer, 0, LARGE);
    expect_header(loopback.peer, 5);
    expect_pattern(loopback.peer, 1000, 5);
    expect_header(loopback.peer, 3);
    peer_expect(loopback.peer, "end");
    loopback_close(&loopback);
}

Test(forms, a_file_waits_for_a_slow_peer)
{
    struct loopback loopback = open_small(NULL, "");
    int fd = pattern_file();
    GIVES(weir_send_file(loopback.socket, fd, 0, LARGE), 0);
    close(fd);
    GIVES(weir_send(loopback.socket, "end", 3), 0);
    cr_expect(settled_queue(&loopback) > LARGE / 2);
    expect_pattern(loopback.peer, 0, LARGE);
    peer_expect(loopback.peer, "end");
    loopback_close(&loopback);
}

Test(forms, a_file_to_a_peer_that_goes_away)
{
    struct loopback loopback = open_small(NULL, "");
    int fd = pattern_file();
    GIVES(weir_send_file(loopback.socket, fd, 0, LARGE), 0);
    close(fd);
    settled_queue(&loopback);
    peer_reset(&loopback.peer);
    EVENTUALLY(queued(loopback.socket) == 0);
    GIVES(weir_send(loopback.socket, "end", 3), WEIR_CLOSED);
    loopback_close(&loopback);
}

Test(forms, a_file_on_a_socket_that_is_thrown_away)
{
    struct loopback loopback = open_small(NULL, ",{linger,{true,0}}");
    int fd = pattern_file();
    GIVES(weir_send_file(loopback.socket, fd, 0, LARGE), 0);
    close(fd);
    settled_queue(&loopback);
    weir_close(loopback.socket);
    peer_expect_reset(loopback.peer);
    loopback_close(&loopback);
}

Test(forms, async_forms_answer_once_in_order)
{
    int count = 0;
    struct answer answers[5] = {0};
    struct loopback loopback = loopback_open("[{active,false}]");
    struct iovec pieces[] = {{pattern + 10, 10}, {pattern + 20, 10}};
    weir_packet packet = {.bytes = pattern + 30, .size = 5000};
    weir_owned_bytes owned = {pattern + 5030, 10000, count_release, &count};
    int fd = pattern_file();
    weir_file_part part = {fd, 15030, 20000};
    GIVES(weir_send_async(loopback.socket, pattern, 10, answer_sent, &answers[0]), 0);
    GIVES(weir_sendv_async(loopback.socket, pieces, 2, answer_sent, &answers[1]), 0);
    GIVES(weir_send_packet_async(loopback.socket, &packet, answer_sent, &answers[2]), 0);
    GIVES(weir_send_owned_async(loopback.socket, &owned, answer_sent, &answers[3]), 0);
    GIVES(weir_send_file_async(loopback.socket, &part, answer_sent, &answers[4]), 0);
    close(fd);
    expect_pattern(loopback.peer, 0, 35030);
    for (int i = 0; i < 5; i++)
        GIVES(answer_wait(&answers[i]), 0);
    EVENTUALLY(released(&count) == 1);
    weir_close(loopback.socket);
    settle(loopback.listener);
    GIVES(weir_send_async(loopback.socket, pattern, 10, answer_sent, &answers[0]), 0);
    EVENTUALLY(answer_count(&answers[0]) == 2);
    cr_expect(answers[0].result == WEIR_CLOSED);
    for (int i = 1; i < 5; i++)
        cr_expect(answer_count(&answers[i]) == 1);
    loopback_close(&loopback);
}

Test(forms, an_async_send_waits_while_busy)
{
    uint64_t queue;
    struct answer first = {0};
    struct answer second = {0};
    struct loopback loopback =
        open_filled(",{low_watermark,1000},{high_watermark,3000},{send_timeout,60000}", &queue);
    GIVES(weir_send_async(loopback.socket, pattern, 10, answer_sent, &first), 0);
    GIVES(weir_send_async(loopback.socket, pattern, 10, answer_sent, &second), 0);
    settle(loopback.socket);
    cr_expect(answer_count(&first) == 0 && answer_count(&second) == 0);
    cr_expect(queued(loopback.socket) == queue + 10);
    read_until(&loopback, 1000);
    GIVES(answer_wait(&first), 0);
    GIVES(answer_wait(&second), 0);
    loopback_close(&loopback);
}

Test(forms, a_send_that_the_kernel_has_no_room_for_returns_at_once)
{
    static uint8_t all[1 << 20];
    struct loopback loopback = open_small(NULL, "");
    size_t size = 1;
    while (queued(loopback.socket) == 0) {
        GIVES(weir_send(loopback.socket, all, size), 0);
        cr_assert((size += 1) < sizeof(all));
    }
    loopback_close(&loopback);
}
