/* SPDX-License-Identifier: MIT */
/* A packet that goes out again is what came in, whatever of it is delivered. */
#include "support/loopback.h"

#include <stdio.h>
#include <string.h>

struct sample {
    const char *type;
    const char *bytes;
    size_t size;
};

#define SAMPLE(type, bytes)            \
    {                                  \
        type, bytes, sizeof(bytes) - 1 \
    }

/* Two packets or more of each type, with whatever it may have around its body. */
static const struct sample samples[] = {
    SAMPLE("raw", "abcdefgh"),
    SAMPLE("1", "\3abc\0\1d"),
    SAMPLE("2", "\0\3abc\0\0\0\1d"),
    SAMPLE("4", "\0\0\0\3abc\0\0\0\0\0\0\0\1d"),
    SAMPLE("sunrm", "\200\0\0\3abc\0\0\0\1d"),
    SAMPLE("asn1", "\60\3abc\60\201\1d\37\201\1\1e"),
    SAMPLE("cdr", "GIOP\1\0\1\0\3\0\0\0abcGIOP\1\0\0\0\0\0\0\1d"),
    SAMPLE("fcgi", "\1\5\0\1\0\3\5\0abcPADDI\1\5\0\1\0\0\0\0\1\5\0\1\0\0\2\0--\1\5\0\1\0\1\0\0d"),
    SAMPLE("tpkt", "\3\0\0\7abc\3\0\0\5d"),
    SAMPLE("line", "abc\r\n\nlonger than the buffer is\nd\n"),
    SAMPLE("http", "GET / HTTP/1.1\r\nHost: x\r\n folded\r\nnonsense\r\n\r\nBREW  /  \n"),
    SAMPLE("http_bin", "HTTP/1.1 200 OK \r\nA:b\n\tc\n\nnonsense\r\n"),
    SAMPLE("httph", "Host:  x \r\n\r\nA:b\r\n\r\n"),
    SAMPLE("httph_bin", "x-Own-field:  y\r\n z\r\n\r\n\n"),
};

static void send_again(weir_socket socket, const weir_packet *packet, void *data)
{
    (void)data;
    (void)!weir_send_packet(socket, packet);
}

static void send_again_later(weir_socket socket, const weir_packet *packet, void *data)
{
    (void)data;
    (void)!weir_send_packet_async(socket, packet, NULL, NULL);
}

static const weir_handler at_once = {.packet = send_again};
static const weir_handler later = {.packet = send_again_later};

static void expect_again(int peer, const struct sample *sample)
{
    char back[256];
    cr_assert(sample->size <= sizeof(back));
    peer_read(peer, back, sample->size);
    cr_expect(memcmp(back, sample->bytes, sample->size) == 0, "{packet,%s} is not what came in",
              sample->type);
}

/* In one piece, and byte by byte. */
static void play(struct loopback *loopback, weir_owner owner, const struct sample *sample)
{
    weir_socket listener;
    char options[128];
    snprintf(options, sizeof(options), "[{packet,%s},{buffer,64},{active,true},{nodelay,true}]",
             sample->type);
    weir_option *parsed;
    GIVES(weir_options_parse(options, &parsed), 0);
    GIVES(weir_tcp_serve(loopback->runtime, "127.0.0.1", 0, parsed, owner, &listener), 0);
    weir_options_free(parsed);
    int peer = peer_connect(weir_port(listener));
    peer_write(peer, sample->bytes, sample->size);
    expect_again(peer, sample);
    for (size_t i = 0; i < sample->size; i++)
        peer_write(peer, sample->bytes + i, 1);
    expect_again(peer, sample);
    weir_close(listener);
    peer_finish(peer);
    peer_expect_end(peer);
    peer_leave(&peer);
}

Test(again, by_a_handler)
{
    struct loopback loopback = loopback_start(NULL);
    for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
        play(&loopback, weir_handled_by(&at_once, NULL), &samples[i]);
        play(&loopback, weir_handled_by(&later, NULL), &samples[i]);
    }
    loopback_close(&loopback);
}

/* Copied, shared where it lies, and with a header that was split off. */
static void play_kept(const struct sample *sample, const char *options)
{
    char text[128];
    snprintf(text, sizeof(text), "[{packet,%s},{active,true},%s]", sample->type, options);
    struct loopback loopback = loopback_open(text);
    peer_write(loopback.peer, sample->bytes, sample->size);
    for (uint64_t sent = 0; sent < sample->size; sent = statistics_of(loopback.socket).send_oct) {
        weir_message message = next_message(loopback.mailbox);
        cr_assert(message.kind == WEIR_MESSAGE_DATA);
        GIVES(weir_send_packet(loopback.socket, &message.packet), 0);
        weir_packet_release(&message.packet);
    }
    expect_again(loopback.peer, sample);
    loopback_close(&loopback);
}

Test(again, from_a_mailbox)
{
    for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
        play_kept(&samples[i], "list");
        play_kept(&samples[i], "binary");
        play_kept(&samples[i], "binary,{header,1}");
    }
}

/* Large enough to be shared. */
Test(again, a_padded_record_from_where_it_lies)
{
    static char record[8 + 5000 + 255] = {1, 5, 0, 1, 5000 >> 8, (char)(5000 & 255), (char)255};
    for (size_t i = 8; i < sizeof(record); i++)
        record[i] = (char)i;
    struct loopback loopback = loopback_open("[{packet,fcgi},{active,true},binary]");
    peer_write(loopback.peer, record, sizeof(record));
    weir_message message = next_message(loopback.mailbox);
    cr_assert(message.packet.size == 8 + 5000 && message.packet.padding_size == 255);
    GIVES(weir_send_packet(loopback.socket, &message.packet), 0);
    weir_packet_release(&message.packet);
    static char back[sizeof(record)];
    peer_read(loopback.peer, back, sizeof(back));
    cr_expect(memcmp(back, record, sizeof(back)) == 0);
    loopback_close(&loopback);
}
