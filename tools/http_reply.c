/* SPDX-License-Identifier: MIT */
#include "http_reply.h"

#include <string.h>
#include <time.h>
#include <weir/packet.h>

#define TEXT(literal)                  \
    {                                  \
        (literal), sizeof(literal) - 1 \
    }

static const struct {
    weir_slice line;
    weir_slice body;
} answers[HTTP_STATUS_COUNT] = {
    [HTTP_OK] = {TEXT("HTTP/1.1 200 OK\r\n"), TEXT("hello\n")},
    [HTTP_BAD_REQUEST] = {TEXT("HTTP/1.1 400 Bad Request\r\n"), TEXT("bad request\n")},
    [HTTP_URI_TOO_LONG] = {TEXT("HTTP/1.1 414 URI Too Long\r\n"), TEXT("URI too long\n")},
    [HTTP_HEAD_TOO_LARGE] = {TEXT("HTTP/1.1 431 Request Header Fields Too Large\r\n"),
                             TEXT("header fields too large\n")},
    [HTTP_METHOD_NOT_IMPLEMENTED] = {TEXT("HTTP/1.1 501 Not Implemented\r\n"),
                                     TEXT("method not implemented\n")},
    [HTTP_CODING_NOT_IMPLEMENTED] = {TEXT("HTTP/1.1 501 Not Implemented\r\n"),
                                     TEXT("transfer coding not implemented\n")},
    [HTTP_VERSION_NOT_SUPPORTED] = {TEXT("HTTP/1.1 505 HTTP Version Not Supported\r\n"),
                                    TEXT("only HTTP/1.x\n")},
};

static const weir_slice connections[] = {
    [HTTP_GOES_ON] = {"", 0},
    [HTTP_IS_KEPT] = TEXT("Connection: keep-alive\r\n"),
    [HTTP_IS_CLOSED] = TEXT("Connection: close\r\n"),
};

/* "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n", written once a second. */
static weir_slice date(void)
{
    enum { DATE_SIZE = 37 };
    static _Thread_local char text[DATE_SIZE + 1];
    static _Thread_local time_t written_s;
    time_t now_s = time(NULL);
    struct tm now;
    if (now_s != written_s && gmtime_r(&now_s, &now) &&
        strftime(text, sizeof(text), "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &now) == DATE_SIZE)
        written_s = now_s;
    return (weir_slice){text, DATE_SIZE};
}

static char *put(char *to, weir_slice text)
{
    memcpy(to, text.bytes, text.size);
    return to + text.size;
}

static char *put_number(char *to, uint64_t number)
{
    char digits[20];
    size_t count = 0;
    do
        digits[count++] = (char)('0' + number % 10);
    while (number /= 10);
    while (count > 0)
        *to++ = digits[--count];
    return to;
}

size_t http_reply_write(const struct http_reply *reply, char text[HTTP_REPLY_SIZE])
{
    char counted[32];
    weir_slice body = answers[reply->status].body;
    if (reply->status == HTTP_OK && reply->body_bytes > 0) {
        char *end = put(put_number(counted, reply->body_bytes), (weir_slice)TEXT(" bytes\n"));
        body = (weir_slice){counted, (size_t)(end - counted)};
    }
    char *end = put(text, answers[reply->status].line);
    end = put(end, date());
    end = put(end, connections[reply->connection]);
    end = put(end, (weir_slice)TEXT("Content-Type: text/plain\r\nContent-Length: "));
    end = put_number(end, body.size);
    end = put(end, (weir_slice)TEXT("\r\n\r\n"));
    if (!reply->without_body)
        end = put(end, body);
    return (size_t)(end - text);
}
