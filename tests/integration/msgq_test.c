/* SPDX-License-Identifier: MIT */
/* {high_msgq_watermark,_} and {low_msgq_watermark,_}: how much of a socket waits in a mailbox. */
#include "support/loopback.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum { FLOOD_BYTES = 40000000, HIGH_BYTES = 8192 };

/* Each packet is a byte: its number. Writes until the peer's kernel takes no more for a while, or
 * all of it is written. How many packets. */
static size_t flood(int peer, size_t from)
{
    enum { QUIET_MS = 300 };
    uint64_t quiet_since = now_ms();
    size_t sent = from;
    uint8_t packets[2 * 512];
    while (sent < FLOOD_BYTES / 2 && now_ms() - quiet_since < QUIET_MS) {
        for (size_t i = 0; i < sizeof(packets); i += 2) {
            packets[i] = 1;
            packets[i + 1] = (uint8_t)(sent + i / 2);
        }
        ssize_t size = send(peer, packets, sizeof(packets), MSG_DONTWAIT | MSG_NOSIGNAL);
        if (size < 0)
            continue;
        if (size % 2 == 1)
            peer_write(peer, &packets[size], 1);
        sent += (size_t)(size + 1) / 2;
        quiet_since = now_ms();
    }
    return sent;
}

static size_t waiting_bytes(const struct loopback *loopback, size_t packet_size)
{
    return weir_mailbox_count(loopback->mailbox) * (sizeof(weir_message) + packet_size);
}

/* All that was sent, in order. */
static void expect_flood(struct loopback *loopback, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        weir_message message = next_message(loopback->mailbox);
        cr_assert(message.kind == WEIR_MESSAGE_DATA && message.packet.size == 1);
        cr_assert(message.packet.bytes[0] == (uint8_t)i, "packet %zu is another", i);
        weir_packet_release(&message.packet);
    }
    expect_quiet(loopback);
}

Test(msgq, a_mailbox_that_nobody_reads_holds_its_peers_back)
{
    struct loopback loopback = loopback_open("[{packet,1},{active,true},{recbuf,16384}]");
    const int small = 16384; /* what waits in the kernel goes through small windows afterwards */
    setsockopt(loopback.peer, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
    size_t count = flood(loopback.peer, 0);
    cr_expect(count < FLOOD_BYTES / 2, "the peer was never held back");
    cr_expect(waiting_bytes(&loopback, 1) >= HIGH_BYTES);
    cr_expect(waiting_bytes(&loopback, 1) < HIGH_BYTES + sizeof(weir_message) + 1);
    expect_flood(&loopback, count);
    loopback_close(&loopback);
}

/* One at a time; the next comes when the last was taken. */
Test(msgq, marks_as_they_are_set)
{
    struct loopback loopback =
        loopback_open("[{packet,1},{active,true},{high_msgq_watermark,1},{low_msgq_watermark,1}]");
    peer_say(loopback.peer, "\1a\1b\1c");
    EVENTUALLY(weir_mailbox_count(loopback.mailbox) == 1);
    settle(loopback.socket);
    cr_expect(weir_mailbox_count(loopback.mailbox) == 1);
    expect_text(&loopback, "a");
    EVENTUALLY(weir_mailbox_count(loopback.mailbox) == 1);
    GIVES(set(loopback.socket, "[{high_msgq_watermark,100000}]"), 0);
    EVENTUALLY(weir_mailbox_count(loopback.mailbox) == 2);
    expect_text(&loopback, "b");
    expect_text(&loopback, "c");
    loopback_close(&loopback);
}

/* It goes on at the low mark, not before. */
Test(msgq, nothing_comes_above_the_low_mark)
{
    char options[128];
    size_t each = sizeof(weir_message) + 1;
    snprintf(options, sizeof(options),
             "[{packet,1},{active,true},{high_msgq_watermark,%zu},{low_msgq_watermark,%zu}]",
             4 * each, 2 * each);
    struct loopback loopback = loopback_open(options);
    peer_say(loopback.peer, "\1a\1b\1c\1d\1e\1f");
    EVENTUALLY(weir_mailbox_count(loopback.mailbox) == 4);
    expect_text(&loopback, "a");
    settle(loopback.socket);
    cr_expect(weir_mailbox_count(loopback.mailbox) == 3);
    expect_text(&loopback, "b");
    EVENTUALLY(weir_mailbox_count(loopback.mailbox) == 4);
    for (const char *text = "c\0d\0e\0f\0"; *text; text += 2)
        expect_text(&loopback, text);
    loopback_close(&loopback);
}

/* Empty packets are messages too. */
Test(msgq, empty_packets_count)
{
    static const uint8_t zeros[100000];
    struct loopback loopback = loopback_open("[{packet,4},{active,true}]");
    peer_write(loopback.peer, zeros, sizeof(zeros));
    EVENTUALLY(waiting_bytes(&loopback, 0) >= HIGH_BYTES);
    settle(loopback.socket);
    cr_expect(waiting_bytes(&loopback, 0) < HIGH_BYTES + sizeof(weir_message));
    for (size_t i = 0; i < sizeof(zeros) / 4; i++)
        expect_data(&loopback, "", 0);
    expect_quiet(&loopback);
    loopback_close(&loopback);
}

Test(msgq, the_end_waits_behind_what_is_held_back)
{
    struct loopback loopback = loopback_open("[{packet,1},{active,true},{high_msgq_watermark,1}]");
    peer_say(loopback.peer, "\1a\1b");
    peer_leave(&loopback.peer);
    expect_text(&loopback, "a");
    expect_text(&loopback, "b");
    expect_told(&loopback, WEIR_MESSAGE_CLOSED, 0);
    loopback_close(&loopback);
}

/* Another mailbox has what the first one had, and goes on; so does a recv. */
Test(msgq, an_owner_takes_over_what_is_held_back)
{
    struct loopback loopback = loopback_open("[{packet,1},{active,true},{high_msgq_watermark,1}]");
    weir_mailbox *first = loopback.mailbox;
    peer_say(loopback.peer, "\1a\1b\1c\1d");
    EVENTUALLY(weir_mailbox_count(first) == 1);
    GIVES(weir_mailbox_create(&loopback.mailbox), 0);
    GIVES(weir_controlling_process(loopback.socket, weir_mailed_to(first),
                                   weir_mailed_to(loopback.mailbox)),
          0);
    cr_expect(weir_mailbox_count(first) == 0);
    expect_text(&loopback, "a");
    expect_text(&loopback, "b");
    EVENTUALLY(weir_mailbox_count(loopback.mailbox) == 1);
    GIVES(set(loopback.socket, "[{active,false}]"), 0);
    expect_received(loopback.socket, 0, "d");
    expect_text(&loopback, "c");
    weir_mailbox_destroy(first);
    loopback_close(&loopback);
}

static void count(weir_socket socket, const weir_packet *packet, void *data)
{
    (void)socket;
    atomic_fetch_add((atomic_size_t *)data, packet->size);
}

Test(msgq, a_handler_takes_over_and_has_no_marks)
{
    static const weir_handler handler = {.packet = count};
    atomic_size_t got = 0;
    struct loopback loopback = loopback_open("[{packet,1},{active,true},{recbuf,16384}]");
    size_t sent = flood(loopback.peer, 0);
    GIVES(weir_controlling_process(loopback.socket, weir_mailed_to(loopback.mailbox),
                                   weir_handled_by(&handler, &got)),
          0);
    EVENTUALLY(atomic_load(&got) == sent);
    loopback_close(&loopback);
}

/* Held back or not: what is left is freed. */
Test(msgq, a_mailbox_dies_full)
{
    struct loopback loopback = loopback_open("[{packet,1},{active,true},{recbuf,16384}]");
    (void)flood(loopback.peer, 0);
    weir_mailbox_destroy(loopback.mailbox);
    GIVES(weir_mailbox_create(&loopback.mailbox), 0);
    peer_expect_reset(loopback.peer);
    loopback_close(&loopback);
}
