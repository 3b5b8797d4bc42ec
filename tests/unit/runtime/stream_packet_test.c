/* SPDX-License-Identifier: MIT */
/* Packets out of what came, however it came, and what becomes of what is no packet. */
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"
#include "lone_stream.h"
#include "runtime/buffer/buffer.h"
#include "runtime/owner/mailbox.h"
#include "runtime/owner/owner.h"
#include "runtime/socket/receive_call.h"
#include "runtime/stream/close.h"
#include "runtime/stream/delivery.h"
#include "runtime/stream/input.h"
#include "runtime/stream/receive.h"
#include "runtime/stream/shelf.h"
#include <weir/error.h>

static struct stream *stream;

static struct option_values *values(void)
{
    return &stream->slot.options->values;
}

static void begin(int32_t active, enum weir_packet_type packet)
{
    lone_begin(0);
    stream = lone_open(active);
    values()->packet = packet & 15;
    values()->limits.line_delimiter = '\n';
    receive_start(&lone, stream);
    lone_turn();
}

/* One receive after the other. */
static void bring(const char *text)
{
    lone_bring(stream, text, false);
    lone_turn();
}

Test(stream_packet, is_whole_however_it_comes)
{
    static const char bytes[] = "one\ntwo\nthree\n";
    for (size_t first = 1; first < sizeof(bytes) - 1; first++)
        for (size_t second = first; second < sizeof(bytes) - 1; second++) {
            char part[sizeof(bytes)];
            begin(ALL, WEIR_LINE);
            snprintf(part, sizeof(part), "%.*s", (int)first, bytes);
            bring(part);
            snprintf(part, sizeof(part), "%.*s", (int)(second - first), bytes + first);
            if (second > first)
                bring(part);
            bring(bytes + second);
            TOLD("data:one\n data:two\n data:three\n ");
            cr_expect(stream->input == NULL && stream->received.octets == sizeof(bytes) - 1);
            cr_expect_eq(lone.totals.packets_received, 3);
        }
}

/* The length of a packet is known once its header is there. */
Test(stream_packet, that_has_begun_is_completed_and_no_more_copied)
{
    begin(ALL, WEIR_1);
    bring("\5ab");
    cr_expect_eq(lone.totals.copied_bytes, 3);
    bring("cde\2xy\3z");
    TOLD("data:abcde data:xy ");
    cr_expect_eq(lone.totals.copied_bytes, 3 + 3 + 2);
    cr_expect_eq(input_begun(stream).needed, 4);
    bring("12");
    TOLD("data:z12 ");
    cr_expect(stream->input == NULL && lone.totals.copied_bytes == 10);
}

/* What its beginning says is known until it is there, and no longer. */
Test(stream_packet, that_has_begun_is_known)
{
    begin(PASSIVE, WEIR_1);
    cr_assert_eq(input_append(&lone, stream, (struct framing_span){(const uint8_t *)"\5ab", 3},
                              (struct begun_packet){0}),
                 0);
    lone_receive(stream, 'a', 0, -1);
    cr_expect_eq(input_begun(stream).needed, 6);
    lone_turn();
    bring("cde\2x");
    TOLD("a:0 abcde ");
    cr_expect(input_size(stream) == 2 && input_begun(stream).needed == 0);
    begin(1, WEIR_1);
    cr_assert_eq(input_append(&lone, stream, (struct framing_span){(const uint8_t *)"\2ab\2x", 5},
                              (struct begun_packet){.needed = 3}),
                 0);
    receive_go_on(&lone, stream);
    TOLD("data:ab passive ");
    cr_expect(input_size(stream) == 2 && input_begun(stream).needed == 0);
}

Test(stream_packet, that_has_begun_is_looked_through_once)
{
    begin(ALL, WEIR_LINE);
    bring("one\ntwo");
    cr_expect_eq(input_begun(stream).scanned, 3);
}

/* So much is put behind a beginning as it may need; the packets behind that lie where they are. */
Test(stream_packet, what_comes_behind_one_that_has_begun_is_framed_in_place)
{
    enum { LINES = 100, SIZE = 10, GUESS = 256 };
    begin(ALL, WEIR_LINE);
    int64_t blocks = memory_live_count();
    struct weir_buffer *block = buffer_allocate(LINES * SIZE);
    for (size_t i = 0; i < LINES; i++)
        memcpy(block->bytes + i * SIZE, "123456789\n", SIZE);
    bring("1");
    delivery_receive(&lone, stream, block, LINES * SIZE);
    cr_expect(lone.totals.packets_received == LINES && stream->input == NULL);
    cr_expect_leq(lone.totals.copied_bytes, 1 + GUESS + 1, "the first may have been moved");
    buffer_release(block);
    cr_expect_eq(memory_live_count(), blocks);
}

/* From 64 KiB on a packet is received by itself. */
Test(stream_packet, that_is_large_is_no_case_for_a_multishot)
{
    for (size_t size = INPUT_DIRECT_FROM_BYTES - 1; size <= INPUT_DIRECT_FROM_BYTES; size++) {
        begin(ALL, WEIR_RAW);
        values()->buffer = INPUT_DIRECT_FROM_BYTES;
        struct weir_buffer *block = buffer_allocate(size);
        memset(block->bytes, '\0', size);
        stream->bulk = size < INPUT_DIRECT_FROM_BYTES;
        delivery_receive(&lone, stream, block, size);
        cr_expect_eq(stream->bulk, size == INPUT_DIRECT_FROM_BYTES);
        cr_expect_eq(lone.totals.packets_received, 1);
        buffer_release(block);
    }
}

/* Nobody wants them now: they are kept, and given one at a time. */
Test(stream_packet, waits_for_who_asks)
{
    begin(PASSIVE, WEIR_LINE);
    lone_receive(stream, 'a', 0, -1);
    lone_turn();
    bring("one\ntwo\nth");
    TOLD("a:0 one\n ");
    cr_expect_eq(input_size(stream), 6);
    lone_receive(stream, 'b', 0, -1);
    TOLD("b:0 two\n ");
    lone_receive(stream, 'c', 0, -1);
    TOLD("");
    lone_turn();
    bring("ree\nfour\n");
    TOLD("c:0 three\n ");
    stream->active = 1;
    receive_go_on(&lone, stream);
    TOLD("data:four\n passive ");
    cr_expect_null(stream->input);
}

static const struct {
    bool exits;
    int32_t active;
    const char *told;
    enum socket_state state;
    enum receiving receiving;
} failures[] = {
    {true, ALL, "error:emsgsize closed ", SOCKET_CLOSED, RECEIVING_REPORTED},
    {false, ALL, "error:emsgsize closed ", SOCKET_OPEN, RECEIVING_BROKEN},
    {true, PASSIVE, "a:emsgsize ", SOCKET_GONE, RECEIVING_REPORTED},
    {false, PASSIVE, "a:emsgsize ", SOCKET_OPEN, RECEIVING_BROKEN},
};

Test(stream_packet, that_is_too_large_ends_receiving)
{
    for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
        begin(failures[i].active, WEIR_1);
        values()->limits.packet_size = 4;
        values()->exit_on_close = failures[i].exits;
        if (failures[i].active == PASSIVE)
            lone_receive(stream, 'a', 0, -1);
        lone_turn();
        lone_bring(stream, "\5abcde\1x", false);
        TOLD(failures[i].told);
        cr_expect_eq(stream->slot.state, failures[i].state, "row %zu", i);
        cr_expect_eq(stream->receiving, failures[i].receiving, "row %zu", i);
        if (stream->slot.state != SOCKET_OPEN)
            continue;
        stream->closed_told = false;
        receive_go_on(&lone, stream);
        TOLD("");
    }
}

Test(stream_packet, for_which_there_is_no_memory_ends_receiving)
{
    begin(ALL, WEIR_1);
    values()->exit_on_close = false;
    memory_fail_nth(1);
    lone_bring(stream, "\5ab", false);
    memory_fail_nth(0);
    TOLD("error:enomem closed ");
    cr_expect_eq(stream->receiving, RECEIVING_BROKEN);
}

Test(stream_packet, is_looked_through_for_the_eighth_bit)
{
    begin(ALL, WEIR_RAW);
    values()->bit8 = WEIR_BIT8_ON;
    bring("abc");
    cr_expect(!stream->bit8_seen);
    bring("a\200c");
    cr_expect(stream->bit8_seen);
    bring("abc");
    cr_expect(stream->bit8_seen, "until it is asked for again");
    stream->bit8_seen = false;
    values()->bit8 = 0;
    bring("a\200c");
    cr_expect(!stream->bit8_seen);
}

#define START "GET / HTTP/1.1\r\nA: b\r\n\r\n"

/* A start line is followed by headers, but for an owner that is given lines as they came. */
static const struct {
    uint8_t deliver;
    enum weir_packet_type packet;
    const char *text;
    bool header;
    const char *told;
} lines[] = {
    {WEIR_TERM, WEIR_HTTP, START, true, "http:GET / HTTP/1.1\r\n passive "},
    {WEIR_PORT, WEIR_HTTP, START, false, "data:GET / HTTP/1.1\r\n passive "},
    {WEIR_PORT, WEIR_HTTPH, "A: b\r\n\r\n", true, "data:A: b\r\n passive "},
    {WEIR_PORT, WEIR_HTTPH, "\r\n", false, "data:\r\n passive "},
};

Test(stream_packet, of_http_is_a_header_after_a_start_line)
{
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        begin(1, lines[i].packet);
        values()->deliver = lines[i].deliver & 1;
        stream->http_header = lines[i].packet == WEIR_HTTPH;
        bring(lines[i].text);
        cr_expect_eq(stream->http_header, lines[i].header, "row %zu", i);
        TOLD(lines[i].told);
    }
}

/* What was learnt from a packet that could not be given is forgotten: it comes again. */
Test(stream_packet, that_a_recv_has_no_memory_for_is_the_next_ones)
{
    begin(PASSIVE, WEIR_LINE);
    lone_receive(stream, 'a', 0, -1);
    lone_turn();
    bring("one\ntwo\n");
    TOLD("a:0 one\n ");
    for (uint64_t nth = 2; nth < 4; nth++) {
        memory_fail_nth(nth);
        lone_receive(stream, 'b', 0, -1);
        memory_fail_nth(0);
        const char *told = lone_told();
        if (strcmp(told, "b:0 two\n ") == 0)
            break;
        cr_expect_str_eq(told, "b:enomem ");
        cr_expect(input_size(stream) == 4 && stream->received.count == 1);
    }
    cr_expect(stream->input == NULL && stream->received.count == 2);
}

/* It begins where it did, and is followed by what it is followed by. */
Test(stream_packet, that_there_is_no_memory_for_is_not_known_for_read)
{
    begin(PASSIVE, WEIR_HTTP);
    lone_receive(stream, 'a', 0, -1);
    lone_turn();
    bring("GET / ");
    cr_expect_gt(input_begun(stream).scanned, 0u);
    memory_fail_nth(1);
    lone_bring(stream, "HTTP/1.1\r\nA: b\r\n", false);
    memory_fail_nth(0);
    TOLD("a:enomem ");
    cr_expect(!stream->http_header && input_size(stream) == 22);
    cr_expect_eq(input_begun(stream).scanned, 6);
    lone_receive(stream, 'b', 0, -1);
    TOLD("b:0 GET / HTTP/1.1\r\n ");
}

static void no_answer(struct call *call)
{
    (void)call;
}

static const struct call_operation receiving = {.name = "recv"};
static struct receive_call receive;

/* A thread waits in recv, with a shelf. */
static void wait_with_a_shelf(void)
{
    static char text[ERROR_TEXT_SIZE];
    weir_socket socket = slot_handle(&lone, &stream->slot);
    receive = (struct receive_call){.call = {.kind = CALL_BLOCKING,
                                             .operation = &receiving,
                                             .scheduler = &lone,
                                             .socket = socket,
                                             .timeout_ms = 1000,
                                             .finish = no_answer,
                                             .text = text,
                                             .result = 1},
                                    .shelf = shelf_lend(socket)};
    list_init(&receive.call.link);
    stream->waiter = &receive.call;
    call_set_timeout(&lone, &receive.call);
    receive_update(&lone, stream);
    lone_turn();
}

Test(stream_packet, of_a_thread_comes_with_those_behind_it)
{
    weir_packet next;
    begin(PASSIVE, WEIR_LINE);
    wait_with_a_shelf();
    lone_bring(stream, "one\ntwo\n", false);
    cr_expect(receive.call.result == 1 && !receive.call.timer.armed && stream->waiter == NULL);
    lone_turn();
    cr_expect(receive.call.result == 0 && memcmp(receive.packet.bytes, "one\n", 4) == 0);
    shelf_return(receive.shelf);
    cr_assert(shelf_take(receive.call.socket, 0, &next));
    cr_expect_eq(memcmp(next.bytes, "two\n", 4), 0);
    weir_packet_release(&next);
    weir_packet_release(&receive.packet);
}

Test(stream_packet, of_a_thread_is_its_own_after_a_close)
{
    begin(PASSIVE, WEIR_LINE);
    wait_with_a_shelf();
    lone_bring(stream, "one\ntwo\n", false);
    close_end(&lone, &stream->slot, END_CLOSED);
    lone_turn();
    cr_expect(receive.call.result == 0 && memcmp(receive.packet.bytes, "one\n", 4) == 0);
    weir_packet_release(&receive.packet);
}

Test(stream_packet, that_a_mailbox_has_no_memory_for_ends_receiving)
{
    weir_mailbox *mailbox;
    begin(ALL, WEIR_LINE);
    values()->exit_on_close = false;
    cr_assert_eq(weir_mailbox_create(&mailbox), 0);
    owner_set(&stream->slot, weir_mailed_to(mailbox));
    memory_fail_nth(1);
    lone_bring(stream, "one\ntwo\n", false);
    memory_fail_nth(0);
    cr_expect_eq(stream->receiving, RECEIVING_BROKEN);
    cr_expect(stream->closed_told && lone.totals.packets_received == 1);
}

/* Raw bytes as many as a recv wants. */
Test(stream_packet, of_raw_bytes_is_as_long_as_is_asked_for)
{
    begin(PASSIVE, WEIR_RAW);
    lone_receive(stream, 'a', 5, -1);
    lone_turn();
    bring("abc");
    cr_expect_eq(input_begun(stream).needed, 5);
    bring("defgh");
    TOLD("a:0 abcde ");
    lone_receive(stream, 'b', 2, -1);
    lone_receive(stream, 'c', 0, -1);
    TOLD("b:0 fg c:0 h ");
    cr_expect_null(stream->input);
}

/* A reset that what is queued is about to find as well. */
static const struct {
    int error;
    bool queued;
    uint8_t latches;
} queues[] = {{-ECONNRESET, false, LATCH_SEND}, {-ECONNRESET, true, 0}, {0, true, LATCH_SEND}};

Test(stream_packet, the_end_is_told_to_the_next_send_unless_the_queue_finds_it)
{
    for (size_t i = 0; i < sizeof(queues) / sizeof(queues[0]); i++) {
        begin(ALL, WEIR_RAW);
        values()->exit_on_close = false;
        if (queues[i].queued)
            lone_send(stream, 'a', 3);
        lone_complete_operation(stream, STREAM_RECEIVE, queues[i].error, 0);
        TOLD("closed ");
        cr_expect_eq(stream->latches, queues[i].latches, "row %zu", i);
        cr_expect_eq(stream->receiving, RECEIVING_REPORTED);
    }
}

/* A send that has failed is why receiving ends. */
Test(stream_packet, the_end_after_a_failed_send_loses_the_connection)
{
    begin(ALL, WEIR_RAW);
    values()->exit_on_close = false;
    values()->show_econnreset = true;
    lone_send(stream, 'a', 3);
    lone_complete(-EPIPE, 0);
    TOLD("a:econnreset ");
    cr_expect(stream->sending == SENDING_FAILED && stream->slot.state == SOCKET_OPEN);
    lone_complete_operation(stream, STREAM_RECEIVE, 0, 0);
    TOLD("error:econnreset closed ");
    cr_expect(stream->slot.state == SOCKET_GONE && stream->slot.fd == -1);
}

Test(stream_packet, a_time_out_is_told_to_who_is_active)
{
    begin(ALL, WEIR_RAW);
    values()->exit_on_close = false;
    delivery_time_out(&lone, stream);
    TOLD("error:timeout closed ");
    delivery_time_out(&lone, stream);
    TOLD("");
}

Test(stream_packet, another_owner_is_given_what_came_meanwhile)
{
    static const weir_handler nothing;
    begin(PASSIVE, WEIR_RAW);
    cr_assert_eq(input_append(&lone, stream, (struct framing_span){(const uint8_t *)"x", 1},
                              (struct begun_packet){0}),
                 0);
    int result = kind_stream.hand_over(&lone, &stream->slot, (weir_owner){.handler = &nothing});
    cr_expect(result >= 0 && !stream->delivering && input_size(stream) == 1);
    TOLD("");
    stream->delivering = true;
    result = kind_stream.hand_over(&lone, &stream->slot, (weir_owner){.handler = &nothing});
    cr_expect(result >= 0 && stream->delivering);
}

static char handed[8];

/* Whatever it asks for within: what came before is told first. */
static void note_and_go_on(weir_socket socket, const weir_packet *packet, void *data)
{
    (void)socket, (void)data;
    strncat(handed, (const char *)packet->bytes, packet->size);
    kind_stream.changed(&lone, &stream->slot);
}

Test(stream_packet, another_owner_is_given_all_in_order)
{
    static const weir_handler next = {.packet = note_and_go_on};
    weir_mailbox *mailbox;
    begin(ALL, WEIR_RAW);
    cr_assert_eq(weir_mailbox_create(&mailbox), 0);
    owner_set(&stream->slot, weir_mailed_to(mailbox));
    bring("a");
    bring("b");
    cr_assert_eq(input_append(&lone, stream, (struct framing_span){(const uint8_t *)"c", 1},
                              (struct begun_packet){0}),
                 0);
    cr_expect_eq(kind_stream.hand_over(&lone, &stream->slot, (weir_owner){.handler = &next}), 1);
    cr_expect_str_eq(handed, "abc");
    cr_expect(stream->input == NULL && !stream->delivering);
}

Test(stream_packet, is_given_once_whatever_its_owner_asks_for_meanwhile)
{
    static const weir_handler owner = {.packet = note_and_go_on};
    begin(ALL, WEIR_LINE);
    owner_set(&stream->slot, (weir_owner){.handler = &owner});
    bring("o");
    bring("n\nt\n");
    cr_expect_str_eq(handed, "on\nt\n");
}

Test(stream_packet, a_dead_owner_hands_nothing_over)
{
    static const weir_handler next = {.packet = note_and_go_on};
    weir_mailbox *mailbox;
    begin(ALL, WEIR_RAW);
    cr_assert_eq(weir_mailbox_create(&mailbox), 0);
    owner_set(&stream->slot, weir_mailed_to(mailbox));
    mailbox_end(mailbox);
    int result = kind_stream.hand_over(&lone, &stream->slot, (weir_owner){.handler = &next});
    cr_expect_eq(result, WEIR_CLOSED);
}
