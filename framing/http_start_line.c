/* SPDX-License-Identifier: MIT */
/* Request lines and status lines. */
#include "base/bytes.h"
#include "framing/http.h"
#include "framing/http_line.h"
#include "framing/http_method.h"

/* Digits '.' digits. */
static bool parse_version(struct text *text, weir_http *http)
{
    if (!text_next_is_digit(*text))
        return false;
    http->version_major = text_take_number(text);
    if (!text_skip_word(text, ".", 1) || !text_next_is_digit(*text))
        return false;
    http->version_minor = text_take_number(text);
    return true;
}

/* Behind "HTTP/". The status and the phrase may be missing, the blank before the status not. */
static bool parse_status_line(struct text text, weir_http *http)
{
    http->kind = WEIR_HTTP_RESPONSE;
    if (!parse_version(&text, http) || !text_next_is_blank(text))
        return false;
    text_skip_blanks(&text);
    http->as.response.status = text_take_number(&text);
    if (text_left(text) && !text_next_is_blank(text))
        return false;
    text_skip_blanks(&text);
    http->as.response.phrase = text_slice(text.at, text.end);
    return true;
}

/* What follows the version's digits is ignored; no version at all is 0.9. */
static bool parse_request_version(struct text *text, weir_http *http)
{
    http->version_major = 0;
    http->version_minor = 9;
    text_skip_blanks(text);
    if (text_left(*text) == 0)
        return true;
    return text_skip_word(text, "HTTP/", 5) && parse_version(text, http);
}

static bool parse_request_line(struct text text, weir_http *http)
{
    weir_slice method = text_take_token(&text);
    if (method.size == 0 || !text_next_is_blank(text))
        return false;
    text_skip_blanks(&text);
    weir_slice uri = text_take_to_blank(&text);
    if (uri.size == 0 || !parse_request_version(&text, http))
        return false;

    http->kind = WEIR_HTTP_REQUEST;
    http->as.request.method = http_method_find(method);
    http->as.request.method_text = method;
    http_parse_uri(uri, http);
    return true;
}

static bool parse_line(struct text line, weir_http *http)
{
    if (text_skip_word(&line, "HTTP/", 5))
        return parse_status_line(line, http);
    return parse_request_line(line, http);
}

static SCAN_FAR ptrdiff_t decode_far(struct framing_span input, const weir_decode_options *limits,
                                     struct framer *framer, weir_decoded *decoded, weir_http *http)
{
    ptrdiff_t taken = http_cut_start_line(input, http_line_limit(limits), framer, decoded);
    if (taken <= 0)
        return taken;
    if (!parse_line(http_line_text(decoded), http))
        return http_set_error(decoded, http);
    framer->http_header = true;
    return taken;
}

/* " HTTP/1.x\r\n" */
enum { VERSION_SIZE = 8, LINE_END_SIZE = 1 + VERSION_SIZE + 2 };

/* As numbers, the bytes of HTTP/1.0 and those up to HTTP/1.9 follow each other. */
static inline bool parse_line_end(const uint8_t *space, weir_http *http)
{
    uint64_t minor = bytes_read_be64(space + 1) - bytes_read_be64((const uint8_t *)"HTTP/1.0");
    http->version_major = 1;
    http->version_minor = (uint32_t)minor;
    return *space == ' ' && minor <= 9 && memcmp(space + 1 + VERSION_SIZE, "\r\n", 2) == 0;
}

/* Where the first byte up to a space, control characters too, stands in the next blocks; the end
 * when there is none. */
static inline size_t find_space(struct framing_span input, size_t from)
{
    for (int i = 0; i < SCAN_NEAR_BLOCKS && from + BLOCK_SIZE <= input.size; i++) {
        uint32_t found = block_at_most(block_load(input.bytes + from), ' ');
        if (found)
            return from + block_first(found);
        from += BLOCK_SIZE;
    }
    return input.size;
}

/* "/ ": no path is asked for more often, and the processor can guess where it ends. */
static inline bool is_root(struct framing_span input, size_t path_at)
{
    return input.bytes[path_at + 1] == ' ';
}

static inline bool parse_common_line(struct framing_span input, size_t path_at, size_t space_at,
                                     weir_http *http)
{
    http_set_uri(http, WEIR_URI_PATH, text_slice(input.bytes + path_at, input.bytes + space_at));
    return input.bytes[path_at] == '/' && input.size - space_at >= LINE_END_SIZE &&
           parse_line_end(input.bytes + space_at, http);
}

/* The known method that a line begins with, unless it has been looked at before. */
static inline const struct http_method *common_method(struct framing_span input,
                                                      const struct framer *framer)
{
    enum { LINE_SIZE_MIN = sizeof("GET / HTTP/1.1\r\n") - 1 };
    return framer->scanned || input.size < LINE_SIZE_MIN ? NULL : http_method_at(input.bytes);
}

/*
 * The lines that there are most of, in one pass: a known method, a path and a version with one
 * space between, CR LF. All others go the long way.
 */
ptrdiff_t http_decode_start_line(struct framing_span input, const weir_decode_options *limits,
                                 struct framer *framer, weir_decoded *decoded, weir_http *http)
{
    const struct http_method *method = common_method(input, framer);
    if (!method)
        return decode_far(input, limits, framer, decoded, http);
    size_t path_at = method->size + 1u;
    http->as.request.method = method->method;
    http->as.request.method_text = text_slice(input.bytes, input.bytes + method->size);
    size_t space_at = is_root(input, path_at) ? path_at + 1 : find_space(input, path_at);
    size_t size = space_at + LINE_END_SIZE;
    if (!parse_common_line(input, path_at, space_at, http) ||
        scan_is_beyond(size - 1, http_line_limit(limits)))
        return decode_far(input, limits, framer, decoded, http);

    http->kind = WEIR_HTTP_REQUEST;
    framer->http_header = true;
    return decoded_whole(decoded, input.bytes, size);
}
