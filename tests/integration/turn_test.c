/* SPDX-License-Identifier: MIT */
/* What a turn is: who is called back when, that it ends, and that nothing is left lying in it. */
#include "support/loopback.h"

#include <stdatomic.h>
#include <string.h>

/* Owned memory: each piece is sent when the one before it has been released. */

enum { CHUNKS = 20, CHUNK_SIZE = 8192 };

static uint8_t chunks[CHUNKS][CHUNK_SIZE];
static struct {
    weir_socket socket;
    int next;
    int inside; /* one of our own functions is running */
} owned;

static void send_next(void *data)
{
    (void)data;
    cr_assert(!owned.inside, "released is called under the send, or in the middle of another");
    if (owned.next == CHUNKS)
        return;
    uint8_t *chunk = chunks[owned.next++];
    owned.inside = 1;
    cr_assert(weir_send_owned(owned.socket, chunk, CHUNK_SIZE, send_next, NULL) == 0);
    owned.inside = 0;
}

static void start_sending(weir_socket socket, void *data)
{
    owned.socket = socket;
    send_next(data);
}

static void expect_chunks(int peer)
{
    static uint8_t got[CHUNKS][CHUNK_SIZE];
    peer_read(peer, got, sizeof(got));
    cr_expect(memcmp(got, chunks, sizeof(got)) == 0);
}

static const weir_handler chain = {.accepted = start_sending};

Test(turn, released_may_send)
{
    struct loopback loopback = loopback_start(NULL);
    weir_socket service;
    memset(&owned, 0, sizeof(owned));
    for (int i = 0; i < CHUNKS; i++)
        memset(chunks[i], 'a' + i, CHUNK_SIZE);
    cr_assert(weir_tcp_serve(loopback.runtime, "127.0.0.1", 0, NULL, weir_handled_by(&chain, NULL),
                             &service) == 0);
    int peer = peer_connect(weir_port(service));
    expect_chunks(peer);
    peer_leave(&peer);
    loopback_close(&loopback);
}

static atomic_int told;

static void close_it(void *data)
{
    (void)data;
    cr_expect(!owned.inside, "released is called under the close");
    cr_expect(weir_close(owned.socket) == 0);
    atomic_fetch_add(&told, 1);
}

static void send_all(weir_socket socket)
{
    owned.socket = socket;
    for (int i = 0; i < CHUNKS; i++)
        cr_expect(weir_send_owned(socket, chunks[i], CHUNK_SIZE, close_it, NULL) == 0);
    cr_expect(atomic_load(&told) == 0);
}

static void send_without_closing(weir_socket socket, void *data)
{
    (void)data;
    send_all(socket);
}

static void send_and_close(weir_socket socket, void *data)
{
    (void)data;
    send_all(socket);
    owned.inside = 1;
    cr_expect(weir_close(socket) == 0);
    owned.inside = 0;
}

static const weir_handler sender = {.accepted = send_without_closing};
static const weir_handler closer = {.accepted = send_and_close};

/* How much the peer gets. */
static int64_t expect_all_released(const weir_handler *handler, const weir_option *options)
{
    struct loopback loopback = loopback_start(NULL);
    weir_socket service;
    memset(&owned, 0, sizeof(owned));
    atomic_store(&told, 0);
    cr_assert(weir_tcp_serve(loopback.runtime, "127.0.0.1", 0, options,
                             weir_handled_by(handler, NULL), &service) == 0);
    int peer = peer_connect(weir_port(service));
    int64_t got = peer_drain(peer);
    peer_leave(&peer);
    EVENTUALLY(atomic_load(&told) == CHUNKS);
    loopback_close(&loopback);
    return got;
}

Test(turn, released_may_close)
{
    cr_expect(expect_all_released(&sender, NULL) == CHUNKS * CHUNK_SIZE);
}

/* A close that drops what is queued gives it back, but not before it has returned. */
Test(turn, released_comes_after_the_close)
{
    (void)expect_all_released(&closer, WEIR_OPTIONS(WEIR_LINGER(true, 0)));
}

/* An _async call that is over at once and made again by its own callback. */

static struct {
    weir_runtime *runtime;
    atomic_bool stop;
} again;

static void connect_again(weir_socket socket, int result, void *data)
{
    const weir_address elsewhere = {.family = WEIR_INET, .bytes = {203, 0, 113, 1}};
    (void)socket;
    (void)data;
    cr_expect(result < 0);
    if (atomic_load(&again.stop))
        return;
    result =
        weir_tcp_connect_async(again.runtime, "127.0.0.1", 1,
                               WEIR_OPTIONS(WEIR_ACTIVE(WEIR_ACTIVE_FALSE), WEIR_IP(elsewhere)),
                               weir_owned_by_nobody(), WAIT_MS, connect_again, data);
    cr_expect(result == 0);
}

static void connect_first(void *data)
{
    connect_again((weir_socket){0}, WEIR_CLOSED, data);
}

Test(turn, ends_whatever_is_asked_again)
{
    struct loopback loopback = loopback_start(NULL);
    again.runtime = loopback.runtime;
    atomic_store(&again.stop, false);
    weir_socket listener = listen_with(loopback.runtime, "[]");
    cr_assert(weir_run_on(loopback.runtime, 0, connect_first, NULL) == 0);
    for (int i = 0; i < 10; i++)
        settle(listener);
    atomic_store(&again.stop, true);
    loopback_close(&loopback);
}

static atomic_int posts;

static void post_again(void *data)
{
    atomic_fetch_add(&posts, 1);
    if (!atomic_load(&again.stop))
        cr_expect(weir_run_on(again.runtime, 0, post_again, data) == 0);
}

Test(turn, ends_whatever_is_posted_again)
{
    struct loopback loopback = loopback_start(NULL);
    again.runtime = loopback.runtime;
    atomic_store(&again.stop, false);
    loopback.listener = listen_with(loopback.runtime, "[]");
    cr_assert(weir_run_on(loopback.runtime, 0, post_again, NULL) == 0);
    for (int i = 0; i < 10; i++)
        loopback_reopen(&loopback); /* by what the ring brings, which is looked at in turns */
    cr_expect(atomic_load(&posts) > 1);
    atomic_store(&again.stop, true);
    settle(loopback.listener);
    loopback_close(&loopback);
}

/* The callbacks of sends come in the order of the sends. */

enum { SENDS = 20 };

static struct {
    weir_socket socket;
    size_t size;
    int order[SENDS];
    atomic_int count;
} sends;

static void note_sent(weir_socket socket, int result, void *data)
{
    (void)socket;
    cr_expect(result == 0);
    int at = atomic_load(&sends.count);
    sends.order[at] = (int)(intptr_t)data;
    atomic_store(&sends.count, at + 1);
}

static void send_several(void *data)
{
    static const char bytes[4096];
    (void)data;
    for (intptr_t i = 0; i < SENDS; i++)
        cr_expect(weir_send_async(sends.socket, bytes, sends.size, note_sent, (void *)i) == 0);
}

/* Of so many bytes each, with a queue that so many make busy. */
static void expect_order(size_t size, const char *options)
{
    struct loopback loopback = loopback_open(options);
    sends.socket = loopback.socket;
    sends.size = size;
    atomic_store(&sends.count, 0);
    cr_assert(weir_run_on(loopback.runtime, 0, send_several, NULL) == 0);
    int64_t left = (int64_t)size * SENDS;
    char bytes[4096];
    for (; left > 0; left -= (int64_t)size)
        peer_read(loopback.peer, bytes, size);
    while (atomic_load(&sends.count) < SENDS)
        settle(loopback.socket);
    for (int i = 0; i < SENDS; i++)
        cr_expect(sends.order[i] == i, "%zu bytes: callback %d is of send %d", size, i,
                  sends.order[i]);
    loopback_close(&loopback);
}

Test(turn, sends_call_back_in_order)
{
    expect_order(1, "[{active,false}]");
    expect_order(1, "[{active,false},{delay_send,true}]");
    expect_order(1000, "[{active,false},{high_watermark,2500},{low_watermark,1200}]");
    expect_order(4096, "[{active,false},{high_watermark,1},{low_watermark,0}]");
}

/* What a callback does when the turn ends is done although nothing else happens. */

static struct {
    weir_socket first;
    weir_socket second;
    atomic_int count;
} pair;

static void note_pair(weir_socket socket, void *data)
{
    (void)data;
    *(atomic_load(&pair.count) == 0 ? &pair.first : &pair.second) = socket;
    atomic_fetch_add(&pair.count, 1);
}

static void send_on_second(weir_socket socket, void *data)
{
    (void)data;
    if (weir_same_socket(socket, pair.first))
        cr_expect(weir_send(pair.second, "hello", 5) == 0);
}

static const weir_handler pair_handler = {.accepted = note_pair, .gone = send_on_second};

static void wait_for_pair(weir_socket service, int count)
{
    while (atomic_load(&pair.count) < count)
        settle(service);
}

static void expect_hello(const weir_option *options)
{
    struct loopback loopback = loopback_start(NULL);
    weir_socket service;
    atomic_store(&pair.count, 0);
    cr_assert(weir_tcp_serve(loopback.runtime, "127.0.0.1", 0, options,
                             weir_handled_by(&pair_handler, NULL), &service) == 0);
    int first = peer_connect(weir_port(service));
    wait_for_pair(service, 1);
    int second = peer_connect(weir_port(service));
    wait_for_pair(service, 2);
    peer_leave(&first);
    peer_expect(second, "hello");
    peer_leave(&second);
    loopback_close(&loopback);
}

Test(turn, nothing_is_left_lying_when_it_ends)
{
    expect_hello(NULL);
    expect_hello(WEIR_OPTIONS(WEIR_DELAY_SEND(true)));
}

/* A stop while callbacks make their calls again, whatever these give. */

static struct {
    weir_socket socket;
    atomic_int refused; /* what ended it */
    int (*ask)(void);
} asked;

static void ask_again(weir_socket socket, int result, void *data)
{
    (void)socket;
    (void)result;
    (void)data;
    result = asked.ask();
    if (result < 0)
        atomic_store(&asked.refused, result);
}

static void ask_again_for_packet(weir_socket socket, int result, const weir_packet *packet,
                                 void *data)
{
    (void)packet;
    ask_again(socket, result, data);
}

static int ask_to_accept(void)
{
    return weir_tcp_accept_async(asked.socket, weir_owned_by_nobody(), WEIR_INFINITY, ask_again,
                                 NULL);
}

static int ask_to_receive(void)
{
    return weir_recv_async(asked.socket, 0, WEIR_INFINITY, ask_again_for_packet, NULL);
}

static int ask_for_datagram(void)
{
    return weir_udp_recv_async(asked.socket, WEIR_INFINITY, ask_again_for_packet, NULL);
}

static int ask_to_send(void)
{
    return weir_send_async(asked.socket, "x", 1, ask_again, NULL);
}

static void begin_to_ask(void *data)
{
    (void)data;
    GIVES(asked.ask(), 0);
}

Test(turn, a_stop_ends_what_is_asked_again)
{
    static int (*const asks[])(void) = {ask_to_accept, ask_to_receive, ask_for_datagram,
                                        ask_to_send};
    for (size_t i = 0; i < sizeof(asks) / sizeof(asks[0]); i++) {
        struct loopback loopback = loopback_start(NULL);
        asked.ask = asks[i];
        atomic_store(&asked.refused, 0);
        if (asks[i] == ask_to_accept)
            asked.socket = listen_with(loopback.runtime, "[{active,false}]");
        else
            GIVES(weir_udp_open(loopback.runtime, 0, WEIR_OPTIONS(WEIR_ACTIVE(WEIR_ACTIVE_FALSE)),
                                weir_owned_by_nobody(), &asked.socket),
                  0);
        run_there(loopback.runtime, 0, begin_to_ask, NULL);
        loopback_close(&loopback);
        int refused = atomic_load(&asked.refused);
        cr_expect(refused == WEIR_CLOSED, "%zu: %s", i, weir_error_name(refused));
    }
}

/* Work that is posted while its scheduler stops: it runs, or is refused. */

static struct {
    weir_runtime *runtime;
    atomic_int promised;
    atomic_int ran;
} late;

static void note_ran(void *data)
{
    (void)data;
    atomic_fetch_add(&late.ran, 1);
}

static void *post_until_refused(void *data)
{
    (void)data;
    while (weir_run_on(late.runtime, 1, note_ran, NULL) == 0)
        atomic_fetch_add(&late.promised, 1);
    return NULL;
}

static void expect_promises_kept(void)
{
    const weir_config config = {.schedulers = 2};
    pthread_t poster;
    atomic_store(&late.promised, 0);
    atomic_store(&late.ran, 0);
    cr_assert(weir_start(&late.runtime, &config) == 0);
    cr_assert(pthread_create(&poster, NULL, post_until_refused, NULL) == 0);
    EVENTUALLY(atomic_load(&late.ran) > 0);
    cr_assert(weir_stop(late.runtime) == 0);
    pthread_join(poster, NULL);
    cr_expect(atomic_load(&late.ran) == atomic_load(&late.promised), "%d of %d ran",
              atomic_load(&late.ran), atomic_load(&late.promised));
}

Test(turn, work_for_a_scheduler_that_stops_is_done_or_refused)
{
    enum { ROUNDS = 10 };
    for (int i = 0; i < ROUNDS; i++)
        expect_promises_kept();
}
