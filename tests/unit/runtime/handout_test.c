/* SPDX-License-Identifier: MIT */
/* Datagrams that have come for a mailbox, and memory that there is not: what is lost is told, with
 * its descriptors, and nothing is kept of it. */
#include "runtime/datagram/handout.h"

#include "own_turns.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/memory.h"
#include "runtime/datagram/collect.h"
#include "runtime/datagram/datagram.h"
#include "runtime/datagram/set_option.h"
#include "runtime/owner/owner.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/socket/passed.h"
#include <weir/mailbox.h>
#include <weir/udp.h>

enum { TURNS_MOST = 2000, NOT_SENT = -1 };

static struct scheduler *scheduler;
static struct datagram *socket_;
static weir_mailbox *mailbox;
static int peer;

static void begin(weir_owner owner, const char *text)
{
    struct option_setup setup;
    weir_option *options;
    int ends[2];
    cr_assert_eq(weir_options_parse(text, &options), 0, "%s", weir_last_error_text());
    cr_assert_eq(options_set_up(&setup, OPTION_UDP, NULL, options), 0);
    weir_options_free(options);
    scheduler = own_turns_begin();
    cr_assert_eq(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends), 0);
    peer = ends[1];
    socket_ = datagram_create(scheduler, ends[0], WEIR_LOCAL, &setup.values);
    cr_assert_not_null(socket_);
    owner_set(&socket_->slot, owner);
    cr_assert_eq(datagram_set_active(socket_, WEIR_ACTIVE_TRUE), 0);
    collect_go_on(scheduler, socket_);
}

static void end(void)
{
    own_turns_end(scheduler);
    close(peer);
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
        begin(weir_mailed_to(mailbox), "[{descriptors,4}]");
        reached = bring_without(nth, &lost);
        send_one(NOT_SENT);
        weir_message message = receive();
        cr_expect_eq(message.kind, WEIR_MESSAGE_DATA, "after allocation %lu", nth);
        weir_packet_release(&message.packet);
        end();
        cr_assert_eq(weir_mailbox_destroy(mailbox), 0);
    }
    cr_expect_geq(lost, 3, "%d", lost);
    cr_expect_eq(memory_live_count(), blocks);
}
