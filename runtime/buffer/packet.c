/* SPDX-License-Identifier: MIT */
#include "runtime/buffer/packet.h"

#include <errno.h>
#include <string.h>

#include "base/check.h"
#include "base/error.h"
#include "framing/framing.h"
#include <weir/udp.h>

/* Below this a copy is cheaper than pinning a whole receive buffer for the packet's sake. */
enum { SHARE_FROM_BYTES = 4096 };

static bool header_applies(const struct option_values *values, size_t size)
{
    return values->header > 0 && values->mode == WEIR_BINARY && values->header <= size;
}

weir_packet packet_make(const weir_decoded *decoded, const weir_http *http,
                        const struct option_values *values, struct weir_buffer *buffer)
{
    weir_packet packet = {
        .bytes = decoded->bytes,
        .size = decoded->size,
        .padding_size = values->packet == WEIR_FCGI ? decoded->consumed - decoded->size : 0,
        .http = http,
        .mode = (enum weir_mode)values->mode,
        .deliver = (enum weir_deliver)values->deliver,
        .buffer = buffer,
        .lent = true,
    };
    if (!http && header_applies(values, decoded->size)) {
        packet.header = decoded->bytes;
        packet.header_size = values->header;
        packet.bytes += values->header;
        packet.size -= values->header;
    }
    return packet;
}

static bool worth_sharing(const weir_packet *packet)
{
    if (packet->mode == WEIR_LIST || packet->http)
        return false;
    if (!packet->buffer->pool)
        return !packet->datagram || packet->size >= SHARE_FROM_BYTES;
    if (buffer_is_foreign(packet->buffer)) /* what counts is its owner's, and this one is counted */
        return !packet->lent;
    const struct buffer_pool *pool = packet->buffer->pool;
    return packet->size >= SHARE_FROM_BYTES && pool->lent < pool->count / 2;
}

static size_t datagram_size(const weir_datagram *datagram)
{
    return sizeof(*datagram) + (datagram->local ? sizeof(*datagram->local) : 0);
}

/* The name of a local source lies behind it. */
static const weir_datagram *copy_datagram(const weir_datagram *datagram, uint8_t *bytes)
{
    weir_datagram *copy = (weir_datagram *)(void *)bytes;
    *copy = *datagram;
    if (datagram->local)
        copy->local = memcpy(copy + 1, datagram->local, sizeof(*datagram->local));
    return copy;
}

/* Header, bytes, padding and what is known beside them, in one block of their own. */
static int copy_packet(const weir_packet *packet, weir_packet *kept)
{
    size_t size = packet->header_size + packet->size + packet->padding_size;
    size_t http_size = packet->http ? sizeof(weir_http) : 0;
    size_t beside_size = packet->datagram ? datagram_size(packet->datagram) : http_size;
    const uint8_t *from = packet->bytes - packet->header_size;
    struct weir_buffer *block = buffer_allocate(beside_size + size);
    if (!block)
        return error_say(-ENOMEM, "no memory for a packet");
    uint8_t *to = block->bytes + beside_size;
    memcpy(to, from, size);
    *kept = *packet;
    kept->lent = false;
    kept->buffer = block;
    kept->bytes = to + packet->header_size;
    kept->header = packet->header ? to : NULL;
    if (packet->http) {
        weir_http *http = (weir_http *)block->bytes;
        *http = *packet->http;
        framing_rebase_http(http, from, to, size);
        kept->http = http;
    }
    if (packet->datagram)
        kept->datagram = copy_datagram(packet->datagram, block->bytes);
    return 0;
}

int weir_packet_keep(const weir_packet *packet, weir_packet *kept)
{
    if (!worth_sharing(packet))
        return copy_packet(packet, kept);
    buffer_keep(packet->buffer);
    *kept = *packet;
    kept->lent = false;
    return 0;
}

void weir_packet_release(weir_packet *packet)
{
    bool packet_is_lent = packet->lent;
    CHECK(!packet_is_lent);
    if (packet->buffer)
        buffer_release(packet->buffer);
    *packet = (weir_packet){0};
}

/* By hand: gcc 12 makes no vectors of a loop whose count it does not know. */
typedef uint8_t vector __attribute__((vector_size(16)));

enum { BLOCK_VECTORS = 8, BLOCK_BYTES = BLOCK_VECTORS * sizeof(vector) };

static vector gather(vector all, const uint8_t *bytes)
{
    for (int i = 0; i < BLOCK_VECTORS; i++) {
        vector next;
        memcpy(&next, bytes + (size_t)i * sizeof(next), sizeof(next));
        all |= next;
    }
    return all;
}

static bool any_bit8(vector all)
{
    uint64_t halves[2];
    memcpy(halves, &all, sizeof(halves));
    return ((halves[0] | halves[1]) & 0x8080808080808080u) != 0;
}

bool packet_has_bit8(const uint8_t *bytes, size_t size)
{
    vector blocks = {0};
    uint8_t rest = 0;
    for (; size >= BLOCK_BYTES; size -= BLOCK_BYTES, bytes += BLOCK_BYTES)
        blocks = gather(blocks, bytes);
    for (; size > 0; size--, bytes++)
        rest |= *bytes;
    return any_bit8(blocks) || (rest & 0x80) != 0;
}
