/* SPDX-License-Identifier: MIT */
/* HTTP/1.1 on {packet,http_bin}: lines of a request are messages, a body is read by its length. */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <weir/weir.h>

enum { CONNECTION = 2, TRANSFER_ENCODING = 5, CONTENT_LENGTH = 38, TIMEOUT_MS = 10000 };

struct request { /* one for each connection, as its handler's data */
    bool is_head, is_last;
    const char *status;
    size_t body_bytes;
};

static void end(weir_socket socket, void *request)
{
    weir_close(socket); /* what has been sent still goes out */
    free(request);
}

/* Answers given in one turn leave in one send operation. */
static void answer(weir_socket socket, struct request *request)
{
    char text[256];
    int size = snprintf(text, sizeof(text), "HTTP/1.1 %s\r\nContent-Length: 6\r\n%s\r\n%s",
                        request->status, request->is_last ? "Connection: close\r\n" : "",
                        request->is_head ? "" : "hello\n");
    if (weir_send(socket, text, (size_t)size) < 0 || request->is_last)
        end(socket, request); /* -EAGAIN: this client asks and asks, but does not read */
}

static void took_body(weir_socket socket, int result, const weir_packet *body, void *request)
{
    (void)body; /* lent, as every packet is */
    if (result == 0)
        answer(socket, request);
    else
        end(socket, request);
    /* The next request. A socket that is closed by now refuses. */
    (void)!weir_setopts(socket,
                        WEIR_OPTIONS(WEIR_PACKET(WEIR_HTTP_BIN), WEIR_ACTIVE(WEIR_ACTIVE_TRUE)));
}

/* Bytes are not sent to the handler, it asks for as many as there are. */
static void read_body(weir_socket socket, struct request *request)
{
    (void)!weir_setopts(socket,
                        WEIR_OPTIONS(WEIR_PACKET(WEIR_RAW), WEIR_ACTIVE(WEIR_ACTIVE_FALSE)));
    if (weir_recv_async(socket, request->body_bytes, TIMEOUT_MS, took_body, request) < 0)
        end(socket, request);
}

static void refuse(struct request *request, const char *status)
{
    request->status = status;
    request->is_last = true;
}

static void read_header(struct request *request, uint32_t number, weir_slice value)
{
    char text[20] = "", rest;
    if (value.size < sizeof(text)) /* else it is none of those looked for */
        memcpy(text, value.bytes, value.size);
    if (number == CONNECTION && strcasecmp(text, "close") == 0)
        request->is_last = true;
    if (number == TRANSFER_ENCODING)
        refuse(request, "501 Not Implemented");
    if (number == CONTENT_LENGTH && sscanf(text, "%zu%c", &request->body_bytes, &rest) != 1)
        refuse(request, "400 Bad Request");
}

static void on_packet(weir_socket socket, const weir_packet *packet, void *data)
{
    const weir_http *http = packet->http;
    struct request *request = data;
    if (http->kind == WEIR_HTTP_REQUEST) {
        bool is_head = http->as.request.method == WEIR_HTTP_HEAD;
        *request = (struct request){is_head, http->version_minor == 0, "200 OK", 0};
    } else if (http->kind == WEIR_HTTP_HEADER) {
        read_header(request, http->as.header.number, http->as.header.value);
    } else if (http->kind == WEIR_HTTP_EOH) {
        (request->body_bytes > 0 ? read_body : answer)(socket, request);
    } else {
        *request = (struct request){.is_last = true, .status = "400 Bad Request"};
        answer(socket, request);
    }
}

/* A connection is active or waits in recv: its end is told to one of them, which frees it. */
static void on_accepted(weir_socket socket, void *data)
{
    struct request *request = calloc(1, sizeof(*request));
    (void)data;
    if (!request || weir_set_data(socket, request) < 0)
        end(socket, request);
}

static const weir_handler handler = {.accepted = on_accepted, .packet = on_packet, .closed = end};

int main(int argc, char **argv)
{
    weir_runtime *runtime;
    weir_socket listener;
    uint16_t port = argc > 1 ? (uint16_t)strtoul(argv[1], NULL, 10) : 8080;
    int error = weir_start(&runtime, NULL); /* one scheduler per core, each serves its own */
    if (error == 0)
        error = weir_tcp_serve(runtime, NULL, port, WEIR_OPTIONS(WEIR_PACKET(WEIR_HTTP_BIN)),
                               weir_handled_by(&handler, NULL), &listener);
    if (error < 0)
        errx(1, "%s: %s", weir_error_text(error), weir_last_error_text());
    printf("listening on port %d\n", weir_port(listener));
    fflush(stdout);
    pause();
    return weir_stop(runtime);
}
