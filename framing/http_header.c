/* SPDX-License-Identifier: MIT */
/* Header lines: name ':' value, the name as it came and in canonical case. */
#include "framing/http.h"
#include "framing/http_field.h"
#include "framing/http_line.h"
#include "framing/http_name.h"

/* Longer names are left in the case they came in. */
enum { CASED_SIZE_MAX = sizeof(((weir_http *)NULL)->as.header.field_text) };

/* No end need be looked for: where the text ends, a line end stands. */
static inline ptrdiff_t set_value(struct text text, const weir_decoded *decoded, weir_http *http)
{
    while (text_is_blank(*text.at))
        text.at++;
    http->kind = WEIR_HTTP_HEADER;
    http->as.header.value = text_slice(text.at, text.end);
    return (ptrdiff_t)decoded->size;
}

static inline void set_name(weir_slice original, weir_http *http)
{
    http->as.header.number = 0;
    http->as.header.original = original;
    http->as.header.field = original;
}

/* A name of any size, a character at a time. */
static SCAN_FAR ptrdiff_t decode_long_name(const weir_decoded *decoded, weir_http *http)
{
    struct text line = http_line_text(decoded);
    weir_slice name = text_take_token(&line);
    if (!text_skip_word(&line, ":", 1))
        return http_set_error(decoded, http);
    set_name(name, http);
    if (name.size <= CASED_SIZE_MAX) {
        http_name_write(decoded->bytes, name.size, http->as.header.field_text);
        http->as.header.field.bytes = http->as.header.field_text;
    }
    return set_value(line, decoded, http);
}

/* A name that has no number, of `size` bytes, fewer than a block has. */
static SCAN_FAR ptrdiff_t decode_other_name(struct framing_span input, size_t size,
                                            const weir_decoded *decoded, weir_http *http)
{
    struct text line = http_line_text(decoded);
    char *cased = http->as.header.field_text;
    if (input.size < BLOCK_SIZE || !http_name_write_block(block_load(input.bytes), size, cased))
        return decode_long_name(decoded, http);
    set_name(text_slice(line.at, line.at + size), http);
    http->as.header.field.bytes = cased;
    line.at += size + 1;
    return set_value(line, decoded, http);
}

/* The line that was cut off the input, at the start of which is `block`, with these colons in it.
 * Finding a name in the table proves its characters right: only other names are looked at. */
static inline __attribute__((always_inline)) ptrdiff_t
decode_line(struct framing_span input, struct block block, uint32_t colons,
            const weir_decoded *decoded, weir_http *http)
{
    struct text line = http_line_text(decoded);
    if (colons == 0 || block_first(colons) >= text_left(line))
        return decode_long_name(decoded, http);
    size_t size = block_first(colons);
    const struct http_field *field = http_field_find(line.at, size, block);
    if (!field)
        return decode_other_name(input, size, decoded, http);
    http->as.header.number = field->number;
    http->as.header.original = text_slice(line.at, line.at + size);
    http->as.header.field = (weir_slice){field->name, size};
    line.at += size + 1;
    return set_value(line, decoded, http);
}

static inline ptrdiff_t decode_end(struct framing_span input, size_t size, struct framer *framer,
                                   weir_decoded *decoded, weir_http *http)
{
    framer->http_header = false;
    http->kind = WEIR_HTTP_EOH;
    return http_cut(input, size, framer, decoded);
}

/* Whatever the line is, and wherever it ends. */
static SCAN_FAR ptrdiff_t decode_far(struct framing_span input, const weir_decode_options *limits,
                                     struct framer *framer, weir_decoded *decoded, weir_http *http)
{
    ptrdiff_t taken = http_cut_header_line(input, http_line_limit(limits), framer, decoded);
    if (taken <= 0)
        return taken;
    if (text_left(http_line_text(decoded)) == 0)
        return decode_end(input, decoded->size, framer, decoded, http);
    struct block block = block_load_part(input.bytes, input.size);
    return decode_line(input, block, block_equal(block, ':'), decoded, http);
}

static inline bool is_empty_line(struct framing_span input, size_t limit)
{
    return input.size >= 2 && memcmp(input.bytes, "\r\n", 2) == 0 && !scan_is_beyond(1, limit);
}

/* Unfolded, with more behind it, and no empty line. */
static inline bool is_common_end(struct framing_span input, size_t end, size_t limit)
{
    return end >= HTTP_UNFOLDED_SIZE && end < input.size - 1 && !scan_is_beyond(end, limit) &&
           !text_is_blank(input.bytes[end + 1]);
}

/* The lines that there are most of. */
static inline __attribute__((always_inline)) ptrdiff_t
decode_near(struct framing_span input, struct block block, const weir_decode_options *limits,
            struct framer *framer, weir_decoded *decoded, weir_http *http)
{
    uint32_t ends = block_equal(block, '\n');
    uint32_t colons = block_equal(block, ':');
    size_t end = ends ? block_first(ends) : scan_near(input, BLOCK_SIZE, '\n');
    if (!is_common_end(input, end, http_line_limit(limits)))
        return decode_far(input, limits, framer, decoded, http);
    decoded_whole(decoded, input.bytes, end + 1);
    return decode_line(input, block, colons, decoded, http);
}

/* The last line of a request that has come alone. */
static SCAN_FAR ptrdiff_t decode_short(struct framing_span input, const weir_decode_options *limits,
                                       struct framer *framer, weir_decoded *decoded,
                                       weir_http *http)
{
    if (input.size < BLOCK_HALF)
        return decode_far(input, limits, framer, decoded, http);
    struct block block = block_load_most(input.bytes, input.size);
    return decode_near(input, block, limits, framer, decoded, http);
}

ptrdiff_t http_decode_header(struct framing_span input, const weir_decode_options *limits,
                             struct framer *framer, weir_decoded *decoded, weir_http *http)
{
    if (framer->scanned)
        return decode_far(input, limits, framer, decoded, http);
    if (is_empty_line(input, http_line_limit(limits)))
        return decode_end(input, 2, framer, decoded, http);
    if (input.size < BLOCK_SIZE)
        return decode_short(input, limits, framer, decoded, http);
    return decode_near(input, block_load(input.bytes), limits, framer, decoded, http);
}
