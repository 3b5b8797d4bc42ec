/* SPDX-License-Identifier: MIT */
/* ASN.1 BER: a tag of one or more bytes, then a length, short or in up to four bytes. */
#include "framing/extent.h"

enum {
    TAG_NUMBER_BITS = 0x1f, /* all set: the number follows in further bytes */
    LONG_FORM = 0x80,       /* of the length; in a tag's further bytes: one more follows */
    LENGTH_BYTES_MAX = 4,
};

/* Bytes of the tag; `size` or more when its end is not there yet. */
static size_t tag_size(const uint8_t *bytes, size_t size)
{
    size_t at = 1;
    if ((bytes[0] & TAG_NUMBER_BITS) != TAG_NUMBER_BITS)
        return at;
    while (at < size && bytes[at] & LONG_FORM)
        at++;
    return at + 1;
}

static uint32_t read_length(const uint8_t *bytes, uint32_t count)
{
    uint32_t length = 0;
    for (uint32_t i = 0; i < count; i++)
        length = length << 8 | bytes[i];
    return length;
}

static int asn1_measure(const uint8_t *bytes, size_t size, struct extent *extent)
{
    size_t at = size ? tag_size(bytes, size) : 0;
    if (at >= size)
        return WEIR_DECODE_MORE;

    uint8_t first = bytes[at++];
    uint32_t count = first & LONG_FORM ? first & ~LONG_FORM : 0;
    if (size - at < count)
        return WEIR_DECODE_MORE;
    if (count > LENGTH_BYTES_MAX || at + count > EXTENT_MAX)
        return WEIR_DECODE_INVALID;
    /* 0x80, the indefinite form, has no length bytes: the packet ends right after it. */
    extent->body_size = first & LONG_FORM ? read_length(bytes + at, count) : first;
    extent->header_size = (uint32_t)(at + count);
    return WEIR_DECODE_OK;
}

EXTENT_DECODER(asn1_decode, asn1_measure)
