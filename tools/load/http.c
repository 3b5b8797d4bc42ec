/* SPDX-License-Identifier: MIT */
/*
 * HTTP/1.1 from the client's side. All requests are the same text, made once. Replies are read from
 * raw bytes where they lie: most servers give the same head again and again, so a head that is the
 * last one once more is not read anew. One that comes in pieces is put together in `reply.head`.
 */
#include "base/memory.h"
#include "command.h"
#include "http_line.h"
#include "load/protocol.h"
#include "load/traffic.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum stage { HEAD, BODY, BODY_TO_END, CHUNK_SIZE, CHUNK, CHUNK_END, TRAILER };

/* What a head says. */
struct head {
    uint16_t status;
    enum stage stage; /* of what follows it; HEAD: nothing */
    uint64_t body_bytes;
    bool is_last;
};

static struct {
    char *request;
    size_t request_size;
    bool is_head_request;
    uint32_t expected_status;
    const char *expected_body;
    size_t expected_size;
    char last[HTTP_HEAD_BYTES_MAX]; /* the last head that was read, with its empty line */
    size_t last_size;
    struct head last_head;
} http;

static bool has_header(const struct plan *plan, const char *name)
{
    size_t size = strlen(name);
    for (size_t i = 0; i < plan->header_count; i++)
        if (strncasecmp(plan->headers[i], name, size) == 0 && plan->headers[i][size] == ':')
            return true;
    return false;
}

static void write_request(FILE *to, const struct plan *plan, const char *method)
{
    size_t body_size = plan->body ? strlen(plan->body) : 0;
    fprintf(to, "%s %s HTTP/1.1\r\n", method, plan->target.path);
    if (!has_header(plan, "Host"))
        fprintf(to, "Host: %s\r\n", plan->target.authority);
    for (size_t i = 0; i < plan->header_count; i++)
        fprintf(to, "%s\r\n", plan->headers[i]);
    if (plan->churn && !has_header(plan, "Connection"))
        fprintf(to, "Connection: close\r\n");
    if (plan->body && !has_header(plan, "Content-Length"))
        fprintf(to, "Content-Length: %zu\r\n", body_size);
    fprintf(to, "\r\n%s", plan->body ? plan->body : "");
}

int http_load_begin(const struct plan *plan)
{
    const char *method = plan->method ? plan->method : plan->body ? "POST" : "GET";
    if (!*method || strpbrk(method, " \t\r\n"))
        return command_misused("load", "--method: '%s' is none", method);
    http.is_head_request = strcmp(method, "HEAD") == 0;
    http.expected_status = plan->expected_status;
    http.expected_body = plan->expected_body;
    http.expected_size = plan->expected_body ? strlen(plan->expected_body) : 0;
    http.last_size = 0;
    FILE *to = open_memstream(&http.request, &http.request_size);
    if (!to)
        return command_misused("load", "no memory for the request");
    write_request(to, plan, method);
    return fclose(to) == 0 ? 0 : command_misused("load", "no memory for the request");
}

void http_load_end(void)
{
    free(http.request); /* open_memstream's */
    http.request = NULL;
}

int http_load_send(struct connection *connection, const struct request *request)
{
    (void)request;
    return weir_send(connection->socket, http.request, http.request_size);
}

static bool parse_status(weir_slice line, struct head *head)
{
    uint64_t status;
    if (line.size < 12 || memcmp(line.bytes, "HTTP/1.", 7) != 0 || line.bytes[8] != ' ')
        return false;
    if (!http_is_number((weir_slice){line.bytes + 9, 3}, &status) || status < 100)
        return false;
    head->status = (uint16_t)status;
    head->is_last = line.bytes[7] == '0';
    return line.size == 12 || line.bytes[12] == ' ';
}

static bool parse_field(weir_slice line, struct head *head)
{
    struct http_field field;
    if (!http_field_parse(line, &field))
        return false;
    if (http_is_word(field.name, "Content-Length")) {
        if (head->stage != CHUNK_SIZE)
            head->stage = BODY;
        return http_is_number(field.value, &head->body_bytes);
    }
    if (http_is_word(field.name, "Transfer-Encoding")) {
        head->stage = CHUNK_SIZE;
        return http_is_word(field.value, "chunked");
    }
    if (http_is_word(field.name, "Connection"))
        head->is_last = http_is_word(field.value, "close") ||
                        (head->is_last && !http_is_word(field.value, "keep-alive"));
    return true;
}

static weir_slice take_line(weir_slice *text)
{
    const char *end = memchr(text->bytes, '\n', text->size);
    weir_slice line = {text->bytes, (size_t)(end - text->bytes)};
    text->size -= line.size + 1;
    text->bytes = end + 1;
    if (line.size > 0 && line.bytes[line.size - 1] == '\r')
        line.size--;
    return line;
}

/* `text` ends with an empty line. */
static bool parse_head(weir_slice text, struct head *head)
{
    *head = (struct head){.stage = BODY_TO_END};
    if (!parse_status(take_line(&text), head))
        return false;
    for (weir_slice line = take_line(&text); line.size > 0; line = take_line(&text))
        if (!parse_field(line, head))
            return false;
    bool is_bare = http.is_head_request || head->status < 200 || head->status == 204 ||
                   head->status == 304 || (head->stage == BODY && head->body_bytes == 0);
    if (is_bare)
        head->stage = HEAD;
    return true;
}

static void finish_reply(struct connection *connection)
{
    struct reply *reply = &connection->reply;
    bool is_expected = http.expected_status ? reply->status == http.expected_status
                                            : reply->status >= 200 && reply->status < 300;
    enum outcome outcome = is_expected ? OUTCOME_OK : OUTCOME_STATUS;
    if (is_expected && http.expected_body && reply->received != http.expected_size)
        outcome = OUTCOME_CONTENT;
    connection_replied(connection, outcome);
}

static void enter(struct connection *connection, const struct head *head)
{
    struct reply *reply = &connection->reply;
    reply->head_size = 0;
    if (head->status < 200)
        return;
    reply->status = head->status;
    reply->is_last = head->is_last;
    reply->stage = (uint8_t)head->stage;
    reply->left = head->body_bytes;
    if (head->stage == HEAD)
        finish_reply(connection);
}

static void keep_head(weir_slice text, const struct head *head)
{
    if (text.size > sizeof(http.last))
        return;
    memcpy(http.last, text.bytes, text.size);
    http.last_size = text.size;
    http.last_head = *head;
}

/* Where the head of a reply ends, behind its empty line; 0: not here. */
static size_t find_end(weir_slice text)
{
    for (const char *at = text.bytes; at; at++) {
        size_t left = text.size - (size_t)(at - text.bytes);
        at = memchr(at, '\n', left);
        if (!at)
            return 0;
        left = text.size - (size_t)(at - text.bytes);
        size_t skipped = left > 1 && at[1] == '\r' ? 2 : 1;
        if (left > skipped && at[skipped] == '\n')
            return (size_t)(at - text.bytes) + skipped + 1;
    }
    return 0;
}

static bool is_last_head(weir_slice text)
{
    return http.last_size > 0 && text.size >= http.last_size &&
           memcmp(text.bytes, http.last, http.last_size) == 0;
}

/* Adds to what has come of a head or of a line. False: it is too long. */
static bool keep_piece(struct reply *reply, const char *bytes, size_t size)
{
    if (size > HTTP_HEAD_BYTES_MAX - reply->head_size)
        return false;
    memcpy(reply->head + reply->head_size, bytes, size);
    reply->head_size += (uint32_t)size;
    return true;
}

/* Of each stage: takes bytes from the front of `text`; false: that is no reply. */
static bool take_head(struct connection *connection, weir_slice *text)
{
    struct reply *reply = &connection->reply;
    struct head head;
    if (reply->head_size == 0 && is_last_head(*text)) {
        text->bytes += http.last_size;
        text->size -= http.last_size;
        enter(connection, &http.last_head);
        return true;
    }
    size_t before = reply->head_size, room = HTTP_HEAD_BYTES_MAX - before;
    if (!keep_piece(reply, text->bytes, text->size < room ? text->size : room))
        return false;
    size_t end = find_end((weir_slice){reply->head, reply->head_size});
    if (end == 0) {
        text->size = 0;
        return reply->head_size < HTTP_HEAD_BYTES_MAX;
    }
    text->bytes += end - before;
    text->size -= end - before;
    weir_slice whole = {reply->head, end};
    if (!parse_head(whole, &head))
        return false;
    keep_head(whole, &head);
    enter(connection, &head);
    return true;
}

static bool take_body_bytes(struct connection *connection, weir_slice *text)
{
    struct reply *reply = &connection->reply;
    size_t part =
        reply->stage != BODY_TO_END && reply->left < text->size ? reply->left : text->size;
    bool is_good = !http.expected_body ||
                   (reply->received + part <= http.expected_size &&
                    memcmp(text->bytes, http.expected_body + reply->received, part) == 0);
    /* Its framing goes on, so the reply is read to its end. */
    reply->received = is_good ? reply->received + part : UINT64_MAX / 2;
    reply->left -= part;
    text->bytes += part;
    text->size -= part;
    return true;
}

static bool take_body(struct connection *connection, weir_slice *text)
{
    struct reply *reply = &connection->reply;
    take_body_bytes(connection, text);
    if (reply->stage == BODY && reply->left == 0)
        finish_reply(connection);
    return true;
}

static bool take_chunk(struct connection *connection, weir_slice *text)
{
    struct reply *reply = &connection->reply;
    take_body_bytes(connection, text);
    if (reply->left == 0)
        reply->stage = CHUNK_END;
    return true;
}

static bool end_line(struct connection *connection, weir_slice line)
{
    struct reply *reply = &connection->reply;
    uint32_t extension_bytes;
    if (reply->stage == CHUNK_SIZE) {
        bool is_size = http_chunk_parse(line, &reply->left, &extension_bytes);
        reply->stage = reply->left > 0 ? CHUNK : TRAILER;
        return is_size;
    }
    if (reply->stage == CHUNK_END) {
        reply->stage = CHUNK_SIZE;
        return line.size == 0;
    }
    if (line.size == 0)
        finish_reply(connection);
    return true;
}

static bool take_line_bytes(struct connection *connection, weir_slice *text)
{
    struct reply *reply = &connection->reply;
    const char *end = memchr(text->bytes, '\n', text->size);
    size_t size = end ? (size_t)(end - text->bytes) + 1 : text->size;
    if (!keep_piece(reply, text->bytes, size))
        return false;
    text->bytes += size;
    text->size -= size;
    if (!end)
        return true;
    weir_slice line = {reply->head, reply->head_size - 1};
    if (line.size > 0 && line.bytes[line.size - 1] == '\r')
        line.size--;
    reply->head_size = 0;
    return end_line(connection, line);
}

static bool (*const stages[])(struct connection *connection, weir_slice *text) = {
    [HEAD] = take_head,
    [BODY] = take_body,
    [BODY_TO_END] = take_body,
    [CHUNK] = take_chunk,
    [CHUNK_SIZE] = take_line_bytes,
    [CHUNK_END] = take_line_bytes,
    [TRAILER] = take_line_bytes,
};

void http_load_take(struct connection *connection, const weir_packet *packet)
{
    weir_slice text = {(const char *)packet->bytes, packet->size};
    while (text.size > 0 && connection->state == CONNECTION_OPEN) {
        bool is_reply = connection_awaited(connection) != NULL;
        if (!is_reply || !stages[connection->reply.stage](connection, &text)) {
            connection_fail(connection, OUTCOME_FRAMING);
            return;
        }
    }
}

void http_load_take_end(struct connection *connection)
{
    connection->reply.is_last = true;
    if (connection_awaited(connection) && connection->reply.stage == BODY_TO_END)
        finish_reply(connection);
}
