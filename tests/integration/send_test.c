/* SPDX-License-Identifier: MIT */
/* The send queue: when a sender waits, for what, and what becomes of what is queued. */
#include "support/loopback.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static struct loopback open_small(const char *more)
{
    char options[256];
    struct loopback loopback = loopback_start(NULL);
    snprintf(options, sizeof(options), "[" SMALL_BUFFERS ",{active,false}%s]", more);
    loopback.listener = listen_with(loopback.runtime, options);
    loopback.peer = peer_connect_with(weir_port(loopback.listener), 4096);
    GIVES(weir_tcp_accept(loopback.listener, weir_mailed_to(loopback.mailbox), WAIT_MS,
                          &loopback.socket),
          0);
    return loopback;
}

static void set_marks(weir_socket socket, uint64_t high, uint64_t low)
{
    char options[96];
    snprintf(options, sizeof(options), "[{high_watermark,%lu},{low_watermark,%lu}]",
             (unsigned long)high, (unsigned long)low);
    GIVES(set(socket, options), 0);
}

/* 1: an empty queue takes any amount at once, and no mark is looked at. */
Test(send, an_empty_queue_takes_all_at_once)
{
    struct loopback loopback = open_small(",{high_watermark,10},{low_watermark,5}");
    uint64_t before = now_ms();
    uint64_t size = fill_queue(&loopback);
    cr_expect(now_ms() - before < AT_ONCE_MS);
    cr_expect(size < FILL_BYTES, "the kernel took nothing");
    loopback_close(&loopback);
}

/* 2: the boundary. A send that brings the queue to the high mark waits; its bytes are queued. */
static void cross(const char *packet, size_t header, size_t under)
{
    char options[64];
    struct loopback loopback = open_small(",{send_timeout,0}");
    uint64_t size = fill_queue(&loopback);
    snprintf(options, sizeof(options), "[{packet,%s}]", packet);
    GIVES(set(loopback.socket, options), 0);
    set_marks(loopback.socket, size + 10, 1000);
    GIVES(weir_send(loopback.socket, "123456789", under), 0);
    cr_assert(queued(loopback.socket) == size + header + under);
    GIVES(weir_send(loopback.socket, "x", 0), header + under + header >= 10 ? WEIR_TIMEOUT : 0);
    uint64_t now = queued(loopback.socket);
    set_marks(loopback.socket, now + 10, 1000);
    GIVES(weir_send(loopback.socket, "1234567890", 10 - header), WEIR_TIMEOUT);
    cr_assert(queued(loopback.socket) == now + 10, "its bytes stay queued");
    loopback_close(&loopback);
}

Test(send, the_high_mark_counts_bytes)
{
    cross("raw", 0, 9);
}

Test(send, the_high_mark_counts_headers)
{
    cross("4", 4, 5);
}

Test(send, one_over_the_high_mark_waits_too)
{
    struct loopback loopback = open_small(",{send_timeout,0}");
    set_marks(loopback.socket, fill_queue(&loopback) + 10, 1000);
    GIVES(weir_send(loopback.socket, "12345678901", 11), WEIR_TIMEOUT);
    loopback_close(&loopback);
}

/* 3 and 4: who comes later is not queued at all; raising the marks frees nobody; the low mark
 * does, and all bytes arrive in the order of the sends. */
Test(send, the_low_mark_frees_those_who_wait)
{
    struct loopback loopback = open_small("");
    uint64_t size = fill_queue(&loopback);
    set_marks(loopback.socket, size + 4, 1000);
    struct background crossing = {
        .work = send_in_background, .socket = loopback.socket, .bytes = "11111", .size = 5};
    background_start(&crossing);
    EVENTUALLY(queued(loopback.socket) == size + 5);
    struct answer suspended = {0};
    GIVES(weir_send_async(loopback.socket, "22222", 5, answer_sent, &suspended), 0);
    settle(loopback.socket);
    cr_assert(queued(loopback.socket) == size + 5, "the second was queued");
    set_marks(loopback.socket, size * 2, 1000);
    settle(loopback.socket);
    cr_assert(answer_count(&suspended) == 0);

    char *all = malloc(FILL_BYTES + 10);
    peer_read(loopback.peer, all, FILL_BYTES + 10);
    cr_assert(memcmp(all + FILL_BYTES, "1111122222", 10) == 0);
    free(all);
    GIVES(background_join(&crossing), 0);
    GIVES(answer_wait(&suspended), 0);
    loopback_close(&loopback);
}

/* 5 */
Test(send, send_timeout_leaves_the_bytes_queued_and_the_socket_not_busy)
{
    struct loopback loopback = open_small(",{send_timeout,100}");
    uint64_t size = fill_queue(&loopback);
    set_marks(loopback.socket, size + 4, 1000);
    uint64_t before = now_ms();
    GIVES(weir_send(loopback.socket, "11111", 5), WEIR_TIMEOUT);
    cr_expect(now_ms() - before >= 100, "after %lu ms", (unsigned long)(now_ms() - before));
    GIVES(weir_send(loopback.socket, "22222", 5), WEIR_TIMEOUT);
    cr_assert(queued(loopback.socket) == size + 10);
    char *all = malloc(FILL_BYTES + 10);
    peer_read(loopback.peer, all, FILL_BYTES + 10);
    cr_assert(memcmp(all + FILL_BYTES, "1111122222", 10) == 0);
    free(all);
    loopback_close(&loopback);
}

/* 6 */
static void time_out_and_close(const char *active)
{
    char options[96];
    weir_packet packet;
    struct loopback loopback = open_small("");
    snprintf(options, sizeof(options), "[{active,%s},{send_timeout,%s},{send_timeout_close,true}]",
             active, strcmp(active, "true") == 0 ? "0" : "50");
    GIVES(set(loopback.socket, options), 0);
    set_marks(loopback.socket, fill_queue(&loopback) + 4, 1000);
    GIVES(weir_send(loopback.socket, "11111", 5), WEIR_TIMEOUT);
    GIVES(weir_send(loopback.socket, "11111", 5), -ENOTCONN);
    GIVES(weir_recv(loopback.socket, 0, 0, &packet), -ENOTCONN);
    GIVES(weir_port(loopback.socket), -EBADF);
    EVENTUALLY(queued(loopback.socket) == 0); /* the kernel gives the last bytes back */
    cr_assert(peer_drain(loopback.peer) < FILL_BYTES, "what was queued was sent");
    expect_quiet(&loopback);
    loopback_close(&loopback);
}

Test(send, send_timeout_close_passive)
{
    time_out_and_close("false");
}

Test(send, send_timeout_close_active_tells_nobody)
{
    time_out_and_close("true");
}

/* 7 */
Test(send, a_reset_ends_a_waiting_send)
{
    struct loopback loopback = open_small("");
    uint64_t size = fill_queue(&loopback);
    set_marks(loopback.socket, size + 4, 1000);
    struct background crossing = {
        .work = send_in_background, .socket = loopback.socket, .bytes = "11111", .size = 5};
    background_start(&crossing);
    EVENTUALLY(queued(loopback.socket) == size + 5);
    struct answer suspended = {0};
    GIVES(weir_send_async(loopback.socket, "22222", 5, answer_sent, &suspended), 0);
    settle(loopback.socket);
    peer_reset(&loopback.peer);
    GIVES(background_join(&crossing), WEIR_CLOSED);
    GIVES(answer_wait(&suspended), -ENOTCONN); /* as any send from now on */
    EVENTUALLY(queued(loopback.socket) == 0);  /* the kernel gives the last bytes back */
    loopback_close(&loopback);
}

Test(send, the_end_seen_by_recv_ends_a_waiting_send)
{
    struct loopback loopback = open_small("");
    uint64_t size = fill_queue(&loopback);
    weir_packet packet;
    set_marks(loopback.socket, size + 4, 1000);
    struct background crossing = {
        .work = send_in_background, .socket = loopback.socket, .bytes = "11111", .size = 5};
    background_start(&crossing);
    EVENTUALLY(queued(loopback.socket) == size + 5);
    peer_finish(loopback.peer);
    GIVES(weir_recv(loopback.socket, 0, WAIT_MS, &packet), WEIR_CLOSED);
    GIVES(background_join(&crossing), WEIR_CLOSED);
    loopback_close(&loopback);
}

Test(send, close_ends_a_waiting_send)
{
    struct loopback loopback = open_small("");
    uint64_t size = fill_queue(&loopback);
    set_marks(loopback.socket, size + 4, 1000);
    struct background crossing = {
        .work = send_in_background, .socket = loopback.socket, .bytes = "11111", .size = 5};
    background_start(&crossing);
    EVENTUALLY(queued(loopback.socket) == size + 5);
    GIVES(weir_close(loopback.socket), 0);
    GIVES(background_join(&crossing), WEIR_CLOSED);
    cr_assert(peer_drain(loopback.peer) == FILL_BYTES + 5);
    loopback_close(&loopback);
}

/* 8: no linger: close returns at once, and nothing that was queued is lost. */
Test(send, close_connections_nothing)
{
    struct loopback loopback = open_small("");
    fill_queue(&loopback);
    uint64_t before = now_ms();
    GIVES(weir_close(loopback.socket), 0);
    cr_expect(now_ms() - before < AT_ONCE_MS);
    cr_assert(peer_drain(loopback.peer) == FILL_BYTES);
    loopback_close(&loopback);
}

Test(send, an_owners_death_loses_nothing)
{
    struct loopback loopback = open_small("");
    fill_queue(&loopback);
    weir_mailbox_destroy(loopback.mailbox);
    GIVES(weir_port(loopback.socket), -EINVAL);
    cr_assert(peer_drain(loopback.peer) == FILL_BYTES);
    GIVES(weir_mailbox_create(&loopback.mailbox), 0);
    loopback_close(&loopback);
}

Test(send, linger_of_nothing_resets)
{
    struct loopback loopback = open_small(",{linger,{true,0}}");
    fill_queue(&loopback);
    GIVES(weir_close(loopback.socket), 0);
    cr_assert(peer_drain(loopback.peer) == -ECONNRESET);
    loopback_close(&loopback);
}

Test(send, linger_waits_no_longer_than_it_is_told)
{
    struct loopback loopback = open_small(",{linger,{true,1}}");
    fill_queue(&loopback);
    uint64_t before = now_ms();
    GIVES(weir_close(loopback.socket), 0);
    uint64_t spent = now_ms() - before;
    cr_assert(spent >= 1000 && spent < AT_ONCE_MS, "close took %lu ms", (unsigned long)spent);
    cr_assert(peer_drain(loopback.peer) == FILL_BYTES);
    loopback_close(&loopback);
}

static int close_it(struct background *background)
{
    return weir_close(background->socket);
}

Test(send, linger_ends_when_the_queue_is_empty)
{
    struct loopback loopback = open_small(",{linger,{true,30}}");
    fill_queue(&loopback);
    struct background closing = {.work = close_it, .socket = loopback.socket};
    background_start(&closing);
    cr_assert(peer_drain(loopback.peer) == FILL_BYTES);
    GIVES(background_join(&closing), 0);
    loopback_close(&loopback);
}

/* shutdown with output queued: at once, done when the queue is empty. */
Test(send, shutdown_comes_after_what_is_queued)
{
    struct loopback loopback = open_small("");
    fill_queue(&loopback);
    GIVES(weir_shutdown(loopback.socket, WEIR_WRITE), 0);
    cr_assert(peer_drain(loopback.peer) == FILL_BYTES);
    peer_say(loopback.peer, "abc");
    expect_received(loopback.socket, 0, "abc");
    loopback_close(&loopback);
}

Test(send, a_send_after_shutdown_drops_what_is_queued)
{
    struct loopback loopback = open_small("");
    fill_queue(&loopback);
    GIVES(weir_shutdown(loopback.socket, WEIR_READ_WRITE), 0);
    GIVES(weir_send(loopback.socket, "a", 1), WEIR_CLOSED);
    GIVES(weir_send(loopback.socket, "a", 1), -ENOTCONN);
    GIVES(weir_port(loopback.socket), -EBADF);
    int64_t got = peer_drain(loopback.peer);
    cr_assert(got < FILL_BYTES, "%ld bytes", (long)got);
    loopback_close(&loopback);
}

/* A handler does not wait: it is refused, nothing is taken, and it is told when to go on. */
struct refused {
    weir_socket socket;
    int refusals;
    int result;
    uint32_t unbusy;
};

static void send_till_refused(void *data)
{
    struct refused *refused = data;
    static char bytes[100000];
    while ((refused->result = weir_send(refused->socket, bytes, sizeof(bytes))) == 0)
        refused->refusals++;
}

static void note_unbusy(weir_socket socket, void *data)
{
    struct refused *refused = data;
    (void)socket;
    __atomic_fetch_add(&refused->unbusy, 1, __ATOMIC_RELEASE);
}

Test(send, a_handler_is_refused_and_told)
{
    static const weir_handler handler = {.unbusy = note_unbusy};
    struct loopback loopback = open_small(",{high_watermark,1000000},{low_watermark,1000}");
    struct refused refused = {.socket = loopback.socket};
    GIVES(weir_controlling_process(loopback.socket, weir_mailed_to(loopback.mailbox),
                                   weir_handled_by(&handler, &refused)),
          0);
    run_there(loopback.runtime, 0, send_till_refused, &refused);
    GIVES(refused.result, -EAGAIN);
    cr_assert(refused.refusals == 10, "%d sends were taken", refused.refusals);
    settle(loopback.socket);
    cr_assert(__atomic_load_n(&refused.unbusy, __ATOMIC_ACQUIRE) == 0);
    char *all = malloc(1000000);
    peer_read(loopback.peer, all, 1000000);
    free(all);
    EVENTUALLY(__atomic_load_n(&refused.unbusy, __ATOMIC_ACQUIRE) == 1);
    loopback_close(&loopback);
}

/* Over the runtime's limit every socket with something queued is busy. */
Test(send, the_runtime_has_a_limit)
{
    static const weir_config config = {.schedulers = 1, .queued_bytes_limit = 1000000};
    struct loopback loopback = loopback_start(&config);
    loopback.listener = listen_with(loopback.runtime, "[" SMALL_BUFFERS ",{active,false}]");
    loopback.peer = peer_connect_with(weir_port(loopback.listener), 4096);
    GIVES(weir_tcp_accept(loopback.listener, weir_mailed_to(loopback.mailbox), WAIT_MS,
                          &loopback.socket),
          0);
    fill_queue(&loopback);
    struct answer answer = {0};
    struct background waiting = {
        .work = send_in_background, .socket = loopback.socket, .bytes = "11111", .size = 5};
    GIVES(weir_send_async(loopback.socket, "22222", 5, answer_sent, &answer), 0);
    GIVES(answer_wait(&answer), -ENOBUFS); /* a thread waits for itself alone */
    background_start(&waiting);
    char *all = malloc(FILL_BYTES + 5);
    peer_read(loopback.peer, all, FILL_BYTES + 5);
    free(all);
    GIVES(background_join(&waiting), 0);
    loopback_close(&loopback);
}

Test(send, too_large_for_its_header)
{
    struct loopback loopback = loopback_open("[{packet,1},{active,false}]");
    static char bytes[65536];
    GIVES(weir_send(loopback.socket, bytes, 256), -EMSGSIZE);
    GIVES(weir_send(loopback.socket, bytes, 255), 0);
    GIVES(set(loopback.socket, "[{packet,2}]"), 0);
    GIVES(weir_send(loopback.socket, bytes, 65536), -EMSGSIZE);
    GIVES(weir_send(loopback.socket, bytes, 65535), 0);
    GIVES(weir_send(loopback.socket, NULL, 1), -EINVAL);
    GIVES(weir_close(loopback.socket), 0);
    cr_assert(peer_drain(loopback.peer) == 256 + 65537);
    loopback_close(&loopback);
}

Test(send, nothing_is_counted_and_framed)
{
    struct loopback loopback = loopback_open("[{active,false}]");
    char header[4];
    GIVES(weir_send(loopback.socket, NULL, 0), 0);
    cr_assert(statistics_of(loopback.socket).send_cnt == 1);
    GIVES(set(loopback.socket, "[{packet,4}]"), 0);
    GIVES(weir_send(loopback.socket, "", 0), 0);
    peer_read(loopback.peer, header, 4);
    cr_assert(memcmp(header, "\0\0\0\0", 4) == 0);
    weir_statistics statistics = statistics_of(loopback.socket);
    cr_assert(statistics.send_cnt == 2 && statistics.send_oct == 4);
    loopback_close(&loopback);
}

Test(send, a_listener_sends_nothing)
{
    struct loopback loopback = loopback_open("[{active,false}]");
    weir_packet packet;
    GIVES(weir_send(loopback.listener, "a", 1), -ENOTCONN);
    GIVES(weir_recv(loopback.listener, 0, 0, &packet), -ENOTCONN);
    GIVES(weir_shutdown(loopback.listener, WEIR_WRITE), -ENOTCONN);
    loopback_close(&loopback);
}

/* Every send of one turn goes out together. */
static void send_many(void *data)
{
    weir_socket *socket = data;
    for (int i = 0; i < 100; i++)
        cr_expect(weir_send(*socket, "0123456789", 10) == 0);
}

Test(send, delay_send_gathers)
{
    struct loopback loopback = loopback_open("[{delay_send,true},{active,false}]");
    weir_totals before;
    weir_totals after;
    settle(loopback.socket);
    weir_get_totals(loopback.runtime, 0, &before);
    run_there(loopback.runtime, 0, send_many, &loopback.socket);
    char bytes[1000];
    peer_read(loopback.peer, bytes, sizeof(bytes));
    settle(loopback.socket);
    weir_get_totals(loopback.runtime, 0, &after);
    cr_assert(after.send_operations - before.send_operations == 1);
    loopback_close(&loopback);
}

/* Several threads send to one socket: each thread's packets stay in order and none is torn. */
enum { SENDERS = 4, SENDS = 500 };

struct sender {
    pthread_t thread;
    weir_socket socket;
    uint32_t number;
    int result;
};

static void *send_numbered(void *data)
{
    struct sender *sender = data;
    for (uint32_t i = 0; i < SENDS && sender->result == 0; i++) {
        uint32_t words[16] = {sender->number, i};
        sender->result = weir_send(sender->socket, words, sizeof(words));
    }
    return NULL;
}

Test(send, several_threads_keep_their_order)
{
    struct loopback loopback = loopback_open("[{packet,2},{active,false},{high_watermark,20000}]");
    struct sender senders[SENDERS];
    uint32_t next[SENDERS] = {0};
    for (uint32_t i = 0; i < SENDERS; i++) {
        senders[i] = (struct sender){.socket = loopback.socket, .number = i};
        pthread_create(&senders[i].thread, NULL, send_numbered, &senders[i]);
    }
    for (int i = 0; i < SENDERS * SENDS; i++) {
        uint8_t header[2];
        uint32_t words[16];
        peer_read(loopback.peer, header, 2);
        cr_assert(header[0] == 0 && header[1] == sizeof(words));
        peer_read(loopback.peer, words, sizeof(words));
        cr_assert(words[0] < SENDERS && words[1] == next[words[0]]++);
    }
    for (uint32_t i = 0; i < SENDERS; i++) {
        pthread_join(senders[i].thread, NULL);
        GIVES(senders[i].result, 0);
    }
    loopback_close(&loopback);
}

/* A megabyte in pieces of every size arrives byte for byte, whatever the kernel takes of it. */
Test(send, short_sends_lose_nothing)
{
    struct loopback loopback = open_small("");
    enum { SIZE = 1 << 20 };
    uint8_t *bytes = malloc(SIZE);
    uint8_t *got = malloc(SIZE);
    for (size_t i = 0; i < SIZE; i++)
        bytes[i] = (uint8_t)(i * 7 >> 3);
    for (size_t at = 0, piece = 1; at < SIZE; at += piece, piece = piece * 3 % 5003 + 1) {
        piece = piece < SIZE - at ? piece : SIZE - at;
        GIVES(weir_send(loopback.socket, bytes + at, piece), 0);
    }
    peer_read(loopback.peer, got, SIZE);
    cr_assert(memcmp(got, bytes, SIZE) == 0);
    free(bytes);
    free(got);
    loopback_close(&loopback);
}

static void count_released(void *count)
{
    ++*(int *)count;
}

/* What a read or a snprintf that failed has returned, taken for a size. */
Test(send, a_size_below_nothing)
{
    struct loopback loopback = loopback_open("[{active,false}]");
    for (size_t size = SIZE_MAX; size > SIZE_MAX / 2; size -= SIZE_MAX / 4) {
        int released = 0;
        const weir_owned_bytes owned = {"x", size, count_released, &released};
        GIVES(weir_send(loopback.socket, "x", size), -EINVAL);
        GIVES(weir_send_async(loopback.socket, "x", size, NULL, NULL), -EINVAL);
        GIVES(weir_send_owned(loopback.socket, "x", size, count_released, &released), -EINVAL);
        GIVES(weir_send_owned_async(loopback.socket, &owned, NULL, NULL), -EINVAL);
        cr_expect_eq(released, 2);
    }
    loopback_close(&loopback);
}

/* The sum is 1: what is copied would be everything that follows in memory. */
Test(send, pieces_that_are_larger_than_memory)
{
    struct loopback loopback = loopback_open("[{active,false}]");
    const struct iovec pieces[] = {{(void *)"x", SIZE_MAX}, {(void *)"yz", 2}};
    const struct iovec half[] = {{(void *)"x", SIZE_MAX / 2}, {(void *)"x", SIZE_MAX / 2}};
    GIVES(weir_sendv(loopback.socket, pieces, 2), -EINVAL);
    GIVES(weir_sendv(loopback.socket, half, 2), -EINVAL);
    GIVES(weir_sendv_async(loopback.socket, pieces, 2, NULL, NULL), -EINVAL);
    cr_expect_str_eq(weir_last_error_text(), "send: the pieces together are larger than memory");
    loopback_close(&loopback);
}
