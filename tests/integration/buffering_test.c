/* SPDX-License-Identifier: MIT */
/* How the stream is cut into packets, whatever the segments it comes in. */
#include "support/loopback.h"

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* Type, the bytes that come one at a time, and what is delivered, with "|" between packets. */
struct stream {
    const char *type;
    const char *bytes;
    size_t size;
    const char *packets;
    size_t packets_size;
};

#define STREAM(type, bytes, packets)                                 \
    {                                                                \
        type, bytes, sizeof(bytes) - 1, packets, sizeof(packets) - 1 \
    }

static const struct stream streams[] = {
    STREAM("1", "\1a\0\2bc", "a||bc|"),
    STREAM("2", "\0\1a\0\0\0\2bc", "a||bc|"),
    STREAM("4", "\0\0\0\1a\0\0\0\0\0\0\0\2bc", "a||bc|"),
    STREAM("asn1",
           "\x30\x02"
           "ab"
           "\x30\x81\x01"
           "c",
           "\x30\x02"
           "ab|"
           "\x30\x81\x01"
           "c|"),
    STREAM("sunrm", "\x80\0\0\1a\0\0\0\1b", "\x80\0\0\1a|\0\0\0\1b|"),
    STREAM("cdr", "GIOP\1\0\1\0\2\0\0\0ab", "GIOP\1\0\1\0\2\0\0\0ab|"),
    STREAM("fcgi", "\1\1\0\1\0\2\3\0ab...", "\1\1\0\1\0\2\3\0ab|"),
    STREAM("tpkt", "\3\0\0\6ab", "\3\0\0\6ab|"),
    STREAM("line", "a\nbc\r\n\n", "a\n|bc\r\n|\n|"),
    STREAM("http", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "GET / HTTP/1.1\r\n|Host: x\r\n|\r\n|"),
};

static size_t join(char *joined, size_t size, weir_packet *packet)
{
    memcpy(joined + size, packet->bytes, packet->size);
    size += packet->size;
    joined[size++] = '|';
    weir_packet_release(packet);
    return size;
}

static size_t count_bars(const struct stream *stream)
{
    size_t count = 0;
    for (size_t i = 0; i < stream->packets_size; i++)
        count += stream->packets[i] == '|';
    return count;
}

static void expect_joined(const struct stream *stream, const char *joined, size_t size)
{
    cr_expect(size == stream->packets_size && memcmp(joined, stream->packets, size) == 0,
              "%s: \"%.*s\"", stream->type, (int)size, joined);
}

static void say_byte_by_byte(struct loopback *loopback, const struct stream *stream)
{
    for (size_t i = 0; i < stream->size; i++) {
        peer_write(loopback->peer, stream->bytes + i, 1);
        settle(loopback->socket);
    }
}

Test(buffering, active_byte_by_byte)
{
    struct loopback loopback = loopback_open("[{active,false},{deliver,term}]");
    for (size_t i = 0; i < sizeof(streams) / sizeof(streams[0]); i++) {
        char options[64];
        char joined[256];
        size_t size = 0;
        loopback_reopen(&loopback);
        snprintf(options, sizeof(options), "[{packet,%s},{active,true}]", streams[i].type);
        GIVES(set(loopback.socket, options), 0);
        say_byte_by_byte(&loopback, &streams[i]);
        for (size_t count = count_bars(&streams[i]); count > 0; count--) {
            weir_message message = next_message(loopback.mailbox);
            cr_assert(message.kind == WEIR_MESSAGE_DATA, "%s: %s", streams[i].type,
                      result_text(message.error));
            size = join(joined, size, &message.packet);
        }
        expect_joined(&streams[i], joined, size);
        expect_quiet(&loopback);
    }
    loopback_close(&loopback);
}

Test(buffering, passive_byte_by_byte)
{
    struct loopback loopback = loopback_open("[{active,false}]");
    for (size_t i = 0; i < sizeof(streams) / sizeof(streams[0]); i++) {
        char options[64];
        char joined[256];
        size_t size = 0;
        loopback_reopen(&loopback);
        snprintf(options, sizeof(options), "[{packet,%s}]", streams[i].type);
        GIVES(set(loopback.socket, options), 0);
        say_byte_by_byte(&loopback, &streams[i]);
        for (size_t count = count_bars(&streams[i]); count > 0; count--) {
            weir_packet packet;
            GIVES(weir_recv(loopback.socket, 0, WAIT_MS, &packet), 0);
            size = join(joined, size, &packet);
        }
        expect_joined(&streams[i], joined, size);
    }
    loopback_close(&loopback);
}

/* What is not consumed is read anew with the new type, also half a packet, whose header then
 * shows as data. */
static void change_types(const char *active)
{
    char options[64];
    struct loopback loopback = loopback_open("[{packet,line},{active,false}]");
    bool passive = strcmp(active, "false") == 0;
    peer_write(loopback.peer, "ab\n\0\2cdefg", 10);
    if (passive)
        expect_received(loopback.socket, 0, "ab\n");
    snprintf(options, sizeof(options), "[{packet,line},{active,%s}]", active);
    GIVES(set(loopback.socket, options), 0);
    if (!passive)
        expect_text(&loopback, "ab\n");
    snprintf(options, sizeof(options), "[{packet,2},{active,%s}]", active);
    GIVES(set(loopback.socket, options), 0);
    if (passive)
        expect_received(loopback.socket, 0, "cd");
    else
        expect_text(&loopback, "cd");
    snprintf(options, sizeof(options), "[{packet,raw},{active,%s}]", active);
    GIVES(set(loopback.socket, options), 0);
    if (passive)
        expect_received(loopback.socket, 0, "efg");
    else
        expect_text(&loopback, "efg");
    loopback_close(&loopback);
}

Test(buffering, the_type_changes_passive)
{
    change_types("false");
}

Test(buffering, the_type_changes_once)
{
    change_types("once");
}

Test(buffering, the_header_of_half_a_packet_becomes_data)
{
    struct loopback loopback = loopback_open("[{packet,2},{active,true}]");
    peer_write(loopback.peer, "\0\5ab", 4);
    expect_quiet(&loopback);
    GIVES(set(loopback.socket, "[{packet,raw}]"), 0);
    expect_data(&loopback, "\0\5ab", 4);
    loopback_close(&loopback);
}

/* The same when the kernel is receiving the rest of it into memory of its own. */
Test(buffering, the_header_of_half_a_large_packet_becomes_data)
{
    enum { HAVE = 200000 };
    struct loopback loopback = loopback_open("[{packet,4},{active,true},{buffer,1000000}]");
    char *bytes = calloc(1, HAVE);
    memcpy(bytes, "\0\x08\0\0", 4);
    peer_write(loopback.peer, bytes, HAVE);
    expect_quiet(&loopback);
    GIVES(set(loopback.socket, "[{packet,raw}]"), 0);
    size_t total = 0;
    while (total < HAVE) {
        weir_message message = next_message(loopback.mailbox);
        cr_assert(message.kind == WEIR_MESSAGE_DATA);
        if (total == 0)
            cr_assert(memcmp(message.packet.bytes, "\0\x08\0\0", 4) == 0);
        total += message.packet.size;
        weir_packet_release(&message.packet);
    }
    cr_assert(total == HAVE);
    free(bytes);
    loopback_close(&loopback);
}

Test(buffering, the_http_state_outlives_other_types)
{
    struct loopback loopback = loopback_open("[{packet,http_bin},{active,false}]");
    weir_packet packet;
    peer_say(loopback.peer, "GET / HTTP/1.1\r\nabcX: y\r\n\r\n");
    GIVES(weir_recv(loopback.socket, 0, WAIT_MS, &packet), 0);
    cr_assert(packet.http->kind == WEIR_HTTP_REQUEST);
    weir_packet_release(&packet);
    GIVES(set(loopback.socket, "[{packet,raw}]"), 0);
    expect_received(loopback.socket, 3, "abc");
    GIVES(set(loopback.socket, "[{packet,http_bin}]"), 0);
    GIVES(weir_recv(loopback.socket, 0, WAIT_MS, &packet), 0);
    cr_assert(packet.http->kind == WEIR_HTTP_HEADER);
    weir_packet_release(&packet);
    loopback_close(&loopback);
}

Test(buffering, recv_takes_exactly_so_much)
{
    struct loopback loopback = loopback_open("[{active,false}]");
    peer_say(loopback.peer, "abcdefgh");
    expect_received(loopback.socket, 3, "abc");
    expect_received(loopback.socket, 1, "d");
    expect_received(loopback.socket, 0, "efgh");
    loopback_close(&loopback);
}

Test(buffering, recv_keeps_what_came_before_its_time_was_up)
{
    struct loopback loopback = loopback_open("[{active,false}]");
    weir_packet packet;
    peer_say(loopback.peer, "abc");
    GIVES(weir_recv(loopback.socket, 10, 50, &packet), WEIR_TIMEOUT);
    expect_received(loopback.socket, 2, "ab");
    GIVES(weir_recv(loopback.socket, 10, 0, &packet), WEIR_TIMEOUT);
    peer_say(loopback.peer, "def");
    GIVES(weir_recv(loopback.socket, 10, 50, &packet), WEIR_TIMEOUT);
    expect_received(loopback.socket, 0, "cdef");
    loopback_close(&loopback);
}

Test(buffering, what_a_recv_left_becomes_a_message)
{
    struct loopback loopback = loopback_open("[{active,false}]");
    weir_packet packet;
    peer_say(loopback.peer, "abc");
    GIVES(weir_recv(loopback.socket, 10, 50, &packet), WEIR_TIMEOUT);
    GIVES(set(loopback.socket, "[{active,once}]"), 0);
    expect_text(&loopback, "abc");
    expect_quiet(&loopback);
    loopback_close(&loopback);
}

Test(buffering, recv_of_nothing_polls)
{
    struct loopback loopback = loopback_open("[{active,false}]");
    weir_packet packet;
    uint64_t before = now_ms();
    GIVES(weir_recv(loopback.socket, 0, 0, &packet), WEIR_TIMEOUT);
    cr_expect(now_ms() - before < AT_ONCE_MS);
    peer_say(loopback.peer, "abc");
    settle(loopback.socket);
    GIVES(weir_recv(loopback.socket, 0, 0, &packet), 0); /* the kernel has it: a poll sees it */
    weir_packet_release(&packet);
    loopback_close(&loopback);
}

Test(buffering, the_end_gives_raw_bytes_first_and_drops_what_is_too_short)
{
    struct loopback loopback = loopback_open("[{active,false}]");
    weir_packet packet;
    peer_say(loopback.peer, "abc");
    GIVES(weir_recv(loopback.socket, 10, 50, &packet), WEIR_TIMEOUT);
    peer_leave(&loopback.peer);
    expect_received(loopback.socket, 0, "abc");
    GIVES(weir_recv(loopback.socket, 0, WAIT_MS, &packet), WEIR_CLOSED);

    loopback_reopen(&loopback);
    peer_say(loopback.peer, "abc");
    peer_leave(&loopback.peer);
    GIVES(weir_recv(loopback.socket, 10, WAIT_MS, &packet), WEIR_CLOSED);
    GIVES(weir_recv(loopback.socket, 0, WAIT_MS, &packet), -ENOTCONN);
    loopback_close(&loopback);
}

Test(buffering, the_end_drops_half_a_packet)
{
    struct loopback loopback = loopback_open("[{packet,line},{active,false}]");
    weir_packet packet;
    peer_say(loopback.peer, "a\nhalf");
    peer_leave(&loopback.peer);
    expect_received(loopback.socket, 0, "a\n");
    GIVES(weir_recv(loopback.socket, 0, WAIT_MS, &packet), WEIR_CLOSED);

    loopback_reopen(&loopback);
    GIVES(set(loopback.socket, "[{packet,httph},{active,true}]"), 0);
    peer_say(loopback.peer, "A: b\r\nC: d\r\n"); /* whether it goes on is never said */
    peer_leave(&loopback.peer);
    weir_message message = next_message(loopback.mailbox);
    cr_assert(message.kind == WEIR_MESSAGE_DATA);
    weir_packet_release(&message.packet);
    expect_told(&loopback, WEIR_MESSAGE_CLOSED, 0);
    loopback_close(&loopback);
}

Test(buffering, a_length_is_for_raw_only_and_has_a_limit)
{
    struct loopback loopback = loopback_open("[{packet,4},{active,false}]");
    weir_packet packet;
    GIVES(weir_recv(loopback.socket, 1, 0, &packet), -EINVAL);
    GIVES(set(loopback.socket, "[{packet,raw}]"), 0);
    GIVES(weir_recv(loopback.socket, 67108865, 0, &packet), -ENOMEM);
    GIVES(weir_recv(loopback.socket, 67108864, 0, &packet), WEIR_TIMEOUT);
    loopback_close(&loopback);
}

Test(buffering, only_one_recv_waits)
{
    struct loopback loopback = loopback_open("[{active,false}]");
    struct answer answer = {0};
    weir_packet packet;
    GIVES(weir_recv_async(loopback.socket, 0, WEIR_INFINITY, answer_received, &answer), 0);
    GIVES(weir_recv(loopback.socket, 0, 0, &packet), -EALREADY);
    peer_say(loopback.peer, "abc");
    GIVES(answer_wait(&answer), 0);
    cr_assert(answer.size == 3 && memcmp(answer.bytes, "abc", 3) == 0);
    loopback_close(&loopback);
}

Test(buffering, raw_gives_at_most_a_buffer)
{
    struct loopback loopback = loopback_open("[{buffer,4},{active,false}]");
    peer_say(loopback.peer, "abcdefghij");
    expect_received(loopback.socket, 0, "abcd");
    GIVES(set(loopback.socket, "[{active,once}]"), 0);
    expect_text(&loopback, "efgh");
    expect_received(loopback.socket, 0, "ij");
    loopback_close(&loopback);
}

/* Limits: section 3.7 of the semantics, by way of what a peer sends. */
Test(buffering, a_packet_over_its_limit_is_emsgsize)
{
    struct loopback loopback = loopback_open("[{packet,4},{packet_size,8},{active,false}]");
    weir_packet packet;
    peer_write(loopback.peer, "\0\0\0\10abcdefgh\0\0\0\11", 16);
    expect_received(loopback.socket, 0, "abcdefgh");
    GIVES(weir_recv(loopback.socket, 0, WAIT_MS, &packet), -EMSGSIZE);
    GIVES(weir_recv(loopback.socket, 0, WAIT_MS, &packet), -ENOTCONN);
    GIVES(weir_send(loopback.socket, "a", 1), -ENOTCONN);
    loopback_close(&loopback);
}

Test(buffering, a_packet_over_its_limit_is_told)
{
    struct loopback loopback = loopback_open("[{packet,4},{packet_size,8},{active,true}]");
    peer_write(loopback.peer, "\0\0\0\10abcdefgh\0\0\0\11", 16);
    expect_text(&loopback, "abcdefgh");
    expect_told(&loopback, WEIR_MESSAGE_ERROR, -EMSGSIZE);
    expect_told(&loopback, WEIR_MESSAGE_CLOSED, 0);
    peer_expect_end(loopback.peer);
    GIVES(weir_port(loopback.socket), -EINVAL);
    loopback_close(&loopback);
}

Test(buffering, after_a_bad_packet_recv_only_times_out)
{
    struct loopback loopback =
        loopback_open("[{packet,tpkt},{exit_on_close,false},{active,false}]");
    weir_packet packet;
    peer_say(loopback.peer, "not a tpkt");
    GIVES(weir_recv(loopback.socket, 0, WAIT_MS, &packet), -EMSGSIZE);
    GIVES(weir_recv(loopback.socket, 0, 20, &packet), WEIR_TIMEOUT);
    GIVES(weir_send(loopback.socket, "a", 1), 0);
    peer_expect(loopback.peer, "a");
    loopback_close(&loopback);
}

/* What nobody will be given is not taken from the kernel either. */
Test(buffering, after_a_bad_packet_the_peer_is_held_back)
{
    enum { MOST = 16 << 20 };
    static const char bytes[65536];
    struct loopback loopback =
        loopback_open("[{packet,tpkt},{exit_on_close,false},{active,true},{recbuf,65536}]");
    size_t written = 0;
    ssize_t result;
    peer_write(loopback.peer, "\3\0\0\5a", 5); /* who has had one receives on and on */
    expect_data(&loopback, "\3\0\0\5a", 5);
    peer_say(loopback.peer, "not a tpkt");
    expect_told(&loopback, WEIR_MESSAGE_ERROR, -EMSGSIZE);
    expect_told(&loopback, WEIR_MESSAGE_CLOSED, 0);
    do {
        result = send(loopback.peer, bytes, sizeof(bytes), MSG_DONTWAIT | MSG_NOSIGNAL);
        written += result > 0 ? (size_t)result : 0;
        settle(loopback.socket);
    } while (written < MOST && result > 0);
    cr_expect(written < MOST, "the peer was never held back");
    loopback_close(&loopback);
}

Test(buffering, lines_are_cut_at_the_buffer)
{
    struct loopback loopback = loopback_open("[{packet,line},{buffer,5},{active,false}]");
    peer_say(loopback.peer, "abcdefghijkl\n");
    expect_received(loopback.socket, 0, "abcde");
    expect_received(loopback.socket, 0, "fghij");
    expect_received(loopback.socket, 0, "kl\n");
    GIVES(set(loopback.socket, "[{packet_size,100}]"), 0); /* the document's guarantee */
    peer_say(loopback.peer, "abcdefghijkl\n");
    expect_received(loopback.socket, 0, "abcdefghijkl\n");
    loopback_close(&loopback);
}

Test(buffering, a_line_over_packet_size_is_emsgsize)
{
    struct loopback loopback = loopback_open("[{packet,line},{packet_size,4},{active,false}]");
    weir_packet packet;
    peer_say(loopback.peer, "abc\nabcd\n");
    expect_received(loopback.socket, 0, "abc\n");
    GIVES(weir_recv(loopback.socket, 0, WAIT_MS, &packet), -EMSGSIZE);
    loopback_close(&loopback);
}

Test(buffering, an_http_line_over_the_buffer_is_emsgsize)
{
    struct loopback loopback = loopback_open("[{packet,http_bin},{buffer,20},{active,false}]");
    weir_packet packet;
    peer_say(loopback.peer, "GET /0123456789 HTTP/1.1\r\n");
    GIVES(weir_recv(loopback.socket, 0, WAIT_MS, &packet), -EMSGSIZE);
    loopback_close(&loopback);
}

/* A message of 1 MiB is received where it is delivered from: what is moved in user space is the one
 * buffer that its beginning came in, as its block grows what is less than 128 KiB, and, when the
 * kernel that was to wait for all of it came back early (its workers may be interrupted), a rest
 * that is not worth an operation of its own. */
enum { LARGE = 1 << 20, RECEIVE_BUFFER = 16384, REST_MOST = 32768 };
enum { MOVED_MOST = 2 * (128 << 10) };
enum { COPIED_MOST = 3 * (RECEIVE_BUFFER + REST_MOST + MOVED_MOST) };

static char *large_packet(void)
{
    char *bytes = malloc(LARGE + 4);
    memcpy(bytes, "\0\x10\0\0", 4);
    for (size_t i = 0; i < LARGE; i++)
        bytes[4 + i] = (char)(i * 31 >> 4);
    return bytes;
}

static uint64_t copied(weir_runtime *runtime, weir_socket socket)
{
    weir_totals totals;
    settle(socket);
    weir_get_totals(runtime, -1, &totals);
    return totals.copied_bytes;
}

static void *write_large(void *data)
{
    const struct loopback *loopback = data;
    char *bytes = large_packet();
    for (int i = 0; i < 3; i++)
        peer_write(loopback->peer, bytes, LARGE + 4);
    free(bytes);
    return NULL;
}

Test(buffering, a_large_packet_is_received_in_place)
{
    struct loopback loopback = loopback_open("[{packet,4},binary,{active,true}]");
    char *bytes = large_packet();
    pthread_t writer;
    pthread_create(&writer, NULL, write_large, &loopback);
    for (int i = 0; i < 3; i++)
        expect_data(&loopback, bytes + 4, LARGE);
    pthread_join(writer, NULL);
    uint64_t bytes_copied = copied(loopback.runtime, loopback.socket);
    cr_assert(bytes_copied <= COPIED_MOST, "%lu bytes were copied", (unsigned long)bytes_copied);
    free(bytes);
    loopback_close(&loopback);
}

Test(buffering, a_large_recv_is_received_in_place)
{
    struct loopback loopback = loopback_open("[binary,{active,false}]");
    char *bytes = large_packet();
    pthread_t writer;
    pthread_create(&writer, NULL, write_large, &loopback);
    for (int i = 0; i < 3; i++) {
        weir_packet packet;
        GIVES(weir_recv(loopback.socket, LARGE + 4, WAIT_MS, &packet), 0);
        cr_assert(packet.size == LARGE + 4 && memcmp(packet.bytes, bytes, LARGE + 4) == 0);
        weir_packet_release(&packet);
    }
    pthread_join(writer, NULL);
    uint64_t bytes_copied = copied(loopback.runtime, loopback.socket);
    cr_assert(bytes_copied <= COPIED_MOST, "%lu bytes were copied", (unsigned long)bytes_copied);
    free(bytes);
    loopback_close(&loopback);
}

/* Peers that claim much and send little. */
enum { CLAIMANTS = 100, CLAIMED = 4 << 20, SENT = 100000, SLACK = 4096 };

static size_t allocated(void)
{
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

static uint64_t received(weir_runtime *runtime, weir_socket socket)
{
    weir_totals totals;
    settle(socket);
    weir_get_totals(runtime, -1, &totals);
    return totals.bytes_received;
}

Test(buffering, a_packet_costs_what_has_come_and_not_what_it_claims)
{
    struct loopback loopback = loopback_start(NULL);
    int peers[CLAIMANTS];
    char *bytes = calloc(1, SENT);
    memcpy(bytes, (char[]){0, CLAIMED >> 16, 0, 0}, 4);
    loopback.listener = listen_with(loopback.runtime, "[{packet,4},{active,true},{packet_size,0}]");
    for (int i = 0; i < CLAIMANTS; i++) {
        loopback_reopen(&loopback);
        peers[i] = loopback.peer;
        loopback.peer = -1;
        loopback.socket = i + 1 < CLAIMANTS ? (weir_socket){0} : loopback.socket;
    }
    size_t before = allocated();
    for (int i = 0; i < CLAIMANTS; i++)
        peer_write(peers[i], bytes, 10);
    EVENTUALLY(received(loopback.runtime, loopback.socket) == 10 * CLAIMANTS);
    size_t few = allocated() - before;
    cr_expect(few <= (size_t)CLAIMANTS * SLACK, "%zu bytes are held", few);
    for (int i = 0; i < CLAIMANTS; i++)
        peer_write(peers[i], bytes, SENT);
    EVENTUALLY(received(loopback.runtime, loopback.socket) >= (uint64_t)CLAIMANTS * SENT / 3);
    size_t many = allocated() - before;
    cr_expect(many <= (size_t)CLAIMANTS * (2 * (10 + SENT) + SLACK), "%zu bytes are held", many);
    for (int i = 0; i < CLAIMANTS; i++)
        peer_leave(&peers[i]);
    free(bytes);
    loopback_close(&loopback);
}

/* Packets of every size around a buffer's, in one stream: whatever lies across two is whole. */
Test(buffering, packets_lie_across_buffers)
{
    static const weir_config config = {.schedulers = 1, .buffer_count = 8, .buffer_size = 256};
    struct loopback loopback = loopback_start(&config);
    loopback.listener = listen_with(loopback.runtime, "[{packet,2},{active,true}]");
    loopback_reopen(&loopback);
    for (size_t size = 1; size < 1200; size += 37) {
        char bytes[1202];
        bytes[0] = (char)(size >> 8);
        bytes[1] = (char)size;
        for (size_t i = 0; i < size; i++)
            bytes[2 + i] = (char)(size + i);
        peer_write(loopback.peer, bytes, size + 2);
    }
    for (size_t size = 1; size < 1200; size += 37) {
        char bytes[1200];
        for (size_t i = 0; i < size; i++)
            bytes[i] = (char)(size + i);
        expect_data(&loopback, bytes, size);
    }
    loopback_close(&loopback);
}

Test(buffering, a_header_stands_apart)
{
    struct loopback loopback = loopback_open("[{packet,2},{header,2},binary,{active,false}]");
    weir_packet packet;
    peer_write(loopback.peer, "\0\4abcd\0\1x", 9);
    GIVES(weir_recv(loopback.socket, 0, WAIT_MS, &packet), 0);
    cr_assert(packet.header_size == 2 && memcmp(packet.header, "ab", 2) == 0);
    cr_assert(packet.size == 2 && memcmp(packet.bytes, "cd", 2) == 0);
    weir_packet_release(&packet);
    GIVES(weir_recv(loopback.socket, 0, WAIT_MS, &packet), 0);
    cr_assert(packet.header_size == 0 && packet.size == 1);
    weir_packet_release(&packet);
    loopback_close(&loopback);
}
