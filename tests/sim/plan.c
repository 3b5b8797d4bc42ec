/* SPDX-License-Identifier: MIT */
#include "sim/plan.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "sim/dice.h"

enum { MEMORY_SIZE = 16 << 20, LARGE_MOST = 200000 };

static uint8_t memory[MEMORY_SIZE];
static uint32_t used;

struct plan_style plan_style;

uint8_t *plan_take(uint32_t size)
{
    if (size > MEMORY_SIZE - used)
        return NULL;
    used += size;
    return memory + used - size;
}

void plan_reset(void)
{
    used = 0;
}

static void fill(uint8_t *to, uint32_t size)
{
    while (size >= 8) {
        uint64_t word = dice_next();
        memcpy(to, &word, 8);
        to += 8;
        size -= 8;
    }
    while (size-- > 0)
        *to++ = (uint8_t)dice_next();
}

static uint32_t put_prefix(uint8_t *to, uint32_t size, uint32_t body)
{
    if (size == 4) {
        bytes_write_be32(to, body);
    } else if (size == 2) {
        bytes_write_be16(to, body);
    } else {
        to[0] = (uint8_t)body;
    }
    fill(to + size, body);
    return size + body;
}

static uint32_t put_line(uint8_t *to, uint32_t body)
{
    for (uint32_t i = 0; i < body; i++)
        to[i] = (uint8_t)('a' + dice_below(26));
    to[body] = '\n';
    return body + 1;
}

static uint32_t put_cdr(uint8_t *to, uint32_t body)
{
    memcpy(to, "GIOP\1\2\0\0", 8);
    bytes_write_be32(to + 8, body);
    fill(to + 12, body);
    return 12 + body;
}

static uint32_t put_fcgi(uint8_t *to, uint32_t body)
{
    uint32_t padding = dice_below(8);
    memset(to, 0, 8);
    to[0] = 1;
    to[1] = 5;
    bytes_write_be16(to + 4, body);
    to[6] = (uint8_t)padding;
    fill(to + 8, body + padding);
    return 8 + body + padding;
}

static uint32_t put_http(uint8_t *to, bool header)
{
    static const char *const lines[] = {
        "GET /index.html HTTP/1.1\r\n",
        "POST * HTTP/1.0\r\n",
        "HTTP/1.1 200 OK\r\n",
        "Host: x\r\n",
        "x-unknown: \r\n",
        "Content-Length: 12\r\n",
        "Folded: a\r\n b\r\n",
        "no colon\r\n",
        "\r\n",
    };
    uint32_t first = header ? 3 : 0;
    const char *line = lines[first + dice_below(header ? 6 : 9)];
    memcpy(to, line, strlen(line));
    return (uint32_t)strlen(line);
}

static uint32_t put_packet(uint8_t *to, uint8_t type, uint32_t body)
{
    switch ((enum weir_packet_type)type) {
    case WEIR_1:
        return put_prefix(to, 1, body & 0xFF);
    case WEIR_2:
        return put_prefix(to, 2, body & 0xFFFF);
    case WEIR_4:
        return put_prefix(to, 4, body);
    case WEIR_SUNRM:
        return put_prefix(to, 4, body);
    case WEIR_ASN1:
        to[0] = 0x30;
        to[1] = 0x82;
        return 2 + put_prefix(to + 2, 2, body & 0xFFFF);
    case WEIR_CDR:
        return put_cdr(to, body);
    case WEIR_FCGI:
        return put_fcgi(to, body & 0xFFFF);
    case WEIR_TPKT:
        to[0] = 3;
        to[1] = 0;
        bytes_write_be16(to + 2, (body & 0x7FFF) + 4);
        fill(to + 4, body & 0x7FFF);
        return 4 + (body & 0x7FFF);
    case WEIR_LINE:
        return put_line(to, body);
    case WEIR_HTTP:
    case WEIR_HTTP_BIN:
        return put_http(to, false);
    case WEIR_HTTPH:
    case WEIR_HTTPH_BIN:
        return put_http(to, true);
    case WEIR_RAW:
    case WEIR_PACKET_TYPE_COUNT:
        break;
    }
    fill(to, body);
    return body;
}

static uint32_t body_size(uint32_t most)
{
    if (dice_chance(plan_style.large_per_mille))
        return dice_between(60000, LARGE_MOST);
    return dice_chance(50) ? 0 : dice_size(most);
}

static void plan_stream(struct link *link, bool at_once)
{
    enum { FRAME_MOST = 32 };
    uint32_t most = plan_style.bytes_most;
    uint32_t wanted = at_once ? dice_between(most / 2, most) : dice_size(most);
    uint32_t capacity =
        wanted + FRAME_MOST + 1024 + (plan_style.large_per_mille ? LARGE_MOST : most);
    link->in = plan_take(capacity);
    if (!link->in || dice_chance(50))
        return;
    while (link->in_size < wanted)
        link->in_size +=
            put_packet(link->in + link->in_size, link->packet,
                       at_once ? dice_between(most / 16, most / 4) : body_size(most / 4 + 1));
    if (dice_chance(plan_style.garbage_per_mille))
        link->in[dice_below(link->in_size)] ^= (uint8_t)dice_between(1, 255);
    if (dice_chance(100))
        link->in_size -= dice_below(link->in_size); /* it ends within a packet */
}

static uint32_t pace(void)
{
    static const uint32_t paces[] = {1, 7, 100, 1500, 65536};
    return paces[dice_below(5)];
}

/* What it says is received in few pieces, which are large. */
static void speak_at_once(struct link *link)
{
    link->in_window = dice_between(8192, 65536);
    link->write_most = UINT32_MAX;
}

/* A long stream in single bytes would outlive the run. */
static void bound_writes(struct link *link)
{
    enum { WRITES_MOST = 16384 };
    uint32_t least = link->in_size / WRITES_MOST;
    link->write_most = link->write_most > least ? link->write_most : least;
    link->in_window = link->in_window > least ? link->in_window : least;
}

void plan_peer(struct link *link)
{
    enum { OUT_MOST = 32768 };
    static const uint8_t ends[] = {PEER_STAYS,  PEER_STAYS,  PEER_HALF_CLOSES,
                                   PEER_CLOSES, PEER_CLOSES, PEER_RESETS};
    if (plan_style.by_hand)
        return;
    link->packet =
        dice_chance(100) ? (uint8_t)dice_below(WEIR_PACKET_TYPE_COUNT) : plan_style.packet;
    link->out_capacity = plan_style.large_per_mille ? 4 * OUT_MOST : OUT_MOST;
    link->out = plan_take(link->out_capacity);
    if (!link->out)
        link->out_capacity = 0;
    bool at_once = dice_chance(plan_style.at_once);
    plan_stream(link, at_once);
    link->in_window = dice_between(1, 8192);
    link->out_window = dice_chance(300) ? dice_between(1, 64) : dice_between(1, 16384);
    link->end = ends[dice_below(sizeof(ends))];
    link->write_most = pace();
    link->read_most = pace();
    link->pause_us = dice_chance(500) ? 0 : dice_size(5000);
    link->stalls = dice_chance(150);
    if (at_once)
        speak_at_once(link);
    bound_writes(link);
}
