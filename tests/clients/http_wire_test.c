/* SPDX-License-Identifier: MIT */
/*
 * What `weir serve http` answers, byte for byte, however the requests are cut into writes.
 * Arguments: the command, and perhaps the seed to repeat.
 */
#include "server.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define REPLY(status, connection, size, body)       \
    "HTTP/1.1 " status "\r\nDate: *\r\n" connection \
    "Content-Type: text/plain\r\nContent-Length: " size "\r\n\r\n" body
#define CLOSE    "Connection: close\r\n"
#define KEEP     "Connection: keep-alive\r\n"
#define HELLO    REPLY("200 OK", "", "6", "hello\n")
#define CLOSED   REPLY("200 OK", CLOSE, "6", "hello\n")
#define CONTINUE "HTTP/1.1 100 Continue\r\n\r\n"
#define BAD      REPLY("400 Bad Request", CLOSE, "12", "bad request\n")
#define METHOD   REPLY("501 Not Implemented", CLOSE, "23", "method not implemented\n")
#define CODING   REPLY("501 Not Implemented", CLOSE, "32", "transfer coding not implemented\n")
#define VERSION  REPLY("505 HTTP Version Not Supported", CLOSE, "14", "only HTTP/1.x\n")
#define LONG_URI REPLY("414 URI Too Long", CLOSE, "13", "URI too long\n")
#define LONG_HEAD \
    REPLY("431 Request Header Fields Too Large", CLOSE, "24", "header fields too large\n")

#define HOST    "Host: x\r\n"
#define GET     "GET / HTTP/1.1\r\n" HOST "\r\n"
#define POST    "POST /p?q=1 HTTP/1.1\r\n" HOST
#define CHUNKED POST "Transfer-Encoding: chunked\r\n\r\n"

struct http_case {
    const char *name;
    const char *request;
    size_t request_size;
    const char *reply;
    size_t fill_bytes; /* of 'x', between the request and what follows */
    const char *after;
};

#define CASE(title, sent, answer, ...)                                                           \
    {                                                                                            \
        .name = (title), .request = (sent), .request_size = sizeof(sent) - 1, .reply = (answer), \
        __VA_ARGS__                                                                              \
    }
static const struct http_case cases[] = {
    CASE("one", GET, HELLO),
    CASE("pipelined", GET GET GET, HELLO HELLO HELLO),
    CASE("HEAD", "HEAD / HTTP/1.1\r\n" HOST "\r\n" GET, REPLY("200 OK", "", "6", "") HELLO),
    CASE("HEAD refused", "HEAD / HTTP/1.1\r\n\r\n", REPLY("400 Bad Request", CLOSE, "12", "")),
    CASE("absolute", "GET http://x/y HTTP/1.1\r\n" HOST "\r\n", HELLO),
    CASE("OPTIONS *", "OPTIONS * HTTP/1.1\r\n" HOST "\r\n", HELLO),
    CASE("GET *", "GET * HTTP/1.1\r\n" HOST "\r\n" GET, BAD),
    CASE("close", "GET / HTTP/1.1\r\n" HOST "Connection: Close\r\n\r\n" GET,
         REPLY("200 OK", CLOSE, "6", "hello\n")),
    CASE("close in a list", "GET / HTTP/1.1\r\n" HOST "Connection: te , close,\r\n\r\n" GET,
         REPLY("200 OK", CLOSE, "6", "hello\n")),
    CASE("keep-alive of 1.1", "GET / HTTP/1.1\r\n" HOST "Connection: keep-alive\r\n\r\n", HELLO),
    CASE("1.0", "GET / HTTP/1.0\r\n\r\n" GET, REPLY("200 OK", CLOSE, "6", "hello\n")),
    CASE("1.0 kept", "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" GET,
         REPLY("200 OK", KEEP, "6", "hello\n") HELLO),
    CASE("empty lines before", "\r\n\r\n\n" GET "\r\n" GET, HELLO HELLO),
    CASE("line feeds alone", "GET / HTTP/1.1\nHost: x\n\n", HELLO),
    CASE("no field name", "GET / HTTP/1.1\r\n" HOST ": x\r\n\r\n" GET, BAD),
    CASE("CR in a value", "GET / HTTP/1.1\r\n" HOST "A: x\ry\r\n\r\n" GET, BAD),

    CASE("body of nothing", POST "Content-Length: 0\r\n\r\n" GET, HELLO HELLO),
    CASE("body of one", POST "Content-Length: 1\r\n\r\nx" GET,
         REPLY("200 OK", "", "8", "1 bytes\n") HELLO),
    CASE("body with GET", "GET / HTTP/1.1\r\n" HOST "Content-Length: 2 \r\n\r\nxx" GET,
         REPLY("200 OK", "", "8", "2 bytes\n") HELLO),
    CASE("body that looks like a request", POST "Content-Length: 27\r\n\r\n" GET GET,
         REPLY("200 OK", "", "9", "27 bytes\n") HELLO),
    CASE("body of 64 KiB", POST "Content-Length: 65536\r\n\r\n",
         REPLY("200 OK", "", "12", "65536 bytes\n") HELLO, .fill_bytes = 65536, .after = GET),
    CASE("body of pieces", POST "Content-Length: 200001\r\n\r\n",
         REPLY("200 OK", "", "13", "200001 bytes\n") HELLO HELLO, .fill_bytes = 200001,
         .after = GET GET),
    CASE("same length twice", POST "Content-Length: 1\r\nContent-Length: 1\r\n\r\nx" GET,
         REPLY("200 OK", "", "8", "1 bytes\n") HELLO),
    CASE("continue", POST "Expect: 100-continue\r\nContent-Length: 1\r\n\r\nx",
         CONTINUE REPLY("200 OK", "", "8", "1 bytes\n")),
    CASE("continue without a body", POST "Expect: 100-continue\r\n\r\n", HELLO),
    CASE("body that is cut short", POST "Content-Length: 9\r\n\r\nxxxx", ""),
    CASE("head that is cut short", GET "GET / HTTP/1.1\r\nHost", HELLO),

    CASE("chunks", CHUNKED "3\r\nabc\r\n00a;n=v\r\n0123456789\r\n0\r\n\r\n" GET,
         REPLY("200 OK", "", "9", "13 bytes\n") HELLO),
    CASE("no chunk", CHUNKED "0\r\n\r\n" GET, HELLO HELLO),
    CASE("trailers", CHUNKED "1\r\nx\r\n0\r\nContent-Length: 5\r\nX: y\r\n\r\n" GET,
         REPLY("200 OK", "", "8", "1 bytes\n") HELLO),
    CASE("continue with chunks",
         POST "Expect: 100-Continue\r\nTransfer-Encoding: Chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
         CONTINUE REPLY("200 OK", "", "8", "1 bytes\n")),
    CASE("large chunk", CHUNKED "11171\r\n", REPLY("200 OK", "", "12", "70001 bytes\n") HELLO,
         .fill_bytes = 70001, .after = "\r\n0\r\n\r\n" GET),
    CASE("chunk without a size", CHUNKED "\r\nabc" GET, BAD),
    CASE("chunk of a bad size", CHUNKED "3 x\r\nabc\r\n" GET, BAD),
    CASE("chunk of a huge size", CHUNKED "1234567890abcdef\r\nabc\r\n" GET, BAD),
    CASE("chunk longer than its size", CHUNKED "3\r\nabcd\r\n" GET, BAD),
    CASE("chunk with a line feed alone", CHUNKED "3\nabc\n0\n\n" GET, BAD),
    CASE("trailer that is none", CHUNKED "0\r\nno colon\r\n\r\n" GET, BAD),

    CASE("garbage", "\x16\x03\x01\x02\r\n" GET, BAD),
    CASE("a response", "HTTP/1.1 200 OK\r\n\r\n" GET, BAD),
    CASE("no host", "GET / HTTP/1.1\r\n\r\n" GET, BAD),
    CASE("two hosts", "GET / HTTP/1.1\r\n" HOST HOST "\r\n" GET, BAD),
    CASE("blank before the colon", "GET / HTTP/1.1\r\nHost : x\r\n\r\n" GET, BAD),
    CASE("length that is none", POST "Content-Length: 1x\r\n\r\n" GET, BAD),
    CASE("length with a sign", POST "Content-Length: +1\r\n\r\nx" GET, BAD),
    CASE("no length", POST "Content-Length:\r\n\r\n" GET, BAD),
    CASE("huge length", POST "Content-Length: 99999999999999999999\r\n\r\n" GET, BAD),
    CASE("two lengths", POST "Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx" GET, BAD),
    CASE("length and chunks",
         POST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", BAD),
    CASE("chunks and length",
         POST "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", BAD),
    CASE("chunks of 1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", BAD),
    CASE("another coding", POST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", CODING),
    CASE("TRACE", "TRACE / HTTP/1.1\r\n" HOST "\r\n" GET, METHOD),
    CASE("CONNECT", "CONNECT x:1 HTTP/1.1\r\n" HOST "\r\n" GET, METHOD),
    CASE("small letters", "get / HTTP/1.1\r\n" HOST "\r\n" GET, METHOD),
    CASE("0.9", "GET /\r\n", VERSION),
    CASE("2.0", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", VERSION),
    CASE("good, then garbage", GET "\x01\r\n" GET, HELLO BAD),
    CASE("refused with much to come", "x\r\n", BAD, .fill_bytes = 300000),
    CASE("long request line", "GET /", LONG_URI, .fill_bytes = 9000,
         .after = " HTTP/1.1\r\n" HOST "\r\n"),
    CASE("long header", GET "GET / HTTP/1.1\r\n" HOST "X: ", HELLO LONG_HEAD, .fill_bytes = 9000,
         .after = "\r\n\r\n"),
    CASE("header just short enough", "GET / HTTP/1.1\r\n" HOST "X: ", HELLO, .fill_bytes = 8187,
         .after = "\r\n\r\n"),
    CASE("line that never ends", "GET /", LONG_URI, .fill_bytes = 300000, .after = ""),
#include "rfc9112.inc"
};

enum way { WHOLE, BYTES, PIECES, WAY_COUNT };
static const char *const way_names[] = {"whole", "byte by byte", "in pieces"};

/* Byte by byte at both ends, where it matters: the server does not wait for ever for what comes
 * after its refusal. */
static size_t piece_size(enum way way, size_t done, size_t left)
{
    enum { END_BYTES = 2000 };
    bool is_middle = done > END_BYTES && left > END_BYTES;
    size_t size = way == WHOLE ? left : way == BYTES && !is_middle ? 1 : (size_t)(rand() % 200 + 1);
    return size < left ? size : left;
}

static bool write_cut(int fd, enum way way, const char *bytes, size_t size)
{
    for (size_t done = 0; size > 0;) {
        size_t piece = piece_size(way, done, size);
        if (!server_write(fd, bytes, piece))
            return false;
        bytes += piece;
        done += piece;
        size -= piece;
    }
    return true;
}

static size_t join(const struct http_case *one, char *bytes)
{
    size_t before = one->request_size;
    size_t after = one->after ? strlen(one->after) : 0;
    memcpy(bytes, one->request, before);
    memset(bytes + before, 'x', one->fill_bytes);
    memcpy(bytes + before + one->fill_bytes, one->after ? one->after : "", after);
    return before + one->fill_bytes + after;
}

static bool is_like(char c, char pattern)
{
    if (pattern == '0')
        return c >= '0' && c <= '9';
    return pattern == 'a' ? (c | 0x20) >= 'a' && (c | 0x20) <= 'z' : c == pattern;
}

/* Every date, if it looks like one, becomes a '*'. */
static void hide_dates(char *text)
{
    static const char pattern[] = "aaa, 00 aaa 0000 00:00:00 GMT\r\n";
    enum { DATE_SIZE = sizeof(pattern) - 3 };
    while ((text = strstr(text, "Date: "))) {
        size_t i = 0;
        text += strlen("Date: ");
        while (pattern[i] && is_like(text[i], pattern[i]))
            i++;
        if (pattern[i])
            return;
        *text++ = '*';
        memmove(text, text + DATE_SIZE - 1, strlen(text + DATE_SIZE - 1) + 1);
    }
}

static bool run_case(const struct server *server, const struct http_case *one, enum way way)
{
    static char request[1 << 21];
    static char reply[8192];
    size_t size = join(one, request);
    int fd = server_connect(server);
    bool is_taken = write_cut(fd, way, request, size);
    shutdown(fd, SHUT_WR);
    bool is_reset;
    long count = server_read_all(fd, reply, sizeof(reply) - 1, &is_reset);
    close(fd);
    reply[count > 0 ? count : 0] = '\0';
    hide_dates(reply);
    if (count >= 0 && strcmp(reply, one->reply) == 0 && is_taken && !is_reset)
        return true;
    printf("%s, %s: expected\n%s\ngot%s\n%s\n", one->name, way_names[way], one->reply,
           count < 0  ? ", and no end"
           : is_reset ? ", and a reset"
                      : "",
           reply);
    return false;
}

int main(int argc, char **argv)
{
    static const char *const arguments[] = {"serve", "http", "--schedulers", "2", NULL};
    unsigned seed = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 0) : (unsigned)time(NULL);
    struct server server;
    int failures = 0;
    if (argc < 2)
        return EXIT_FAILURE;
    printf("seed %u\n", seed);
    srand(seed);
    server_start(&server, argv[1], arguments);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        for (enum way way = 0; way < WAY_COUNT; way++)
            failures += !run_case(&server, &cases[i], way);
    int status = server_stop(&server);
    if (status != 0)
        printf("the server's exit status is %d\n", status);
    return failures > 0 || status != 0;
}
