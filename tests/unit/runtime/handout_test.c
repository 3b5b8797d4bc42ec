/* SPDX-License-Identifier: MIT */
/* Datagrams that have come and are not handed out, since there is no memory for that or nobody to
 * have them: nothing is kept of those. */
#include "runtime/datagram/handout.h"

#include "own_turns.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/memory.h"
#include "runtime/buffer/buffer.h"
#include "runtime/datagram/collect.h"
#include "runtime/datagram/datagram.h"
#include "runtime/datagram/set_option.h"
#include "runtime/owner/owner.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/socket/passed.h"
#include <weir/mailbox.h>
#include <weir/udp.h>

enum { TURNS_MOST = 2000, POOL_MOST = 65536, NOT_SENT = -1 };

static struct scheduler *scheduler;
static struct datagram *socket_;
static weir_mailbox *mailbox;
static int peer;

/* Two that are connected; of inet the second is told so alone. */
static void make_pair(enum weir_family family, int ends[2])
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(name);
    if (family == WEIR_LOCAL) {
        cr_assert_eq(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends), 0);
        return;
    }
    ends[0] = socket(AF_INET, SOCK_DGRAM, 0);
    ends[1] = socket(AF_INET, SOCK_DGRAM, 0);
    cr_assert_eq(bind(ends[0], (struct sockaddr *)&name, size), 0);
    cr_assert_eq(getsockname(ends[0], (struct sockaddr *)&name, &size), 0);
    cr_assert_eq(connect(ends[1], (struct sockaddr *)&name, size), 0);
}

static void open_socket(enum weir_family family, weir_owner owner, const char *text)
{
    struct option_setup setup;
    weir_option *options;
    int ends[2];
    cr_assert_eq(weir_options_parse(text, &options), 0, "%s", weir_last_error_text());
    cr_assert_eq(options_set_up(&setup, OPTION_UDP, NULL, options), 0);
    weir_options_free(options);
    make_pair(family, ends);
    peer = ends[1];
    socket_ = datagram_create(scheduler, ends[0], family, &setup.values);
    cr_assert_not_null(socket_);
    owner_set(&socket_->slot, owner);
    cr_assert_eq(datagram_set_active(socket_, WEIR_ACTIVE_TRUE), 0);
    collect_go_on(scheduler, socket_);
}

/* With this descriptor, which is the datagram's then. */
static void send_one(int descriptor)
{
    char control[CMSG_SPACE(sizeof(int))] = {0};
    char byte = 'x';
    struct iovec piece = {&byte, 1};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
    struct cmsghdr *header = (struct cmsghdr *)control;
    *header = (struct cmsghdr){CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
    memcpy(CMSG_DATA(header), &descriptor, sizeof(int));
    if (descriptor != NOT_SENT) {
        message.msg_control = control;
        message.msg_controllen = sizeof(control);
    }
    cr_assert_eq(sendmsg(peer, &message, 0), 1);
    if (descriptor != NOT_SENT)
        close(descriptor);
}

static weir_message receive(void)
{
    weir_message message;
    int result = WEIR_TIMEOUT;
    for (int i = 0; result == WEIR_TIMEOUT; i++) {
        cr_assert_lt(i, TURNS_MOST);
        scheduler_turn(scheduler);
        result = weir_mailbox_receive(mailbox, 0, &message);
    }
    cr_assert_eq(result, 0);
    return message;
}

/* Whether nobody has the other end any more. */
static bool is_closed(int end)
{
    char byte;
    return recv(end, &byte, 1, MSG_DONTWAIT) == 0;
}

static void expect_lost(int end)
{
    int taken;
    cr_expect_eq(passed_take(scheduler, &socket_->slot, &taken, 1), 0);
    cr_expect(is_closed(end));
}

static void expect_brought(int end)
{
    int taken;
    cr_expect_eq(passed_take(scheduler, &socket_->slot, &taken, 1), 1);
    cr_expect(!is_closed(end));
    close(taken);
}

/* One is lost for each allocation that is missing, or comes a little later. */
static bool bring_without(uint64_t nth, int *lost)
{
    int ends[2];
    uint64_t before = memory_allocation_count();
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    send_one(ends[0]);
    memory_fail_nth(nth);
    weir_message message = receive();
    memory_fail_nth(0);
    bool reached = memory_allocation_count() - before >= nth;
    if (message.kind == WEIR_MESSAGE_ERROR) {
        cr_expect(reached && message.error == -ENOMEM, "%lu", nth);
        expect_lost(ends[1]);
        ++*lost;
    } else {
        cr_expect_eq(message.packet.datagram->descriptors, 1);
        weir_packet_release(&message.packet);
        expect_brought(ends[1]);
    }
    close(ends[1]);
    return reached;
}

Test(handout, what_a_mailbox_has_no_memory_for_is_lost)
{
    bool reached = true;
    int lost = 0;
    int64_t blocks = memory_live_count();
    for (uint64_t nth = 1; reached; nth++) {
        cr_assert_lt(nth, 50u);
        cr_assert_eq(weir_mailbox_create(&mailbox), 0);
        scheduler = own_turns_begin();
        open_socket(WEIR_LOCAL, weir_mailed_to(mailbox), "[{descriptors,4}]");
        reached = bring_without(nth, &lost);
        send_one(NOT_SENT);
        weir_message message = receive();
        cr_expect_eq(message.kind, WEIR_MESSAGE_DATA, "after allocation %lu", nth);
        weir_packet_release(&message.packet);
        own_turns_end(scheduler);
        close(peer);
        cr_assert_eq(weir_mailbox_destroy(mailbox), 0);
    }
    cr_expect_geq(lost, 3, "%d", lost);
    cr_expect_eq(memory_live_count(), blocks);
}

static int packets;

static void close_it(weir_socket socket, const weir_packet *packet, void *data)
{
    (void)packet, (void)data;
    packets++;
    (void)weir_close(socket);
}

static const weir_handler closing = {.packet = close_it};

static uint32_t pool_room(void)
{
    static struct weir_buffer *taken[POOL_MOST];
    uint32_t count = 0;
    while (count < POOL_MOST && (taken[count] = buffer_pool_take(scheduler->buffers)))
        count++;
    for (uint32_t i = 0; i < count; i++)
        buffer_dispatched(taken[i]);
    return count;
}

/* Several have come at once, and whoever gets the first closes the socket. */
static void close_amid(enum weir_family family)
{
    open_socket(family, weir_handled_by(&closing, NULL), "[{buffer,1000}]");
    for (int i = 0; i < 4; i++)
        cr_assert_eq(send(peer, "x", 1, 0), 1);
    packets = 0;
    for (int i = 0; packets == 0; i++) {
        cr_assert_lt(i, TURNS_MOST);
        scheduler_turn(scheduler);
    }
    for (int i = 0; i < 5; i++)
        scheduler_turn(scheduler);
    cr_expect_eq(packets, 1);
    close(peer);
}

Test(handout, what_waits_goes_with_its_socket)
{
    static const enum weir_family families[] = {WEIR_LOCAL, WEIR_INET};
    scheduler = own_turns_begin();
    for (int i = 0; i < 2; i++) {
        close_amid(families[i]); /* what stands ready for the next is kept */
        uint32_t room = pool_room();
        int64_t blocks = memory_live_count();
        close_amid(families[i]);
        close_amid(families[i]);
        cr_expect_eq(pool_room(), room, "%d: %u, not %u", i, pool_room(), room);
        cr_expect_leq(memory_live_count(), blocks, "%d", i);
    }
    own_turns_end(scheduler);
}
