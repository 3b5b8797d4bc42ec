/* SPDX-License-Identifier: MIT */
/* Header lines: name ':' value, the name as it came and in canonical case. */
#include "framing/http.h"
#include "framing/http_field.h"
#include "framing/http_line.h"
#include "framing/http_name.h"

/* Longer names are left in the case they came in. */
enum { CASED_SIZE_MAX = sizeof(((weir_http *)NULL)->as.header.field_text) };

static inline int set_value(struct text text, weir_http *http)
{
    text_skip_blanks(&text);
    http->kind = WEIR_HTTP_HEADER;
    http->as.header.value = text_slice(text.at, text.end);
    return WEIR_DECODE_OK;
}

static inline void set_name(weir_slice original, weir_http *http)
{
    http->as.header.number = 0;
    http->as.header.original = original;
    http->as.header.field = original;
}

/* A name of any size, a character at a time. */
static SCAN_FAR int decode_long_name(struct text line, const weir_decoded *decoded, weir_http *http)
{
    const uint8_t *from = line.at;
    weir_slice name = text_take_token(&line);
    if (!text_skip_word(&line, ":", 1))
        return http_set_error(decoded, http);
    set_name(name, http);
    if (name.size <= CASED_SIZE_MAX) {
        http_name_write(from, name.size, http->as.header.field_text);
        http->as.header.field.bytes = http->as.header.field_text;
    }
    return set_value(line, http);
}

/* A name that has no number, at the start of a block. */
static SCAN_FAR int decode_other_name(struct text line, const uint8_t *block, size_t size,
                                      const weir_decoded *decoded, weir_http *http)
{
    set_name(text_slice(line.at, line.at + size), http);
    http->as.header.field.bytes = http->as.header.field_text;
    if (!http_name_write_block(block, size, http->as.header.field_text))
        return http_set_error(decoded, http);
    line.at += size + 1;
    return set_value(line, http);
}

/* `block` holds what is at the start of the line. Finding a name in the table proves its
 * characters right: only other names are looked at. */
static inline __attribute__((always_inline)) int
decode_line(struct text line, const uint8_t *block, const weir_decoded *decoded, weir_http *http)
{
    uint32_t colons = block_equal(block, ':');
    if (colons == 0 || block_first(colons) >= text_left(line))
        return decode_long_name(line, decoded, http);
    size_t size = block_first(colons);
    const struct http_field *field = http_field_find(block, size);
    if (!field)
        return decode_other_name(line, block, size, decoded, http);
    http->as.header.number = field->number;
    http->as.header.original = text_slice(line.at, line.at + size);
    http->as.header.field = (weir_slice){field->name, size};
    line.at += size + 1;
    return set_value(line, http);
}

static inline int decode_end(struct span input, size_t size, struct framer *framer,
                             weir_decoded *decoded, weir_http *http)
{
    framer->http_header = false;
    http->kind = WEIR_HTTP_EOH;
    return http_cut(input, size, framer, decoded);
}

/* Whatever the line is, and wherever it ends. */
static SCAN_FAR int decode_far(struct span input, const weir_decode_options *limits,
                               struct framer *framer, weir_decoded *decoded, weir_http *http)
{
    uint8_t block[BLOCK_SIZE] = {0};
    int result = http_cut_header_line(input, http_line_limit(limits), framer, decoded);
    if (result != WEIR_DECODE_OK)
        return result;
    struct text line = http_line_text(decoded);
    if (text_left(line) == 0)
        return decode_end(input, decoded->size, framer, decoded, http);
    memcpy(block, input.bytes, input.size < BLOCK_SIZE ? input.size : BLOCK_SIZE);
    return decode_line(line, block, decoded, http);
}

static inline bool is_empty_line(struct span input, size_t limit)
{
    return input.size >= 2 && memcmp(input.bytes, "\r\n", 2) == 0 && !scan_is_beyond(1, limit);
}

/* The lines that there are most of: unfolded, not long, with more behind them. */
int http_decode_header(struct span input, const weir_decode_options *limits, struct framer *framer,
                       weir_decoded *decoded, weir_http *http)
{
    size_t limit = http_line_limit(limits);
    if (framer->scanned == 0 && is_empty_line(input, limit))
        return decode_end(input, 2, framer, decoded, http);
    size_t end = scan_near(scan_part(input, limit), framer, '\n');
    if (end == SCAN_NOT_FOUND)
        return decode_far(input, limits, framer, decoded, http);
    if (end + 1 == input.size || http_is_folded(input, end + 1)) {
        framer_remember(framer, end);
        return decode_far(input, limits, framer, decoded, http);
    }
    http_cut(input, end + 1, framer, decoded);
    struct text line = http_line_text(decoded);
    if (text_left(line) == 0)
        return decode_end(input, end + 1, framer, decoded, http);
    return decode_line(line, input.bytes, decoded, http);
}
