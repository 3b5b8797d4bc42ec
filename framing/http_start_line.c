/* SPDX-License-Identifier: MIT */
/* Request lines and status lines. */
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

static SCAN_FAR int decode_far(struct span input, const weir_decode_options *limits,
                               struct framer *framer, weir_decoded *decoded, weir_http *http)
{
    int result = http_cut_start_line(input, http_line_limit(limits), framer, decoded);
    if (result != WEIR_DECODE_OK)
        return result;
    if (!parse_line(http_line_text(decoded), http))
        return http_set_error(decoded, http);
    framer->http_header = true;
    return WEIR_DECODE_OK;
}

/* "HTTP/1.x\r\n" */
enum { VERSION_SIZE = 8, END_SIZE = VERSION_SIZE + 2 };

static inline bool is_version_end(const uint8_t *bytes)
{
    return memcmp(bytes, "HTTP/1.", VERSION_SIZE - 1) == 0 &&
           text_is_digit(bytes[VERSION_SIZE - 1]) && memcmp(bytes + VERSION_SIZE, "\r\n", 2) == 0;
}

/* Where the first byte up to a space, control characters too, stands in the next blocks. */
static inline size_t find_space(struct span input, size_t from)
{
    for (int i = 0; i < SCAN_NEAR_BLOCKS && from + BLOCK_SIZE <= input.size; i++) {
        uint32_t found = block_at_most(input.bytes + from, ' ');
        if (found)
            return from + block_first(found);
        from += BLOCK_SIZE;
    }
    return SCAN_NOT_FOUND;
}

/* "/ ": no path is asked for more often, and the processor can guess where it ends. */
static inline bool is_root(struct span input, size_t path_at)
{
    return input.size > path_at + 1 && input.bytes[path_at + 1] == ' ';
}

static inline bool is_common_line(struct span input, size_t path_at, size_t space_at)
{
    return space_at != SCAN_NOT_FOUND && input.size - space_at > END_SIZE &&
           input.bytes[path_at] == '/' && input.bytes[space_at] == ' ' &&
           is_version_end(input.bytes + space_at + 1);
}

/*
 * The lines that there are most of, in one pass: a known method, a path and a version with one
 * space between, CR LF. All others, also those that have been looked at before, go the long way.
 */
int http_decode_start_line(struct span input, const weir_decode_options *limits,
                           struct framer *framer, weir_decoded *decoded, weir_http *http)
{
    const struct http_method *method = framer->scanned ? NULL : http_method_at(input);
    if (!method)
        return decode_far(input, limits, framer, decoded, http);
    size_t path_at = method->size + 1u;
    size_t space_at = is_root(input, path_at) ? path_at + 1 : find_space(input, path_at);
    if (!is_common_line(input, path_at, space_at) ||
        scan_is_beyond(space_at + END_SIZE, http_line_limit(limits)))
        return decode_far(input, limits, framer, decoded, http);

    const uint8_t *path = input.bytes + path_at;
    const uint8_t *space = input.bytes + space_at;
    http->kind = WEIR_HTTP_REQUEST;
    http->version_major = 1;
    http->version_minor = space[VERSION_SIZE] - (uint32_t)'0';
    http->as.request.method = method->method;
    http->as.request.method_text = text_slice(input.bytes, path - 1);
    http_set_uri(http, WEIR_URI_PATH, text_slice(path, space));
    framer->http_header = true;
    return decoded_whole(decoded, input.bytes, space_at + 1 + END_SIZE);
}
