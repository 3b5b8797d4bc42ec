/* SPDX-License-Identifier: MIT */
/* ASN.1 BER: a tag of one or more bytes, then a length, short or in up to four bytes. */
#include "framing/extent.h"
#include "framing/scan.h"

enum {
    TAG_NUMBER_BITS = 0x1f, /* all set: the number follows in further bytes */
    LONG_FORM = 0x80,       /* of the length; in a tag's further bytes: one more follows */
    LENGTH_BYTES_MAX = 4,
};

/* Bytes of the tag, more than there are when its end is not there yet. All up to `seen`, if not 0,
 * is known to be followed by more of it: a tag has no limit, and is not to be walked again. */
static size_t tag_size(struct framing_span input, size_t seen)
{
    size_t at = seen ? seen : 1;
    if (seen == 0 && (input.bytes[0] & TAG_NUMBER_BITS) != TAG_NUMBER_BITS)
        return at;
    while (at < input.size && input.bytes[at] & LONG_FORM)
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

/* The length stands at `at`, behind the tag. */
static int measure(struct framing_span input, size_t at, struct extent *extent)
{
    if (at >= input.size)
        return WEIR_DECODE_MORE;
    uint8_t first = input.bytes[at++];
    uint32_t count = first & LONG_FORM ? first & ~LONG_FORM : 0;
    if (input.size - at < count)
        return WEIR_DECODE_MORE;
    if (count > LENGTH_BYTES_MAX || at + count > EXTENT_MAX)
        return WEIR_DECODE_INVALID;
    /* 0x80, the indefinite form, has no length bytes: the packet ends right after it. */
    extent->body_size = first & LONG_FORM ? read_length(input.bytes + at, count) : first;
    extent->header_size = (uint32_t)(at + count);
    return WEIR_DECODE_OK;
}

ptrdiff_t asn1_decode(struct framing_span input, const weir_decode_options *limits,
                      struct framer *framer, weir_decoded *decoded, weir_http *http)
{
    (void)http;
    if (input.size == 0)
        return decoded_more(decoded, 0);
    struct extent extent = {0};
    size_t size = tag_size(input, framer->scanned);
    int result = measure(input, size, &extent);
    ptrdiff_t taken = extent_cut(result, &extent, input, limits->packet_size, decoded);
    /* Looking goes on at the tag's last byte, or where the next packet begins. */
    framer_remember(framer, taken > 0 ? 0 : size - 1);
    return taken;
}
