/* SPDX-License-Identifier: MIT */
/* How what was received is handed over: header, mode, deliver, bit8, limits and buffers, through
 * recv, mailboxes and handlers. */
#include "live.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static weir_packet received(weir_socket socket, size_t length)
{
    weir_packet packet = {0};
    GIVES(weir_recv(socket, length, WAIT_MS, &packet), 0);
    return packet;
}

/* Options, what is written, and the packet: header bytes, or NULL, and the rest. */
static const struct {
    const char *options;
    const char *written;
    const char *header;
    const char *rest;
} headers[] = {
    {"[binary,{header,2}]", "abcd", "ab", "cd"},
    {"[binary,{header,4}]", "abcd", "abcd", ""},
    {"[binary,{header,5}]", "abcd", NULL, "abcd"}, /* fewer bytes: a plain list of them */
    {"[list,{header,2}]", "abcd", NULL, "abcd"},
    {"[binary,{header,0}]", "abcd", NULL, "abcd"},
    {"[binary,{header,2},{packet,1}]", "\3xyz", "xy", "z"}, /* behind the packet's own */
    {"[binary,{header,1},{packet,line}]", "line\n", "l", "ine\n"},
    {"[binary,{header,1},{packet,http},{deliver,port}]", "GET / HTTP/1.1\r\n", "G",
     "ET / HTTP/1.1\r\n"},
};

static void expect_packet(weir_packet *packet, size_t row)
{
    const char *header = headers[row].header;
    size_t size = header ? strlen(header) : 0;
    cr_expect(packet->header_size == size && !packet->header == !header &&
                  (!header || memcmp(packet->header, header, size) == 0) &&
                  packet->size == strlen(headers[row].rest) &&
                  memcmp(packet->bytes, headers[row].rest, packet->size) == 0,
              "%s: %zu + %zu bytes", headers[row].options, packet->header_size, packet->size);
    weir_packet_release(packet);
}

static void check_header(size_t row, bool active)
{
    struct loopback loopback = loopback_open("[{active,false}]");
    weir_packet packet;
    GIVES(set(loopback.socket, headers[row].options), 0);
    peer_say(loopback.peer, headers[row].written);
    if (active) {
        GIVES(set(loopback.socket, "[{active,true}]"), 0);
        packet = next_message(loopback.mailbox).packet;
    } else {
        packet = received(loopback.socket, 0);
    }
    expect_packet(&packet, row);
    loopback_close(&loopback);
}

Test(delivery, header)
{
    size_t count = sizeof(headers) / sizeof(headers[0]);
    for (size_t i = 0; i < count; i++) {
        check_header(i, true);
        if (i + 1 < count) /* recv parses http, whatever the form of messages */
            check_header(i, false);
    }
}

Test(delivery, header_is_ignored_for_http)
{
    struct loopback loopback = loopback_open("[binary,{header,1},{packet,http},{active,false}]");
    peer_say(loopback.peer, "GET / HTTP/1.1\r\n");
    weir_packet packet = received(loopback.socket, 0);
    cr_expect(packet.http && !packet.header && packet.http->kind == WEIR_HTTP_REQUEST);
    weir_packet_release(&packet);
    loopback_close(&loopback);
}

/* Lines as they came, each as soon as it ends, and the parser has learnt nothing from them. */
Test(delivery, port_gives_raw_lines_of_http)
{
    struct loopback loopback = loopback_open("[{packet,http},{deliver,port}]");
    static const char *const lines[] = {"GET / HTTP/1.1\r\n", "Host: x\r\n", " folded\r\n", "\r\n"};
    for (int i = 0; i < 4; i++) {
        peer_say(loopback.peer, lines[i]);
        weir_message message = next_message(loopback.mailbox);
        cr_expect(!message.packet.http && message.packet.deliver == WEIR_PORT &&
                      message.packet.size == strlen(lines[i]) &&
                      memcmp(message.packet.bytes, lines[i], message.packet.size) == 0,
                  "line %d", i);
        weir_packet_release(&message.packet);
    }
    GIVES(set(loopback.socket, "[{deliver,term}]"), 0);
    peer_say(loopback.peer, "GET /b HTTP/1.1\r\n");
    weir_message message = next_message(loopback.mailbox);
    cr_expect(message.packet.http && message.packet.http->kind == WEIR_HTTP_REQUEST &&
              message.packet.deliver == WEIR_TERM);
    weir_packet_release(&message.packet);
    loopback_close(&loopback);
}

/* Two large packets of one write. */
static struct loopback two_packets(const char *options, weir_packet packets[2])
{
    static uint8_t bytes[2][5004];
    struct loopback loopback = loopback_open("[{active,false},{packet,4}]");
    GIVES(set(loopback.socket, options), 0);
    for (int i = 0; i < 2; i++) {
        memset(bytes[i], 'a' + i, sizeof(bytes[i]));
        memcpy(bytes[i], "\0\0\x13\x88", 4);
    }
    peer_write(loopback.peer, bytes, sizeof(bytes));
    settle(loopback.socket);
    GIVES(set(loopback.socket, "[{active,true}]"), 0);
    for (int i = 0; i < 2; i++) {
        packets[i] = next_message(loopback.mailbox).packet;
        cr_assert(packets[i].size == 5000);
    }
    return loopback;
}

/* A list is the receiver's alone: writing into it changes nothing else. */
Test(delivery, mode_list_is_a_private_copy)
{
    weir_packet packets[2];
    struct loopback loopback = two_packets("[list]", packets);
    cr_expect(packets[0].mode == WEIR_LIST && packets[0].buffer != packets[1].buffer);
    memset((uint8_t *)packets[0].bytes, 'x', packets[0].size);
    for (size_t i = 0; i < packets[1].size; i++)
        cr_assert(packets[1].bytes[i] == 'b');
    weir_packet_release(&packets[0]);
    memset((uint8_t *)packets[1].bytes, 'y', packets[1].size);
    weir_packet_release(&packets[1]);
    loopback_close(&loopback);
}

/* Binaries of one receive lie where they were received, in the order that they came. */
Test(delivery, mode_binary_shares_the_buffer)
{
    weir_packet packets[2];
    struct loopback loopback = two_packets("[binary]", packets);
    cr_expect(packets[0].mode == WEIR_BINARY);
    cr_expect(packets[0].buffer == packets[1].buffer, "two buffers");
    cr_expect(packets[1].bytes == packets[0].bytes + 5004);
    weir_packet_release(&packets[0]);
    cr_expect(packets[1].bytes[0] == 'b' && packets[1].bytes[4999] == 'b');
    weir_packet_release(&packets[1]);
    cr_expect(!packets[1].bytes && !packets[1].buffer);
    loopback_close(&loopback);
}

/* Steps on one socket: options to set, bytes that come, and what bit8 then reads as. */
static const struct {
    const char *set;
    const char *written;
    const char *reading;
} bit8_steps[] = {
    {NULL, "\x80", "[{bit8,off}]"},
    {"[{bit8,on}]", "abc", "[{bit8,clear}]"},
    {NULL, "a\xff", "[{bit8,set}]"},
    {NULL, "abc", "[{bit8,set}]"}, /* it stays */
    {"[{bit8,clear}]", "abc", "[{bit8,clear}]"},
    {"[{bit8,set}]", "abc", "[{bit8,set}]"},
    {"[{bit8,off}]", "\x80", "[{bit8,off}]"},
    {"[{bit8,on}]", "\x7f", "[{bit8,clear}]"},
    {"[{header,1}]", "\x80", "[{bit8,set}]"},
    {"[{bit8,on},{packet,1}]", "\1a", "[{bit8,clear}]"},
    {NULL, "\1\xe4", "[{bit8,set}]"},
};

Test(delivery, bit8)
{
    struct loopback loopback = loopback_open("[{active,false}]");
    for (size_t i = 0; i < sizeof(bit8_steps) / sizeof(bit8_steps[0]); i++) {
        if (bit8_steps[i].set)
            GIVES(set(loopback.socket, bit8_steps[i].set), 0);
        peer_say(loopback.peer, bit8_steps[i].written);
        weir_packet packet = received(loopback.socket, 0);
        weir_packet_release(&packet);
        expect_reading(loopback.socket, "[bit8]", bit8_steps[i].reading);
    }
    loopback_close(&loopback);
}

/* Wherever the one byte stands in a large packet; the packet's header is none of it. */
Test(delivery, bit8_finds_a_byte_anywhere)
{
    static uint8_t bytes[4 + 1000];
    struct loopback loopback = loopback_open("[{active,false},{packet,4}]");
    memcpy(bytes, "\0\0\3\xe8", 4);
    for (size_t i = 4; i < sizeof(bytes) + 4; i += 83) {
        size_t at = i < sizeof(bytes) ? i : sizeof(bytes) - 1;
        for (int on = 0; on < 2; on++) {
            bytes[at] = on ? 0x80 : 0x7f;
            GIVES(set(loopback.socket, "[{bit8,clear}]"), 0);
            peer_write(loopback.peer, bytes, sizeof(bytes));
            weir_packet packet = received(loopback.socket, 0);
            weir_packet_release(&packet);
            expect_reading(loopback.socket, "[bit8]", on ? "[{bit8,set}]" : "[{bit8,clear}]");
        }
        bytes[at] = 0;
    }
    loopback_close(&loopback);
}

/* Given where the socket is created, and inherited. */
Test(delivery, bit8_may_start_as_set)
{
    struct loopback loopback = loopback_start(NULL);
    struct trio trio = trio_open(&loopback, "127.0.0.1", "[{bit8,set}]", "[{bit8,set}]");
    expect_reading(trio.listener, "[bit8]", "[{bit8,set}]");
    expect_reading(trio.accepted, "[bit8]", "[{bit8,set}]");
    expect_reading(trio.connected, "[bit8]", "[{bit8,set}]");
    loopback_close(&loopback);
}

/* Options, one write, and the packets it becomes, apart from each other by '|'; "!" is emsgsize. */
static const struct {
    const char *options;
    const char *written;
    const char *packets;
} limits[] = {
    {"[{buffer,3}]", "abcdefgh", "abc|def|gh"},
    {"[{packet,line},{buffer,5}]", "abcdefghijkl\n", "abcde|fghij|kl\n"},
    {"[{packet,line},{buffer,5},{packet_size,100}]", "abcdefghijkl\n", "abcdefghijkl\n"},
    {"[{packet,line},{packet_size,4}]", "abc\nabcd\n", "abc\n|!"},
    {"[{packet,1},{packet_size,3}]", "\3abc\4abcd", "abc|!"},
    {"[{packet,1},{packet_size,0}]", "\3abc\4abcd", "abc|abcd"},
    {"[{packet,4},{buffer,2}]", "\0\0\0\1a", "!"},
    {"[{packet,4},{buffer,2},{packet_size,9}]", "\0\0\0\1a", "a"},
    {"[{packet,2},{buffer,2}]", "\0\3abc", "abc"},
    {"[{packet,2},{buffer,1}]", "\0\3abc", "!"},
    {"[{packet,cdr},{buffer,11}]", "GIOP\1\2\1\1\1\1\1\1", "!"},
    {"[{packet,tpkt},{buffer,3}]", "\3aaaa", "!"},
    {"[{packet,http},{buffer,9}]", "GET / HTTP/1.1\r\n", "!"},
    {"[{packet,http_bin},{buffer,9},{packet_size,99}]", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\n"},
    {"[{packet,line},{line_delimiter,124}]", "a|", "a\x7c"},
};

static size_t written_size(size_t row)
{
    const char *text = limits[row].written;
    return text[0] ? strlen(text) : 5; /* those with zeros have five bytes */
}

static void check_limits(size_t row)
{
    struct loopback loopback = loopback_open("[{active,false}]");
    char packets[256] = "";
    size_t used = 0;
    GIVES(set(loopback.socket, limits[row].options), 0);
    peer_write(loopback.peer, limits[row].written, written_size(row));
    peer_finish(loopback.peer);
    weir_packet packet;
    int result;
    while ((result = weir_recv(loopback.socket, 0, WAIT_MS, &packet)) == 0) {
        used += (size_t)snprintf(packets + used, sizeof(packets) - used, "%s%.*s", used ? "|" : "",
                                 (int)packet.size, (const char *)packet.bytes);
        weir_packet_release(&packet);
    }
    if (result == -EMSGSIZE)
        snprintf(packets + used, sizeof(packets) - used, used ? "|!" : "!");
    cr_expect(strcmp(packets, limits[row].packets) == 0, "%s: \"%s\", not \"%s\" (%s)",
              limits[row].options, packets, limits[row].packets, result_text(result));
    loopback_close(&loopback);
}

Test(delivery, limits)
{
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
        check_limits(i);
}

/* A handler's packets: lent, and kept if it wants to. */
struct seen {
    weir_packet kept;
    uint32_t count;
    enum weir_deliver deliver;
    size_t header_size;
};

static void see(weir_socket socket, const weir_packet *packet, void *data)
{
    struct seen *seen = data;
    (void)socket;
    seen->deliver = packet->deliver;
    seen->header_size = packet->header_size;
    cr_assert(weir_packet_keep(packet, &seen->kept) == 0);
    __atomic_add_fetch(&seen->count, 1, __ATOMIC_RELEASE);
}

Test(delivery, to_a_handler)
{
    static const weir_handler handler = {.packet = see};
    struct seen seen = {0};
    struct loopback loopback = loopback_start(NULL);
    weir_socket socket;
    weir_socket listener =
        listen_on(&loopback, "127.0.0.1", "[binary,{header,2},{deliver,port},{packet,1}]");
    int peer = peer_connect(weir_port(listener));
    GIVES(weir_tcp_accept(listener, weir_handled_by(&handler, &seen), WAIT_MS, &socket), 0);
    peer_say(peer, "\4abcd");
    EVENTUALLY(__atomic_load_n(&seen.count, __ATOMIC_ACQUIRE) == 1);
    cr_expect(seen.deliver == WEIR_PORT && seen.header_size == 2);
    cr_expect(seen.kept.header_size == 2 && memcmp(seen.kept.header, "ab", 2) == 0);
    cr_expect(seen.kept.size == 2 && memcmp(seen.kept.bytes, "cd", 2) == 0);
    weir_packet_release(&seen.kept);
    peer_leave(&peer);
    loopback_close(&loopback);
}
