/* SPDX-License-Identifier: MIT */
/*
 * One request per connection, which is closed behind the answer. What a request wants is its
 * connection's data. Who asks for too much, or not at all, is closed by limits of the socket.
 */
#include "metrics.h"

#include "base/memory.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static weir_runtime *observed;

enum wish { NO_WISH, WISHES_METRICS, WISHES_ELSE };

static void reply(weir_socket socket, const char *status, const char *body, size_t size)
{
    char head[160];
    int length = snprintf(head, sizeof(head),
                          "HTTP/1.1 %s\r\nContent-Type: text/plain; version=0.0.4\r\n"
                          "Content-Length: %zu\r\nConnection: close\r\n\r\n",
                          status, size);
    const struct iovec pieces[] = {{head, (size_t)length}, {(void *)body, size}};
    (void)!weir_sendv(socket, pieces, 2); /* it may be gone by now */
    weir_close(socket);
}

static void reply_metrics(weir_socket socket)
{
    enum { MORE = 4096 };
    int length = weir_metrics(observed, NULL, 0);
    size_t size = length > 0 ? (size_t)length + MORE : 0;
    char *text = size > 0 ? memory_allocate(size) : NULL;
    length = text ? weir_metrics(observed, text, size) : -1;
    if (length > 0 && (size_t)length < size)
        reply(socket, "200 OK", text, (size_t)length);
    else
        reply(socket, "503 Service Unavailable", "", 0);
    memory_free(text);
}

static enum wish wish_of(const weir_http *http)
{
    static const char path[] = "/metrics";
    const weir_slice *asked = &http->as.request.path;
    bool is_metrics = http->as.request.method == WEIR_HTTP_GET &&
                      http->as.request.uri == WEIR_URI_PATH && asked->size == sizeof(path) - 1 &&
                      memcmp(asked->bytes, path, asked->size) == 0;
    return is_metrics ? WISHES_METRICS : WISHES_ELSE;
}

static void on_packet(weir_socket socket, const weir_packet *packet, void *data)
{
    enum wish wish = (enum wish)(uintptr_t)data;
    if (packet->http->kind == WEIR_HTTP_REQUEST && wish == NO_WISH)
        (void)!weir_set_data(socket, (void *)(uintptr_t)wish_of(packet->http));
    else if (packet->http->kind == WEIR_HTTP_HEADER && wish != NO_WISH)
        return;
    else if (packet->http->kind == WEIR_HTTP_EOH && wish == WISHES_METRICS)
        reply_metrics(socket);
    else if (packet->http->kind == WEIR_HTTP_EOH && wish == WISHES_ELSE)
        reply(socket, "404 Not Found", "", 0);
    else
        reply(socket, "400 Bad Request", "", 0);
}

static const weir_handler handler = {.packet = on_packet};

int metrics_serve(weir_runtime *runtime, const weir_address *address, bool shared,
                  weir_address *bound)
{
    enum { REQUEST_MS = 10000, LINE_BYTES = 8192 };
    char text[WEIR_ADDRESS_TEXT_SIZE];
    weir_socket listener;
    observed = runtime;
    int result =
        weir_tcp_serve(runtime, weir_address_format(address, text), address->port,
                       WEIR_OPTIONS(WEIR_REUSEADDR(true), WEIR_REUSEPORT(shared),
                                    WEIR_PACKET(WEIR_HTTP_BIN), WEIR_PACKET_SIZE(LINE_BYTES),
                                    WEIR_IDLE_TIMEOUT(REQUEST_MS), WEIR_ACTIVE(WEIR_ACTIVE_TRUE)),
                       weir_handled_by(&handler, NULL), &listener);
    return result < 0 ? result : weir_sockname(listener, bound);
}
