/* SPDX-License-Identifier: MIT */
#include "http_request.h"

#include "http_line.h"

#include <string.h>

/* All lines of a head together, trailers and chunk extensions too; a single line's limit is the
 * service's {buffer,_}. */
enum { HEAD_BYTES_MAX = 32768 };

static void add_connection(struct http_request *request, weir_slice value)
{
    while (value.size > 0) {
        weir_slice word = http_take_element(&value);
        if (http_is_word(word, "close"))
            request->keep_alive = false;
        else if (http_is_word(word, "keep-alive") && request->version_minor == 0)
            request->keep_alive = true;
    }
}

/* A length that is said twice must be the same. */
static void add_length(struct http_request *request, weir_slice value)
{
    uint64_t size;
    if (!http_is_number(value, &size) || (request->has_length && size != request->body_bytes))
        request->status = HTTP_BAD_REQUEST;
    request->has_length = true;
    request->body_bytes = size;
}

/* "chunked" has no parameters. */
static bool is_chunked_with_more(weir_slice coding)
{
    const char *semicolon = memchr(coding.bytes, ';', coding.size);
    weir_slice name = {coding.bytes, semicolon ? (size_t)(semicolon - coding.bytes) : 0};
    return http_is_word(http_trim(name), "chunked");
}

static void add_codings(struct http_request *request, weir_slice value)
{
    bool is_any = false;
    while (value.size > 0) {
        weir_slice coding = http_take_element(&value);
        if (coding.size == 0)
            continue;
        is_any = true;
        request->ends_chunked = http_is_word(coding, "chunked");
        request->chunked_count += request->ends_chunked;
        request->other_coding_count += !request->ends_chunked;
        request->is_bad_coding |= is_chunked_with_more(coding);
    }
    request->is_bad_coding |= !is_any;
}

static void add_host(struct http_request *request, weir_slice value)
{
    if (++request->host_count > 1 || !http_is_host(value))
        request->status = HTTP_BAD_REQUEST;
}

static void add_expect(struct http_request *request, weir_slice value)
{
    if (http_is_word(value, "100-continue"))
        request->expects_continue = true;
}

static const struct {
    const char *name;
    void (*add)(struct http_request *request, weir_slice value);
} fields[] = {
    {"connection", add_connection},
    {"content-length", add_length},
    {"expect", add_expect},
    {"transfer-encoding", add_codings},
    {"host", add_host},
};

static bool begins_with(weir_slice text, const char *word)
{
    weir_slice beginning = {text.bytes, strlen(word)};
    return text.size >= beginning.size && http_is_word(beginning, word);
}

/* http://HOST/... */
static bool is_absolute(weir_slice target)
{
    size_t scheme = begins_with(target, "https://") ? 8 : begins_with(target, "http://") ? 7 : 0;
    weir_slice host = {target.bytes + scheme, 0};
    while (scheme + host.size < target.size && !strchr("/?#", host.bytes[host.size]))
        host.size++;
    return scheme > 0 && host.size > 0 && host.bytes[0] != ':' && http_is_host(host);
}

static bool is_target(const struct http_request_line *line)
{
    if (line->target.bytes[0] == '/' || is_absolute(line->target))
        return true;
    return http_is_word(line->target, "*") && http_is_word(line->method, "OPTIONS");
}

/* Names of methods are in capitals, and what is not is another method. */
static bool is_method(weir_slice method)
{
    static const char *const known[] = {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"};
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (method.size == strlen(known[i]) && memcmp(method.bytes, known[i], method.size) == 0)
            return true;
    return false;
}

static enum http_status check_line(const struct http_request_line *line)
{
    if (line->major != 1)
        return HTTP_VERSION_NOT_SUPPORTED;
    if (!is_method(line->method))
        return HTTP_METHOD_NOT_IMPLEMENTED;
    return is_target(line) ? HTTP_OK : HTTP_BAD_REQUEST;
}

void http_request_begin(struct http_request *request, weir_slice line)
{
    struct http_request_line parsed;
    *request = (struct http_request){.head_bytes = (uint32_t)line.size};
    if (!http_request_line_parse(line, &parsed)) {
        request->status = HTTP_BAD_REQUEST;
        return;
    }
    request->status = check_line(&parsed);
    request->version_minor = parsed.minor;
    request->is_head = http_is_word(parsed.method, "HEAD");
    request->keep_alive = parsed.minor > 0;
}

static void count(struct http_request *request, size_t bytes)
{
    request->head_bytes += (uint32_t)bytes;
    if (request->head_bytes > HEAD_BYTES_MAX)
        request->status = HTTP_HEAD_TOO_LARGE;
}

/* Whether one more line is a header and the head does not become too large by it. */
static bool take_field(struct http_request *request, weir_slice line, struct http_field *field)
{
    if (!http_field_parse(line, field))
        request->status = HTTP_BAD_REQUEST;
    count(request, line.size);
    return request->status == HTTP_OK;
}

void http_request_add(struct http_request *request, weir_slice line)
{
    struct http_field field;
    if (!take_field(request, line, &field))
        return;
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        if (http_is_word(field.name, fields[i].name))
            fields[i].add(request, field.value);
}

void http_request_add_trailer(struct http_request *request, weir_slice line)
{
    struct http_field field;
    (void)take_field(request, line, &field);
}

/* Two ways to say where a body ends are how requests are smuggled; of one whose last coding is
 * another than chunked nobody knows where it ends. */
static enum http_status check_codings(const struct http_request *request)
{
    bool is_coded = request->chunked_count + request->other_coding_count > 0;
    if (request->is_bad_coding || request->chunked_count > 1)
        return HTTP_BAD_REQUEST;
    if (is_coded && (request->has_length || request->version_minor == 0 || !request->ends_chunked))
        return HTTP_BAD_REQUEST;
    return request->other_coding_count > 0 ? HTTP_CODING_NOT_IMPLEMENTED : HTTP_OK;
}

void http_request_end(struct http_request *request)
{
    request->status = check_codings(request);
    if (request->version_minor > 0 && request->host_count == 0)
        request->status = HTTP_BAD_REQUEST;
}

void http_request_add_chunk(struct http_request *request, weir_slice line, uint64_t *size)
{
    uint32_t extension_bytes = 0;
    if (!http_chunk_parse(line, size, &extension_bytes))
        request->status = HTTP_BAD_REQUEST;
    count(request, extension_bytes);
}
