/* SPDX-License-Identifier: MIT */
/* {active, true | false | once | N}: who gets what, and how many of it. */
#include "support/loopback.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

Test(active, true_gives_everything_as_messages)
{
    struct loopback loopback = loopback_open("[{packet,line},{active,true}]");
    peer_say(loopback.peer, "a\nb\nc\n");
    expect_text(&loopback, "a\n");
    expect_text(&loopback, "b\n");
    expect_text(&loopback, "c\n");
    cr_assert(get(loopback.socket, WEIR_OPTION_ACTIVE) == WEIR_ACTIVE_TRUE);
    loopback_close(&loopback);
}

Test(active, true_refuses_recv)
{
    struct loopback loopback = loopback_open("[{active,true}]");
    weir_packet packet;
    GIVES(weir_recv(loopback.socket, 0, 0, &packet), -EINVAL);
    GIVES(set(loopback.socket, "[{active,once}]"), 0);
    GIVES(weir_recv(loopback.socket, 0, 0, &packet), -EINVAL);
    GIVES(set(loopback.socket, "[{active,3}]"), 0);
    GIVES(weir_recv(loopback.socket, 0, 0, &packet), -EINVAL);
    loopback_close(&loopback);
}

Test(active, false_gives_no_messages)
{
    struct loopback loopback = loopback_open("[{active,false}]");
    peer_say(loopback.peer, "abc");
    expect_quiet(&loopback);
    expect_received(loopback.socket, 0, "abc");
    loopback_close(&loopback);
}

Test(active, once_gives_exactly_one)
{
    struct loopback loopback = loopback_open("[{packet,line},{active,once}]");
    peer_say(loopback.peer, "a\nb\nc\n");
    expect_text(&loopback, "a\n");
    cr_assert(get(loopback.socket, WEIR_OPTION_ACTIVE) == WEIR_ACTIVE_FALSE);
    expect_quiet(&loopback);
    GIVES(set(loopback.socket, "[{active,once}]"), 0);
    expect_text(&loopback, "b\n");
    expect_quiet(&loopback);
    expect_received(loopback.socket, 0, "c\n");
    loopback_close(&loopback);
}

Test(active, once_and_the_end_never_come_together)
{
    struct loopback loopback = loopback_open("[{packet,1},{active,once}]");
    peer_say(loopback.peer, "\1a\1b");
    peer_leave(&loopback.peer);
    expect_text(&loopback, "a");
    expect_quiet(&loopback);
    GIVES(set(loopback.socket, "[{active,once}]"), 0);
    expect_text(&loopback, "b");
    expect_quiet(&loopback);
    GIVES(set(loopback.socket, "[{active,once}]"), 0);
    expect_told(&loopback, WEIR_MESSAGE_CLOSED, 0);
    loopback_close(&loopback);
}

Test(active, a_number_counts_down_and_says_so)
{
    struct loopback loopback = loopback_open("[{packet,1},{active,2}]");
    peer_say(loopback.peer, "\1a\1b\1c");
    expect_text(&loopback, "a");
    expect_text(&loopback, "b");
    expect_told(&loopback, WEIR_MESSAGE_PASSIVE, 0);
    expect_quiet(&loopback);
    cr_assert(get(loopback.socket, WEIR_OPTION_ACTIVE) == WEIR_ACTIVE_FALSE);
    GIVES(set(loopback.socket, "[{active,1}]"), 0);
    expect_text(&loopback, "c");
    expect_told(&loopback, WEIR_MESSAGE_PASSIVE, 0);
    loopback_close(&loopback);
}

Test(active, a_number_is_added)
{
    struct loopback loopback = loopback_open("[{active,5}]");
    GIVES(set(loopback.socket, "[{active,3}]"), 0);
    cr_assert(get(loopback.socket, WEIR_OPTION_ACTIVE) == 8);
    GIVES(set(loopback.socket, "[{active,-2}]"), 0);
    cr_assert(get(loopback.socket, WEIR_OPTION_ACTIVE) == 6);
    GIVES(set(loopback.socket, "[{active,true}]"), 0);
    GIVES(set(loopback.socket, "[{active,4}]"), 0);
    cr_assert(get(loopback.socket, WEIR_OPTION_ACTIVE) == 4);
    expect_quiet(&loopback);
    loopback_close(&loopback);
}

Test(active, a_sum_that_is_too_large_changes_nothing)
{
    struct loopback loopback = loopback_open("[{active,32767}]");
    GIVES(set(loopback.socket, "[{active,1}]"), -EINVAL);
    cr_assert(get(loopback.socket, WEIR_OPTION_ACTIVE) == 32767);
    GIVES(set(loopback.socket, "[{active,false}]"), 0);
    GIVES(set(loopback.socket, "[{active,32767}]"), 0);
    loopback_close(&loopback);
}

/* A listener has no owner to tell, and its connections begin passive. */
Test(active, a_listener_with_a_spent_number_is_passive)
{
    static const char *const options[] = {"[{active,0}]", "[{active,-1}]", "[{active,-32768}]",
                                          "[{active,3},{active,-3}]"};
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        struct loopback loopback = loopback_open(options[i]);
        cr_assert(get(loopback.listener, WEIR_OPTION_ACTIVE) == WEIR_ACTIVE_FALSE);
        cr_assert(get(loopback.socket, WEIR_OPTION_ACTIVE) == WEIR_ACTIVE_FALSE);
        expect_quiet(&loopback);
        GIVES(set(loopback.listener, "[{active,-2}]"), 0);
        cr_assert(get(loopback.listener, WEIR_OPTION_ACTIVE) == WEIR_ACTIVE_FALSE);
        loopback_reopen(&loopback);
        expect_quiet(&loopback);
        peer_say(loopback.peer, "abc");
        expect_received(loopback.socket, 0, "abc");
        loopback_close(&loopback);
    }
}

Test(active, a_sum_of_nothing_is_passive)
{
    struct loopback loopback = loopback_open("[{active,3}]");
    GIVES(set(loopback.socket, "[{active,-3}]"), 0);
    expect_told(&loopback, WEIR_MESSAGE_PASSIVE, 0);
    cr_assert(get(loopback.socket, WEIR_OPTION_ACTIVE) == WEIR_ACTIVE_FALSE);
    GIVES(set(loopback.socket, "[{active,0}]"), 0); /* passive already: told all the same */
    expect_told(&loopback, WEIR_MESSAGE_PASSIVE, 0);
    GIVES(set(loopback.socket, "[{active,-7}]"), 0);
    expect_told(&loopback, WEIR_MESSAGE_PASSIVE, 0);
    expect_quiet(&loopback);
    loopback_close(&loopback);
}

Test(active, a_connected_socket_starts_passive_with_less_than_nothing)
{
    struct loopback loopback = loopback_open("[]");
    weir_socket accepted = loopback.socket;
    GIVES(weir_tcp_connect(loopback.runtime, "127.0.0.1", (uint16_t)weir_port(loopback.listener),
                           WEIR_OPTIONS(WEIR_ACTIVE(-1)), weir_mailed_to(loopback.mailbox), WAIT_MS,
                           &loopback.socket),
          0);
    expect_told(&loopback, WEIR_MESSAGE_PASSIVE, 0);
    weir_close(loopback.socket);
    loopback.socket = accepted;
    loopback_close(&loopback);
}

Test(active, the_end_is_not_counted)
{
    struct loopback loopback = loopback_open("[{packet,1},{active,5}]");
    peer_say(loopback.peer, "\1a");
    expect_text(&loopback, "a");
    peer_leave(&loopback.peer);
    expect_told(&loopback, WEIR_MESSAGE_CLOSED, 0);
    expect_quiet(&loopback);
    loopback_close(&loopback);
}

Test(active, two_then_passive_then_the_end)
{
    struct loopback loopback = loopback_open("[{packet,1},{active,2}]");
    peer_say(loopback.peer, "\1a\1b\1c");
    peer_leave(&loopback.peer);
    expect_text(&loopback, "a");
    expect_text(&loopback, "b");
    expect_told(&loopback, WEIR_MESSAGE_PASSIVE, 0);
    expect_quiet(&loopback);
    GIVES(set(loopback.socket, "[{active,1}]"), 0);
    expect_text(&loopback, "c");
    expect_told(&loopback, WEIR_MESSAGE_PASSIVE, 0);
    GIVES(set(loopback.socket, "[{active,once}]"), 0);
    expect_told(&loopback, WEIR_MESSAGE_CLOSED, 0);
    loopback_close(&loopback);
}

Test(active, what_is_buffered_comes_first)
{
    struct loopback loopback = loopback_open("[{packet,line},{active,false}]");
    peer_say(loopback.peer, "a\nb\nc\n");
    expect_received(loopback.socket, 0, "a\n");
    peer_say(loopback.peer, "d\n");
    GIVES(set(loopback.socket, "[{active,true}]"), 0);
    expect_text(&loopback, "b\n");
    expect_text(&loopback, "c\n");
    expect_text(&loopback, "d\n");
    loopback_close(&loopback);
}

/* Setting an option looks at the buffer again: half a line is whole once it is raw. */
Test(active, another_packet_type_delivers_what_there_is)
{
    struct loopback loopback = loopback_open("[{packet,line},{active,true}]");
    peer_say(loopback.peer, "half");
    expect_quiet(&loopback);
    GIVES(set(loopback.socket, "[{packet,raw}]"), 0);
    expect_text(&loopback, "half");
    loopback_close(&loopback);
}

/* What arrives goes to the owner; the one who waits in recv gets his own time-out. */
Test(active, a_waiting_recv_is_passed_over)
{
    struct loopback loopback = loopback_open("[{active,false}]");
    struct answer answer = {0};
    GIVES(weir_recv_async(loopback.socket, 0, 300, answer_received, &answer), 0);
    GIVES(set(loopback.socket, "[{active,true}]"), 0);
    peer_say(loopback.peer, "abc");
    expect_text(&loopback, "abc");
    GIVES(answer_wait(&answer), WEIR_TIMEOUT);
    loopback_close(&loopback);
}

Test(active, a_waiting_recv_gets_what_comes_after_once)
{
    struct loopback loopback = loopback_open("[{packet,1},{active,false}]");
    struct answer answer = {0};
    GIVES(weir_recv_async(loopback.socket, 0, WAIT_MS, answer_received, &answer), 0);
    GIVES(set(loopback.socket, "[{active,once}]"), 0);
    peer_say(loopback.peer, "\1a\1b");
    expect_text(&loopback, "a");
    GIVES(answer_wait(&answer), 0);
    cr_assert(answer.size == 1 && answer.bytes[0] == 'b');
    loopback_close(&loopback);
}

/* A handler that asks for the next in its callback. */
struct counting {
    int seen;
    int most;
    bool overlapped;
    bool inside;
    char bytes[16];
};

static void take_and_rearm(weir_socket socket, const weir_packet *packet, void *data)
{
    struct counting *counting = data;
    counting->overlapped |= counting->inside;
    counting->inside = true;
    counting->bytes[counting->seen] = (char)packet->bytes[0];
    __atomic_fetch_add(&counting->seen, 1, __ATOMIC_RELEASE);
    if (counting->seen < counting->most)
        cr_expect(weir_setopts(socket, WEIR_OPTIONS(WEIR_ACTIVE(WEIR_ACTIVE_ONCE))) == 0);
    counting->inside = false;
}

static int seen(struct counting *counting)
{
    return __atomic_load_n(&counting->seen, __ATOMIC_ACQUIRE);
}

Test(active, a_handler_rearms_in_its_callback)
{
    static const weir_handler handler = {.packet = take_and_rearm};
    struct loopback loopback = loopback_open("[{packet,1},{active,once}]");
    struct counting counting = {.most = 5};
    GIVES(weir_controlling_process(loopback.socket, weir_mailed_to(loopback.mailbox),
                                   weir_handled_by(&handler, &counting)),
          0);
    peer_say(loopback.peer, "\1a\1b\1c\1d\1e\1f");
    EVENTUALLY(seen(&counting) == 5);
    settle(loopback.socket);
    cr_assert(seen(&counting) == 5, "once gave %d", seen(&counting));
    cr_assert(!counting.overlapped);
    cr_assert(memcmp(counting.bytes, "abcde", 5) == 0);
    loopback_close(&loopback);
}

static void take_once(weir_socket socket, const weir_packet *packet, void *data)
{
    struct counting *counting = data;
    weir_option active = WEIR_REQUEST(ACTIVE);
    (void)packet;
    cr_expect(weir_getopts(socket, &active, 1) == 1);
    cr_expect(active.value.number == WEIR_ACTIVE_FALSE, "still active while its message is seen");
    __atomic_fetch_add(&counting->seen, 1, __ATOMIC_RELEASE);
}

Test(active, once_reads_false_before_the_message_is_seen)
{
    static const weir_handler handler = {.packet = take_once};
    struct loopback loopback = loopback_open("[{packet,1},{active,once}]");
    struct counting counting = {0};
    GIVES(weir_controlling_process(loopback.socket, weir_mailed_to(loopback.mailbox),
                                   weir_handled_by(&handler, &counting)),
          0);
    peer_say(loopback.peer, "\1a\1b");
    EVENTUALLY(seen(&counting) == 1);
    settle(loopback.socket);
    cr_assert(seen(&counting) == 1);
    loopback_close(&loopback);
}

/* The peer of a passive socket feels that nobody reads. */
Test(active, false_pushes_back)
{
    struct loopback loopback = loopback_open("[{active,false},{recbuf,4096}]");
    static char bytes[65536];
    struct timeval most = {.tv_usec = 200000};
    setsockopt(loopback.peer, SOL_SOCKET, SO_SNDTIMEO, &most, sizeof(most));
    int64_t sent = 0;
    ssize_t count;
    while ((count = send(loopback.peer, bytes, sizeof(bytes), MSG_NOSIGNAL)) > 0)
        cr_assert((sent += count) < 64 << 20);
    cr_assert(errno == EAGAIN);
    loopback_close(&loopback);
}

/* What it sets is not set over by the list that it is told of. */
static void set_another_header(weir_socket socket, void *data)
{
    weir_option header = WEIR_REQUEST(HEADER);
    struct counting *counting = data;
    cr_expect(weir_getopts(socket, &header, 1) == 1);
    cr_expect(header.value.number == 1, "told before all was set");
    cr_expect(weir_setopts(socket, WEIR_OPTIONS(WEIR_HEADER(2))) == 0);
    __atomic_fetch_add(&counting->seen, 1, __ATOMIC_RELEASE);
}

Test(active, an_owner_is_told_passive_when_all_is_set)
{
    static const weir_handler handler = {.passive = set_another_header};
    struct loopback loopback = loopback_open("[{active,1}]");
    struct counting counting = {0};
    GIVES(weir_controlling_process(loopback.socket, weir_mailed_to(loopback.mailbox),
                                   weir_handled_by(&handler, &counting)),
          0);
    GIVES(set(loopback.socket, "[{active,-1},{header,1}]"), 0);
    cr_assert(seen(&counting) == 1);
    cr_assert(get(loopback.socket, WEIR_OPTION_HEADER) == 2);
    loopback_close(&loopback);
}

Test(active, an_owner_is_needed)
{
    struct loopback loopback = loopback_open("[{active,false}]");
    weir_socket socket;
    peer_leave(&loopback.peer);
    loopback.peer = peer_connect(weir_port(loopback.listener));
    GIVES(weir_tcp_accept(loopback.listener, weir_owned_by_nobody(), WAIT_MS, &socket), 0);
    GIVES(set(socket, "[{active,once}]"), -EINVAL);
    GIVES(set(loopback.listener, "[{active,true}]"), 0);
    GIVES(weir_tcp_accept(loopback.listener, weir_owned_by_nobody(), 0, &socket), WEIR_BADARG);
    loopback_close(&loopback);
}
