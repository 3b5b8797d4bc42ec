/* SPDX-License-Identifier: MIT */
/* Where calls may be made from, what each form of them answers, and the figures of getstat. */
#include "support/loopback.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* On a scheduler. `home` is where the sockets are, `work` runs there or elsewhere. */
struct here {
    struct loopback *loopback;
    bool own;
};

static void call_what_waits(void *data)
{
    struct here *here = data;
    struct loopback *loopback = here->loopback;
    weir_socket socket = loopback->socket;
    weir_socket other;
    weir_packet packet;
    weir_message message;
    weir_runtime *runtime;
    weir_owner nobody = weir_owned_by_nobody();
    GIVES(weir_recv(socket, 0, WAIT_MS, &packet), -EDEADLK);
    cr_expect(strstr(weir_last_error_text(), "weir_recv") != NULL);
    GIVES(weir_recv(socket, 0, 0, &packet), -EDEADLK);
    GIVES(weir_tcp_accept(loopback->listener, nobody, 0, &other), -EDEADLK);
    GIVES(weir_tcp_connect(loopback->runtime, "127.0.0.1", 1,
                           WEIR_OPTIONS(WEIR_ACTIVE(WEIR_ACTIVE_FALSE)), nobody, 0, &other),
          -EDEADLK);
    GIVES(weir_mailbox_receive(loopback->mailbox, 1, &message), -EDEADLK);
    GIVES(weir_mailbox_receive(loopback->mailbox, 0, &message), WEIR_TIMEOUT);
    GIVES(weir_mailbox_destroy(loopback->mailbox), -EDEADLK);
    GIVES(weir_start(&runtime, NULL), -EDEADLK);
    GIVES(weir_stop(loopback->runtime), -EDEADLK);
    GIVES(weir_drain(loopback->runtime, 0), -EDEADLK);
    GIVES(weir_tcp_serve(loopback->runtime, "127.0.0.1", 0, WEIR_OPTIONS(),
                         weir_mailed_to(loopback->mailbox), NULL),
          -EDEADLK);
}

/* On the socket's own scheduler what need not wait is done at once; elsewhere it would wait. */
static void call_what_is_done_at_once(void *data)
{
    struct here *here = data;
    weir_socket socket = here->loopback->socket;
    int expected = here->own ? 0 : -EDEADLK;
    weir_statistics statistics;
    weir_address address;
    weir_option option = WEIR_REQUEST(PACKET);
    weir_owner owner = weir_mailed_to(here->loopback->mailbox);
    GIVES(weir_send(socket, "abc", 3), expected);
    GIVES(weir_setopts(socket, WEIR_OPTIONS(WEIR_NODELAY(true))), expected);
    GIVES(weir_getopts(socket, &option, 1), here->own ? 1 : -EDEADLK);
    GIVES(weir_getstat(socket, &statistics), expected);
    GIVES(weir_sockname(socket, &address), expected);
    GIVES(weir_peername(socket, &address), expected);
    GIVES(weir_controlling_process(socket, owner, owner), expected);
    GIVES(weir_shutdown(socket, WEIR_WRITE), expected);
}

static uint32_t home_of(struct loopback *loopback)
{
    return (uint32_t)(loopback->socket.id >> 56) - (uint32_t)(loopback->listener.id >> 56);
}

/* A listener on the first scheduler, the connection on the second. */
static struct loopback open_on_two(void)
{
    struct loopback loopback = loopback_start(&(weir_config){.schedulers = 2});
    loopback.listener = listen_with(loopback.runtime, "[{active,false}]");
    loopback_reopen(&loopback);
    while (home_of(&loopback) != 1)
        loopback_reopen(&loopback);
    return loopback;
}

Test(call, schedulers_do_not_wait)
{
    struct loopback loopback = open_on_two();
    struct here here = {.loopback = &loopback};
    run_there(loopback.runtime, 0, call_what_waits, &here);
    run_there(loopback.runtime, 1, call_what_waits, &here);
    run_there(loopback.runtime, 0, call_what_is_done_at_once, &here);
    here.own = true;
    run_there(loopback.runtime, 1, call_what_is_done_at_once, &here);
    peer_expect(loopback.peer, "abc");
    peer_expect_end(loopback.peer);
    loopback_close(&loopback);
}

static void note_scheduler(void *data)
{
    *(int *)data = weir_current_scheduler();
}

Test(call, work_runs_where_it_is_told)
{
    struct loopback loopback = loopback_start(&(weir_config){.schedulers = 3});
    cr_assert(weir_current_scheduler() == -1);
    cr_assert(weir_scheduler_count(loopback.runtime) == 3);
    for (uint32_t i = 0; i < 3; i++) {
        int where = -1;
        run_there(loopback.runtime, i, note_scheduler, &where);
        cr_expect(where == (int)i);
    }
    GIVES(weir_run_on(loopback.runtime, 3, note_scheduler, NULL), -EINVAL);
    GIVES(weir_run_on(loopback.runtime, 0, NULL, NULL), -EINVAL);
    weir_totals totals;
    GIVES(weir_get_totals(loopback.runtime, 3, &totals), -EINVAL);
    GIVES(weir_get_totals(loopback.runtime, 2, &totals), 0);
    loopback_close(&loopback);
}

/* _async from a scheduler, of its own sockets and of others': called back there, once, and not
 * before it has returned. */
struct asking {
    struct loopback *loopback;
    int home;
    int returned;
    int early;
    int elsewhere;
    uint32_t answers;
    int results[8];
};

static void note(struct asking *asking, int result)
{
    asking->early += !asking->returned;
    asking->elsewhere += weir_current_scheduler() != asking->home;
    asking->results[asking->answers] = result;
    __atomic_fetch_add(&asking->answers, 1, __ATOMIC_RELEASE);
}

static void note_opened(weir_socket socket, int result, void *data)
{
    (void)socket;
    note(data, result);
}

static void note_received(weir_socket socket, int result, const weir_packet *packet, void *data)
{
    (void)socket;
    cr_expect((packet != NULL) == (result == 0));
    note(data, result);
}

static void ask_everything(void *data)
{
    struct asking *asking = data;
    weir_socket socket = asking->loopback->socket;
    weir_socket listener = asking->loopback->listener;
    weir_owner nobody = weir_owned_by_nobody();
    asking->home = weir_current_scheduler();
    GIVES(weir_send_async(socket, "abc", 3, note_opened, asking), 0);
    GIVES(weir_send_async(socket, "", 0, note_opened, asking), 0);
    GIVES(weir_recv_async(socket, 0, 0, note_received, asking), 0);
    GIVES(weir_recv_async(socket, 100000000, 0, note_received, asking), 0);
    GIVES(weir_recv_async(listener, 0, 0, note_received, asking), 0);
    GIVES(weir_tcp_accept_async(listener, nobody, 0, note_opened, asking), 0);
    GIVES(weir_tcp_accept_async(socket, nobody, 0, note_opened, asking), 0);
    asking->returned = true;
}

static int count_of(const struct asking *asking, int result)
{
    int count = 0;
    for (uint32_t i = 0; i < asking->answers; i++)
        count += asking->results[i] == result;
    return count;
}

Test(call, async_calls_back_once_and_later)
{
    struct loopback loopback = open_on_two();
    for (uint32_t scheduler = 0; scheduler < 2; scheduler++) {
        struct asking asking = {.loopback = &loopback};
        run_there(loopback.runtime, scheduler, ask_everything, &asking);
        EVENTUALLY(__atomic_load_n(&asking.answers, __ATOMIC_ACQUIRE) == 7);
        settle(loopback.socket);
        settle(loopback.listener);
        cr_expect(asking.answers == 7);
        cr_expect(asking.early == 0 && asking.elsewhere == 0);
        cr_expect(count_of(&asking, 0) == 2);
        cr_expect(count_of(&asking, WEIR_TIMEOUT) == 2);
        cr_expect(count_of(&asking, -ENOMEM) == 1);
        cr_expect(count_of(&asking, -ENOTCONN) == 1);
        cr_expect(count_of(&asking, -EINVAL) == 1);
        peer_expect(loopback.peer, "abc");
    }
    loopback_close(&loopback);
}

/* An _async form that returns an error does not call back. */
static void ask_the_dead(void *data)
{
    struct asking *asking = data;
    const weir_socket none = {0};
    GIVES(weir_send_async(none, "abc", 3, note_opened, asking), WEIR_CLOSED);
    GIVES(weir_recv_async(none, 0, 0, note_received, asking), WEIR_CLOSED);
    GIVES(weir_tcp_accept_async(none, weir_owned_by_nobody(), 0, note_opened, asking), WEIR_CLOSED);
    GIVES(weir_send_async(asking->loopback->socket, NULL, 3, note_opened, asking), -EINVAL);
}

Test(call, async_does_not_call_back_what_it_refuses)
{
    struct loopback loopback = loopback_open("[{active,false}]");
    struct asking asking = {.loopback = &loopback};
    ask_the_dead(&asking);
    run_there(loopback.runtime, 0, ask_the_dead, &asking);
    settle(loopback.socket);
    cr_assert(asking.answers == 0);
    loopback_close(&loopback);
}

Test(call, handles_of_nothing)
{
    struct loopback loopback = loopback_open("[{active,false}]");
    const weir_socket handles[] = {
        {0}, {1}, {UINT64_MAX}, {loopback.socket.id + (1ull << 32)}, {loopback.socket.id + 1000}};
    for (size_t i = 0; i < sizeof(handles) / sizeof(handles[0]); i++) {
        weir_packet packet;
        GIVES(weir_send(handles[i], "a", 1), WEIR_CLOSED);
        GIVES(weir_recv(handles[i], 0, 0, &packet), WEIR_CLOSED);
        GIVES(weir_port(handles[i]), -EINVAL);
        GIVES(weir_close(handles[i]), 0);
    }
    loopback_close(&loopback);
}

/* A handler closes sockets of other schedulers, and its own, in the middle of everything. */
static void close_it(void *data)
{
    struct loopback *loopback = data;
    GIVES(weir_close(loopback->socket), 0);
    GIVES(weir_close(loopback->socket), 0);
}

Test(call, close_from_every_scheduler)
{
    struct loopback loopback = open_on_two();
    run_there(loopback.runtime, 0, close_it, &loopback);
    peer_expect_end(loopback.peer);
    loopback_reopen(&loopback);
    run_there(loopback.runtime, 1, close_it, &loopback);
    peer_expect_end(loopback.peer);
    loopback_close(&loopback);
}

static void close_at_once(weir_socket socket, const weir_packet *packet, void *data)
{
    uint32_t *count = data;
    (void)packet;
    cr_expect(weir_send(socket, "bye", 3) == 0);
    cr_expect(weir_close(socket) == 0);
    __atomic_fetch_add(count, 1, __ATOMIC_RELEASE);
}

Test(call, a_handler_closes_in_its_callback)
{
    static const weir_handler handler = {.packet = close_at_once};
    struct loopback loopback = loopback_open("[{packet,line},{active,true}]");
    uint32_t count = 0;
    GIVES(weir_controlling_process(loopback.socket, weir_mailed_to(loopback.mailbox),
                                   weir_handled_by(&handler, &count)),
          0);
    GIVES(set(loopback.socket, "[{delay_send,true}]"), 0);
    peer_say(loopback.peer, "a\nb\nc\n");
    peer_expect(loopback.peer, "bye");
    peer_expect_end(loopback.peer);
    cr_assert(__atomic_load_n(&count, __ATOMIC_ACQUIRE) == 1);
    loopback_close(&loopback);
}

/* getstat: the document's two sequences, there and back. */
static void expect_traffic(const weir_statistics *got, bool received, uint64_t octets,
                           uint32_t count, uint32_t max, uint32_t average, uint32_t deviation)
{
    const char *side = received ? "recv" : "send";
    char name[16];
    const uint64_t expected[] = {octets, count, max, average, deviation};
    const char *const keys[] = {"oct", "cnt", "max", "avg", "dvi"};
    for (int i = 0; i < 5; i++) {
        uint64_t value;
        snprintf(name, sizeof(name), "%s_%s", side, keys[i]);
        GIVES(weir_statistic(got, name, &value), 0);
        cr_expect(value == expected[i], "%s is %lu, not %lu", name, (unsigned long)value,
                  (unsigned long)expected[i]);
    }
}

struct sequence {
    const char *options;
    int header;
    size_t count;
    size_t sizes[7];
    uint64_t octets[7];
    uint32_t max[7];
    uint32_t average[7];
    uint32_t deviation[7];
};

static const struct sequence sequences[] = {
    {"[{packet,2},{active,false}]",
     2,
     7,
     {10, 20, 30, 5, 100, 0, 7},
     {12, 34, 66, 73, 175, 177, 186},
     {12, 22, 32, 32, 102, 102, 102},
     {12, 17, 22, 18, 35, 29, 26},
     {0, 2, 5, 0, 14, 7, 3}},
    {"[{packet,1},{active,false}]",
     1,
     5,
     {99, 0, 0, 0, 200},
     {100, 101, 102, 103, 304},
     {100, 100, 100, 100, 201},
     {100, 50, 34, 25, 60},
     {0, 24, 27, 26, 6}},
};

Test(getstat, sequences_received)
{
    struct loopback loopback = loopback_open("[{active,false}]");
    for (size_t s = 0; s < 2; s++) {
        const struct sequence *row = &sequences[s];
        loopback_reopen(&loopback);
        GIVES(set(loopback.socket, row->options), 0);
        for (size_t i = 0; i < row->count; i++) {
            char bytes[256] = {0};
            weir_packet packet;
            bytes[row->header - 1] = (char)row->sizes[i];
            peer_write(loopback.peer, bytes, (size_t)row->header + row->sizes[i]);
            GIVES(weir_recv(loopback.socket, 0, WAIT_MS, &packet), 0);
            weir_packet_release(&packet);
            weir_statistics statistics = statistics_of(loopback.socket);
            expect_traffic(&statistics, true, row->octets[i], (uint32_t)i + 1, row->max[i],
                           row->average[i], row->deviation[i]);
        }
    }
    loopback_close(&loopback);
}

Test(getstat, sequences_sent)
{
    struct loopback loopback = loopback_open("[{active,false}]");
    for (size_t s = 0; s < 2; s++) {
        const struct sequence *row = &sequences[s];
        loopback_reopen(&loopback);
        GIVES(set(loopback.socket, row->options), 0);
        for (size_t i = 0; i < row->count; i++) {
            char bytes[256] = {0};
            GIVES(weir_send(loopback.socket, bytes, row->sizes[i]), 0);
            weir_statistics statistics = statistics_of(loopback.socket);
            expect_traffic(&statistics, false, row->octets[i], (uint32_t)i + 1, row->max[i],
                           row->average[i], row->deviation[i]);
        }
    }
    loopback_close(&loopback);
}

Test(getstat, counts_what_is_delivered)
{
    struct loopback loopback = loopback_open("[{active,false}]");
    uint64_t value;
    peer_say(loopback.peer, "0123456789");
    expect_received(loopback.socket, 4, "0123");
    weir_statistics statistics = statistics_of(loopback.socket);
    cr_assert(statistics.recv_cnt == 1 && statistics.recv_oct == 4);
    statistics = statistics_of(loopback.listener);
    cr_assert(statistics.recv_cnt == 0 && statistics.send_cnt == 0 && statistics.send_pend == 0);
    GIVES(weir_statistic(&statistics, "send_pend", &value), 0);
    GIVES(weir_statistic(&statistics, "nothing", &value), -EINVAL);
    loopback_close(&loopback);
}

Test(getstat, padding_counts)
{
    struct loopback loopback = loopback_open("[{packet,fcgi},{active,false}]");
    weir_packet packet;
    peer_write(loopback.peer, "\1\1\0\1\0\2\3\0ab...", 13);
    GIVES(weir_recv(loopback.socket, 0, WAIT_MS, &packet), 0);
    cr_assert(packet.size == 10);
    weir_packet_release(&packet);
    cr_assert(statistics_of(loopback.socket).recv_oct == 13);
    loopback_close(&loopback);
}

/* The options that weir itself keeps about what was seen. */
Test(bit8, is_seen)
{
    struct loopback loopback = loopback_open("[{packet,1},{active,false}]");
    cr_assert(get(loopback.socket, WEIR_OPTION_BIT8) == WEIR_BIT8_OFF);
    GIVES(set(loopback.socket, "[{bit8,on}]"), 0);
    peer_say(loopback.peer, "\1a");
    expect_received(loopback.socket, 0, "a");
    cr_assert(get(loopback.socket, WEIR_OPTION_BIT8) == WEIR_BIT8_CLEAR);
    peer_say(loopback.peer, "\1\377");
    expect_received(loopback.socket, 0, "\377");
    cr_assert(get(loopback.socket, WEIR_OPTION_BIT8) == WEIR_BIT8_SET);
    GIVES(set(loopback.socket, "[{bit8,clear}]"), 0);
    cr_assert(get(loopback.socket, WEIR_OPTION_BIT8) == WEIR_BIT8_CLEAR);
    GIVES(set(loopback.socket, "[{bit8,off}]"), 0);
    cr_assert(get(loopback.socket, WEIR_OPTION_BIT8) == WEIR_BIT8_OFF);
    loopback_close(&loopback);
}
