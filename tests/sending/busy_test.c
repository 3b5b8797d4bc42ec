/* SPDX-License-Identifier: MIT */
/* Watermarks: who waits, how long, and who goes on when. */
#include "sending/filled.h"

#include "base/memory.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <weir/weir.h>

static const char bytes[65536];

static void set_high(struct loopback *loopback, uint64_t size)
{
    char text[64];
    snprintf(text, sizeof(text), "[{high_watermark,%lu}]", (unsigned long)size);
    GIVES(set(loopback->socket, text), 0);
}

/* With {send_timeout,0} a send that would block says so at once, its bytes queued. */
static void expect_mark(const char *options, size_t header, size_t size, int expected)
{
    uint64_t queue;
    struct loopback loopback = open_filled(",{low_watermark,1000}", &queue);
    GIVES(set(loopback.socket, "[{send_timeout,0}]"), 0);
    GIVES(set(loopback.socket, options), 0);
    set_high(&loopback, queue + 10);
    GIVES(weir_send(loopback.socket, bytes, size), expected);
    cr_expect(queued(loopback.socket) == queue + header + size, "%lu bytes are queued, not %lu",
              (unsigned long)queued(loopback.socket), (unsigned long)(queue + header + size));
    loopback_close(&loopback);
}

Test(busy, an_empty_queue_takes_anything_at_once)
{
    enum { SIZE = 5000000 };
    struct loopback loopback = open_small(NULL, ",{high_watermark,1},{send_timeout,0}");
    char *large = memory_allocate_zeroed(1, SIZE);
    uint64_t before = now_ms();
    GIVES(weir_send(loopback.socket, large, SIZE), 0);
    cr_expect(now_ms() - before < AT_ONCE_MS);
    cr_expect(queued(loopback.socket) > SIZE / 2);
    memory_free(large);
    loopback_close(&loopback);
}

Test(busy, the_mark_is_reached_by_the_byte)
{
    expect_mark("[]", 0, 9, 0);
    expect_mark("[]", 0, 10, WEIR_TIMEOUT);
    expect_mark("[]", 0, 11, WEIR_TIMEOUT);
}

Test(busy, header_bytes_count)
{
    expect_mark("[{packet,4}]", 4, 5, 0);
    expect_mark("[{packet,4}]", 4, 6, WEIR_TIMEOUT);
    expect_mark("[{packet,2}]", 2, 7, 0);
    expect_mark("[{packet,2}]", 2, 8, WEIR_TIMEOUT);
    expect_mark("[{packet,1}]", 1, 8, 0);
    expect_mark("[{packet,1}]", 1, 9, WEIR_TIMEOUT);
}

static struct background sender(struct loopback *loopback, size_t size)
{
    return (struct background){
        .work = send_in_background, .socket = loopback->socket, .bytes = bytes, .size = size};
}

/* Starts a send that crosses the high mark, and waits until its bytes are queued. */
static void start_crossing(struct loopback *loopback, struct background *background, uint64_t queue)
{
    background_start(background);
    EVENTUALLY(queued(loopback->socket) == queue + background->size);
}

static bool is_done(struct background *background)
{
    return pthread_tryjoin_np(background->thread, NULL) == 0;
}

Test(busy, a_blocked_sender_goes_on_at_the_low_mark)
{
    uint64_t queue;
    struct loopback loopback = open_filled(",{low_watermark,1000}", &queue);
    uint64_t low = queue - 200000;
    char text[64];
    set_high(&loopback, queue + 10);
    snprintf(text, sizeof(text), "[{low_watermark,%lu}]", (unsigned long)low);
    GIVES(set(loopback.socket, text), 0);
    struct background blocked = sender(&loopback, 100);
    start_crossing(&loopback, &blocked, queue);
    read_until(&loopback, low + 50000);
    settle(loopback.socket);
    cr_expect(!is_done(&blocked), "it went on above the low mark");
    read_until(&loopback, low);
    GIVES(background_join(&blocked), 0);
    cr_expect(queued(loopback.socket) > 0);
    loopback_close(&loopback);
}

Test(busy, raising_the_marks_releases_nobody)
{
    uint64_t queue;
    struct loopback loopback = open_filled(",{low_watermark,1000}", &queue);
    set_high(&loopback, queue + 10);
    struct background blocked = sender(&loopback, 100);
    start_crossing(&loopback, &blocked, queue);
    GIVES(set(loopback.socket, "[{high_watermark,100000000},{low_watermark,90000000}]"), 0);
    settle(loopback.socket);
    cr_expect(!is_done(&blocked));
    read_until(&loopback, queue - 10000); /* now they count */
    GIVES(background_join(&blocked), 0);
    loopback_close(&loopback);
}

Test(busy, who_comes_later_has_nothing_queued)
{
    enum { COUNT = 5 };
    uint64_t queue;
    struct loopback loopback = open_filled(",{low_watermark,1000}", &queue);
    set_high(&loopback, queue + 10);
    struct background first = sender(&loopback, 100);
    struct background later[COUNT];
    start_crossing(&loopback, &first, queue);
    for (int i = 0; i < COUNT; i++) {
        later[i] = sender(&loopback, 1000);
        background_start(&later[i]);
    }
    settle(loopback.socket);
    cr_expect(queued(loopback.socket) == queue + 100);
    peer_reset(&loopback.peer);
    GIVES(background_join(&first), WEIR_CLOSED);
    for (int i = 0; i < COUNT; i++) {
        int result = background_join(&later[i]);
        cr_expect(result == WEIR_CLOSED || result == -ENOTCONN, "%s", result_text(result));
    }
    loopback_close(&loopback);
}

Test(busy, closing_ends_all_waits)
{
    uint64_t queue;
    struct loopback loopback = open_filled(",{low_watermark,1000}", &queue);
    set_high(&loopback, queue + 10);
    struct background first = sender(&loopback, 100);
    struct background second = sender(&loopback, 100);
    start_crossing(&loopback, &first, queue);
    background_start(&second);
    settle(loopback.socket);
    weir_close(loopback.socket);
    GIVES(background_join(&first), WEIR_CLOSED);
    GIVES(background_join(&second), WEIR_CLOSED);
    cr_expect(peer_drain(loopback.peer) == FILL_BYTES + 100, "what was queued is still sent");
    loopback_close(&loopback);
}

static uint64_t time_send(struct loopback *loopback, size_t size, int expected)
{
    uint64_t before = now_ms();
    GIVES(weir_send(loopback->socket, bytes, size), expected);
    return now_ms() - before;
}

Test(busy, after_send_timeout_the_bytes_stay_and_the_next_blocks_as_long)
{
    uint64_t queue;
    struct loopback loopback = open_filled(",{low_watermark,1000}", &queue);
    set_high(&loopback, queue);
    GIVES(set(loopback.socket, "[{send_timeout,100}]"), 0);
    for (uint64_t sent = 10; sent <= 30; sent += 10) {
        uint64_t took = time_send(&loopback, 10, WEIR_TIMEOUT);
        cr_expect(took >= 100 && took < AT_ONCE_MS, "%lu ms", (unsigned long)took);
        cr_expect(queued(loopback.socket) == queue + sent);
    }
    weir_close(loopback.socket);
    cr_expect(peer_drain(loopback.peer) == FILL_BYTES + 30);
    loopback_close(&loopback);
}

Test(busy, a_timeout_lets_the_next_in_line_in)
{
    uint64_t queue;
    struct loopback loopback = open_filled(",{low_watermark,1000}", &queue);
    set_high(&loopback, queue);
    GIVES(set(loopback.socket, "[{send_timeout,50}]"), 0);
    struct background senders[3];
    for (int i = 0; i < 3; i++) {
        senders[i] = sender(&loopback, 10);
        background_start(&senders[i]);
    }
    for (int i = 0; i < 3; i++)
        GIVES(background_join(&senders[i]), WEIR_TIMEOUT);
    cr_expect(queued(loopback.socket) == queue + 30);
    loopback_close(&loopback);
}

Test(busy, send_timeout_close_takes_the_descriptor)
{
    uint64_t queue;
    weir_address address;
    weir_packet packet;
    struct loopback loopback = open_filled(",{low_watermark,1000}", &queue);
    int descriptors = descriptor_count();
    set_high(&loopback, queue);
    GIVES(set(loopback.socket, "[{send_timeout,20},{send_timeout_close,true},{active,true}]"), 0);
    struct answer first = {0};
    struct answer second = {0};
    GIVES(weir_send_async(loopback.socket, bytes, 10, answer_sent, &first), 0);
    GIVES(weir_send_async(loopback.socket, bytes, 10, answer_sent, &second), 0);
    GIVES(answer_wait(&first), WEIR_TIMEOUT);
    GIVES(answer_wait(&second), -ENOTCONN); /* as any send from now on */
    EVENTUALLY(descriptor_count() == descriptors - 1);
    GIVES(weir_send(loopback.socket, bytes, 1), -ENOTCONN);
    GIVES(weir_sockname(loopback.socket, &address), -EBADF);
    GIVES(weir_peername(loopback.socket, &address), -ENOTCONN);
    EVENTUALLY(queued(loopback.socket) == 0);
    GIVES(set(loopback.socket, "[{nodelay,true}]"), 0);
    expect_quiet(&loopback);
    GIVES(set(loopback.socket, "[{active,false}]"), 0);
    GIVES(weir_recv(loopback.socket, 0, 0, &packet), -ENOTCONN);
    cr_expect(peer_drain(loopback.peer) < FILL_BYTES / 2, "the queue is dropped");
    loopback_close(&loopback);
}

/* Whatever it was before, and whatever it asks for. */
Test(busy, an_owner_that_asks_after_send_timeout_close_is_told_closed)
{
    static const char *const modes[][2] = {
        {"false", "once"}, {"once", "once"}, {"true", "true"}, {"true", "once"}, {"3", "4"}};
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        uint64_t queue;
        char text[128];
        struct loopback loopback = open_filled(",{low_watermark,1000}", &queue);
        set_high(&loopback, queue);
        snprintf(text, sizeof(text), "[{send_timeout,20},{send_timeout_close,true},{active,%s}]",
                 modes[i][0]);
        GIVES(set(loopback.socket, text), 0);
        GIVES(weir_send(loopback.socket, bytes, 10), WEIR_TIMEOUT);
        expect_quiet(&loopback);
        snprintf(text, sizeof(text), "[{active,%s}]", modes[i][1]);
        GIVES(set(loopback.socket, text), 0);
        expect_told(&loopback, WEIR_MESSAGE_CLOSED, 0);
        expect_quiet(&loopback);
        GIVES(weir_port(loopback.socket), -EINVAL);
        loopback_close(&loopback);
    }
}

static uint64_t connections_of(const weir_runtime *runtime)
{
    weir_totals totals;
    GIVES(weir_get_totals(runtime, -1, &totals), 0);
    return totals.connections;
}

/* The handle that is left is no connection any more, and its owner may still ask what has become of
 * it. */
Test(busy, what_send_timeout_close_leaves_holds_up_no_drain)
{
    uint64_t queue;
    struct loopback loopback =
        open_filled(",{low_watermark,1000},{send_timeout_close,true}", &queue);
    set_high(&loopback, queue);
    GIVES(set(loopback.socket, "[{send_timeout,20}]"), 0);
    cr_expect(connections_of(loopback.runtime) == 1);
    GIVES(weir_send(loopback.socket, bytes, 10), WEIR_TIMEOUT);
    EVENTUALLY(connections_of(loopback.runtime) == 0);
    GIVES(weir_drain(loopback.runtime, WAIT_MS), 0);
    GIVES(set(loopback.socket, "[{active,once}]"), 0);
    expect_told(&loopback, WEIR_MESSAGE_CLOSED, 0);
    loopback_close(&loopback);
}

Test(busy, a_peer_that_goes_away_ends_the_wait)
{
    uint64_t queue;
    struct loopback loopback = open_filled(",{low_watermark,1000}", &queue);
    set_high(&loopback, queue);
    struct background blocked = sender(&loopback, 10);
    start_crossing(&loopback, &blocked, queue);
    peer_leave(&loopback.peer);
    GIVES(background_join(&blocked), WEIR_CLOSED);
    EVENTUALLY(queued(loopback.socket) == 0);
    loopback_close(&loopback);
}

/* The handler's form of sending, until it is refused: no call waits. */
static void send_until_refused(void *data)
{
    const weir_socket *socket = data;
    int result;
    while ((result = weir_send(*socket, bytes, sizeof(bytes))) == 0)
        continue;
    cr_expect(result == -EAGAIN);
}

Test(busy, a_send_times_out_although_a_handler_made_the_socket_busy)
{
    struct loopback loopback = open_small(NULL, ",{high_watermark,100000},{low_watermark,1000}");
    run_there(loopback.runtime, 0, send_until_refused, &loopback.socket);
    GIVES(set(loopback.socket, "[{send_timeout,50}]"), 0);
    GIVES(weir_send(loopback.socket, "x", 1), WEIR_TIMEOUT);
    GIVES(set(loopback.socket, "[{send_timeout,0}]"), 0);
    GIVES(weir_send(loopback.socket, "x", 1), WEIR_TIMEOUT);
    GIVES(set(loopback.socket, "[{send_timeout,50},{send_timeout_close,true}]"), 0);
    GIVES(weir_send(loopback.socket, "x", 1), WEIR_TIMEOUT);
    GIVES(weir_send(loopback.socket, "x", 1), -ENOTCONN);
    loopback_close(&loopback);
}

Test(busy, sends_that_wait_are_counted_and_bounded)
{
    enum { LIMIT_BYTES = 1 << 20, SIZE = 10000, MOST = 1000 };
    static struct answer answers[MOST];
    const weir_config config = {.schedulers = 1, .queued_bytes_limit = LIMIT_BYTES};
    struct loopback loopback = open_small(&config, ",{high_watermark,100000},{low_watermark,1000}");
    weir_totals totals;
    int count = 0;
    run_there(loopback.runtime, 0, send_until_refused, &loopback.socket);
    do /* each is made after the last has been looked at */
        GIVES(weir_send_async(loopback.socket, bytes, SIZE, answer_sent, &answers[count++]), 0);
    while ((settle(loopback.socket), answer_count(&answers[count - 1]) == 0) && count < MOST);
    cr_assert(answers[count - 1].result == -ENOBUFS, "%s", result_text(answers[count - 1].result));
    GIVES(weir_get_totals(loopback.runtime, -1, &totals), 0);
    cr_assert(totals.waiting_bytes == (uint64_t)(count - 1) * SIZE);
    cr_assert(totals.waiting_bytes + totals.queued_bytes >= LIMIT_BYTES &&
              totals.waiting_bytes + totals.queued_bytes < LIMIT_BYTES + SIZE);
    read_until(&loopback, 0);
    for (int i = 0; i < count - 1; i++)
        GIVES(answer_wait(&answers[i]), 0);
    GIVES(weir_get_totals(loopback.runtime, -1, &totals), 0);
    cr_assert(totals.waiting_bytes == 0);
    loopback_close(&loopback);
}

enum { SHARED_BYTES = 4 << 20, PIECE_BYTES = 10000 };

/* Two sockets of two schedulers, whose peers read nothing. */
struct pair {
    struct loopback loopback;
    weir_socket sockets[2];
    int peers[2];
};

static void pair_open(struct pair *pair)
{
    const weir_config config = {.schedulers = 2, .queued_bytes_limit = SHARED_BYTES};
    pair->loopback = loopback_start(&config);
    pair->loopback.listener =
        listen_with(pair->loopback.runtime, "[" SMALL_BUFFERS ",{active,false},{send_timeout,0}]");
    for (int i = 0; i < 2; i++) {
        pair->peers[i] = peer_connect_with(weir_port(pair->loopback.listener), 4096);
        GIVES(weir_tcp_accept(pair->loopback.listener, weir_owned_by_nobody(), WAIT_MS,
                              &pair->sockets[i]),
              0);
    }
}

static void pair_close(struct pair *pair)
{
    for (int i = 0; i < 2; i++)
        peer_leave(&pair->peers[i]);
    loopback_close(&pair->loopback);
}

static uint64_t fill_until_busy(weir_socket socket)
{
    int result;
    do
        result = weir_send(socket, bytes, PIECE_BYTES);
    while (result == 0);
    GIVES(result, WEIR_TIMEOUT);
    return queued(socket);
}

/* What others do not use, and those have something for certain. */
Test(busy, a_scheduler_may_queue_what_others_leave)
{
    struct pair pair;
    pair_open(&pair);
    uint64_t first = fill_until_busy(pair.sockets[0]);
    uint64_t second = fill_until_busy(pair.sockets[1]);
    cr_expect(first > SHARED_BYTES / 4 * 3, "%lu bytes", (unsigned long)first);
    cr_expect(second > SHARED_BYTES / 64, "%lu bytes", (unsigned long)second);
    cr_expect(first + second < SHARED_BYTES + 2 * PIECE_BYTES);
    pair_close(&pair);
}

Test(busy, who_waits_is_told_when_another_scheduler_needs_less)
{
    struct pair pair;
    pair_open(&pair);
    uint64_t first = fill_until_busy(pair.sockets[0]);
    (void)fill_until_busy(pair.sockets[1]);
    GIVES(set(pair.sockets[1], "[{send_timeout,infinity}]"), 0);
    struct background waits = {
        .work = send_in_background, .socket = pair.sockets[1], .bytes = bytes, .size = PIECE_BYTES};
    background_start(&waits);
    weir_totals totals;
    do
        GIVES(weir_get_totals(pair.loopback.runtime, -1, &totals), 0);
    while (totals.waiting_bytes < PIECE_BYTES);
    char *all = memory_allocate_zeroed(1, first);
    peer_read(pair.peers[0], all, first);
    memory_free(all);
    GIVES(background_join(&waits), 0);
    pair_close(&pair);
}
