/* SPDX-License-Identifier: MIT */
#include "http_request.h"

#include <string.h>
#include <strings.h>

/* All lines of a head together; a single line's limit is the socket's {packet_size,_}. */
enum { HEAD_BYTES_MAX = 32768 };

/* Numbers of weir_http's header. */
enum field {
    FIELD_OTHER = 0,
    FIELD_CONNECTION = 2,
    FIELD_TRANSFER_ENCODING = 5,
    FIELD_HOST = 14,
    FIELD_CONTENT_LENGTH = 38,
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static weir_slice trim(weir_slice text)
{
    while (text.size > 0 && is_blank(text.bytes[0])) {
        text.bytes++;
        text.size--;
    }
    while (text.size > 0 && is_blank(text.bytes[text.size - 1]))
        text.size--;
    return text;
}

static bool is_word(weir_slice text, const char *word)
{
    size_t size = strlen(word);
    return text.size == size && strncasecmp(text.bytes, word, size) == 0;
}

/* The next element of a list with commas, taken off its front. */
static weir_slice take_element(weir_slice *list)
{
    const char *comma = memchr(list->bytes, ',', list->size);
    size_t size = comma ? (size_t)(comma - list->bytes) : list->size;
    weir_slice element = {list->bytes, size};
    size_t taken = comma ? size + 1 : size;
    list->bytes += taken;
    list->size -= taken;
    return trim(element);
}

static void add_connection(struct http_request *request, weir_slice value)
{
    while (value.size > 0) {
        weir_slice word = take_element(&value);
        if (is_word(word, "close"))
            request->keep_alive = false;
        else if (is_word(word, "keep-alive") && request->version_minor == 0)
            request->keep_alive = true;
    }
}

static bool take_digit(weir_slice *text, unsigned base, uint64_t *number)
{
    static const char digits[] = "0123456789abcdef";
    const char *digit = text->size > 0 && *text->bytes ? strchr(digits, *text->bytes | 0x20) : NULL;
    if (!digit || (unsigned)(digit - digits) >= base)
        return false;
    *number = *number * base + (uint64_t)(digit - digits);
    text->bytes++;
    text->size--;
    return true;
}

/* At most 15 digits, which no base overflows. */
static bool take_number(weir_slice *text, unsigned base, uint64_t *number)
{
    enum { DIGITS_MAX = 15 };
    int count = 0;
    *number = 0;
    while (count <= DIGITS_MAX && take_digit(text, base, number))
        count++;
    return count > 0 && count <= DIGITS_MAX;
}

/* A length that is said twice must be the same. */
static enum http_status add_length(struct http_request *request, weir_slice value)
{
    uint64_t size;
    weir_slice rest = trim(value);
    bool is_repeated = request->body == HTTP_BODY_SIZED;
    if (!take_number(&rest, 10, &size) || rest.size > 0)
        return HTTP_BAD_REQUEST;
    if (request->body == HTTP_BODY_CHUNKED || (is_repeated && size != request->body_bytes))
        return HTTP_BAD_REQUEST;
    request->body = HTTP_BODY_SIZED;
    request->body_bytes = size;
    return HTTP_OK;
}

/* Two ways to say where a body ends are how requests are smuggled. */
static enum http_status add_coding(struct http_request *request, weir_slice value)
{
    if (request->body != HTTP_BODY_NONE || request->version_minor == 0)
        return HTTP_BAD_REQUEST;
    if (!is_word(trim(value), "chunked"))
        return HTTP_CODING_NOT_IMPLEMENTED;
    request->body = HTTP_BODY_CHUNKED;
    return HTTP_OK;
}

static enum http_status add_field(struct http_request *request, const weir_http *http)
{
    weir_slice value = http->as.header.value;
    switch (http->as.header.number) {
    case FIELD_CONNECTION:
        add_connection(request, value);
        return HTTP_OK;
    case FIELD_TRANSFER_ENCODING:
        return add_coding(request, value);
    case FIELD_CONTENT_LENGTH:
        return add_length(request, value);
    case FIELD_HOST:
        return ++request->host_count > 1 ? HTTP_BAD_REQUEST : HTTP_OK;
    case FIELD_OTHER:
        if (is_word(http->as.header.field, "expect") && is_word(trim(value), "100-continue"))
            request->expects_continue = true;
        return HTTP_OK;
    default:
        return HTTP_OK;
    }
}

static bool is_target(const weir_http *http)
{
    enum weir_http_uri uri = http->as.request.uri;
    return uri == WEIR_URI_PATH || uri == WEIR_URI_ABSOLUTE ||
           (uri == WEIR_URI_ANY && http->as.request.method == WEIR_HTTP_OPTIONS);
}

static enum http_status check_line(const weir_http *http)
{
    if (http->kind != WEIR_HTTP_REQUEST)
        return HTTP_BAD_REQUEST;
    if (http->version_major != 1)
        return HTTP_VERSION_NOT_SUPPORTED;
    if (http->as.request.method == WEIR_HTTP_OTHER_METHOD ||
        http->as.request.method == WEIR_HTTP_TRACE)
        return HTTP_METHOD_NOT_IMPLEMENTED;
    return is_target(http) ? HTTP_OK : HTTP_BAD_REQUEST;
}

void http_request_begin(struct http_request *request, const weir_packet *line)
{
    const weir_http *http = line->http;
    *request = (struct http_request){
        .status = check_line(http),
        .head_bytes = (uint32_t)line->size,
    };
    if (http->kind != WEIR_HTTP_REQUEST)
        return;
    request->version_minor = http->version_minor;
    request->is_head = http->as.request.method == WEIR_HTTP_HEAD;
    request->keep_alive = http->version_minor > 0;
}

/* A name there must be. A value has no NUL, and a CR only where the line is folded. */
static bool is_clean(const weir_http *http)
{
    weir_slice value = http->as.header.value;
    if (http->as.header.field.size == 0 || memchr(value.bytes, '\0', value.size))
        return false;
    const char *end = value.bytes + value.size;
    for (const char *at = value.bytes; (at = memchr(at, '\r', (size_t)(end - at))); at++)
        if (at + 1 == end || at[1] != '\n')
            return false;
    return true;
}

/* Whether one more line is a header and the head does not become too large by it. */
static bool count_line(struct http_request *request, const weir_packet *line)
{
    request->head_bytes += (uint32_t)line->size;
    if (request->head_bytes > HEAD_BYTES_MAX)
        request->status = HTTP_HEAD_TOO_LARGE;
    else if (line->http->kind != WEIR_HTTP_HEADER || !is_clean(line->http))
        request->status = HTTP_BAD_REQUEST;
    return request->status == HTTP_OK;
}

void http_request_add(struct http_request *request, const weir_packet *line)
{
    if (count_line(request, line))
        request->status = add_field(request, line->http);
}

void http_request_add_trailer(struct http_request *request, const weir_packet *line)
{
    (void)count_line(request, line);
}

void http_request_end(struct http_request *request)
{
    if (request->version_minor > 0 && request->host_count == 0)
        request->status = HTTP_BAD_REQUEST;
}

bool http_chunk_size(const weir_packet *line, uint64_t *size)
{
    weir_slice rest = {(const char *)line->bytes, line->size};
    if (!take_number(&rest, 16, size) || rest.size < 2 ||
        memcmp(rest.bytes + rest.size - 2, "\r\n", 2) != 0)
        return false;
    rest.size -= 2;
    rest = trim(rest);
    return rest.size == 0 || rest.bytes[0] == ';';
}
