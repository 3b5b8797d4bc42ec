/* SPDX-License-Identifier: MIT */
/* Packets whose header tells their length. */
#include "measures.h"
#include "stream.h"
#include <string.h>

enum { HEADER_SIZE_MAX = 12 };

/* The header of a packet of `size` bytes in all. Returns its size. */
static size_t write_header(enum weir_packet_type type, size_t size, uint8_t *header)
{
    uint8_t high = (uint8_t)(size >> 8);
    switch (type) {
    case WEIR_ASN1:
        memcpy(header, (uint8_t[]){0x30, 0x82, (uint8_t)((size - 4) >> 8), (uint8_t)(size - 4)}, 4);
        return 4;
    case WEIR_TPKT:
        memcpy(header, (uint8_t[]){3, 0, high, (uint8_t)size}, 4);
        return 4;
    case WEIR_FCGI:
        memcpy(header,
               (uint8_t[]){1, 6, 0, 1, (uint8_t)((size - 8) >> 8), (uint8_t)(size - 8), 0, 0}, 8);
        return 8;
    case WEIR_CDR:
        memcpy(header, "GIOP\1\2\0\0\0\0", 10);
        header[10] = (uint8_t)((size - 12) >> 8);
        header[11] = (uint8_t)(size - 12);
        return 12;
    case WEIR_SUNRM:
        return (size_t)framing_encode_header(WEIR_4, size - 4, header);
    default:
        return (size_t)framing_encode_header(type, size - type, header);
    }
}

static void fill(struct stream *stream)
{
    size_t size = stream->packet_size;
    for (; stream->size + size <= STREAM_SIZE; stream->size += size) {
        uint8_t header[HEADER_SIZE_MAX];
        size_t header_size = write_header(stream->type, size, header);
        memcpy(stream->bytes + stream->size, header, header_size);
        memset(stream->bytes + stream->size + header_size, 'x', size - header_size);
        stream->packet_count++;
    }
}

static struct stream streams[] = {
    STREAM("packet/1/16", WEIR_1, 16),       STREAM("packet/1/64", WEIR_1, 64),
    STREAM("packet/2/16", WEIR_2, 16),       STREAM("packet/2/64", WEIR_2, 64),
    STREAM("packet/2/1024", WEIR_2, 1024),   STREAM("packet/4/16", WEIR_4, 16),
    STREAM("packet/4/64", WEIR_4, 64),       STREAM("packet/4/1024", WEIR_4, 1024),
    STREAM("packet/4/16384", WEIR_4, 16384), STREAM("packet/asn1/64", WEIR_ASN1, 64),
    STREAM("packet/cdr/64", WEIR_CDR, 64),   STREAM("packet/sunrm/64", WEIR_SUNRM, 64),
    STREAM("packet/fcgi/64", WEIR_FCGI, 64), STREAM("packet/tpkt/64", WEIR_TPKT, 64),
};

void packets_add_measures(void)
{
    for (size_t i = 0; i < sizeof(streams) / sizeof(streams[0]); i++) {
        fill(&streams[i]);
        micro_add(streams[i].name, stream_measure, &streams[i]);
    }
}
