/* SPDX-License-Identifier: MIT */
/*
 * An echo server on libuv: every read goes into one shared buffer and is written back at once
 * with uv_try_write; only what the peer does not take is copied and queued.
 */
#include "base/memory.h"
#include "common/fail.h"
#include "common/process.h"
#include "common/switches.h"
#include "peers/listener.h"

#include <signal.h>
#include <string.h>
#include <uv.h>

enum { BACKLOG = 4096 };

/* A copy of what could not be written, until it is. */
struct rest {
    uv_write_t request;
    char bytes[];
};

static struct {
    uv_loop_t loop;
    uv_tcp_t listener;
    char *buffer;
    long buffer_bytes;
} server = {.buffer_bytes = 64 << 10};

static void check(int error, const char *what)
{
    if (error < 0)
        fail("%s: %s", what, uv_strerror(error));
}

static void lend_buffer(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    (void)handle;
    (void)suggested;
    *buffer = uv_buf_init(server.buffer, (unsigned)server.buffer_bytes);
}

static void on_closed(uv_handle_t *handle)
{
    memory_free(handle);
}

static void close_connection(uv_stream_t *stream)
{
    if (!uv_is_closing((uv_handle_t *)stream))
        uv_close((uv_handle_t *)stream, on_closed);
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer);

static void on_written(uv_write_t *request, int error)
{
    uv_stream_t *stream = request->handle;
    memory_free(request);
    if (error < 0 || uv_read_start(stream, lend_buffer, on_read) < 0)
        close_connection(stream);
}

/* Reading stops until it is written. */
static void write_rest(uv_stream_t *stream, const char *bytes, size_t size)
{
    struct rest *rest = memory_allocate(sizeof(*rest) + size);
    if (!rest)
        fail("out of memory");
    uv_buf_t copy = uv_buf_init(memcpy(rest->bytes, bytes, size), (unsigned)size);
    uv_read_stop(stream);
    check(uv_write(&rest->request, stream, &copy, 1, on_written), "uv_write");
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
    if (count == 0)
        return;
    if (count < 0) {
        close_connection(stream);
        return;
    }
    uv_buf_t echo = uv_buf_init(buffer->base, (unsigned)count);
    int sent = uv_try_write(stream, &echo, 1);
    if (sent == UV_EAGAIN)
        sent = 0;
    if (sent < 0)
        close_connection(stream);
    else if (sent < count)
        write_rest(stream, buffer->base + sent, (size_t)(count - sent));
}

static void on_connection(uv_stream_t *listener, int status)
{
    check(status, "accept");
    uv_tcp_t *connection = memory_allocate(sizeof(*connection));
    if (!connection)
        fail("out of memory");
    check(uv_tcp_init(&server.loop, connection), "uv_tcp_init");
    check(uv_accept(listener, (uv_stream_t *)connection), "uv_accept");
    check(uv_read_start((uv_stream_t *)connection, lend_buffer, on_read), "uv_read_start");
}

int main(int argc, char **argv)
{
    (void)argc;
    long port = 0, core = PROCESS_NONE;
    const struct switch_row rows[] = {
        {"port", SWITCH_NUMBER, &port, "to listen on, 0 = any"},
        {"cpu", SWITCH_NUMBER, &core, "core to stay on"},
        {"buffer-bytes", SWITCH_NUMBER, &server.buffer_bytes, "size of one read"},
        {0},
    };
    switches_parse(rows, argv);
    process_pin(core);
    process_raise_descriptor_limit();
    signal(SIGPIPE, SIG_IGN); /* libuv writes without MSG_NOSIGNAL */
    server.buffer = memory_map((size_t)server.buffer_bytes);
    if (!server.buffer)
        fail("out of memory");
    int fd = listener_open(port, SOCK_NONBLOCK);
    check(uv_loop_init(&server.loop), "uv_loop_init");
    check(uv_tcp_init(&server.loop, &server.listener), "uv_tcp_init");
    check(uv_tcp_open(&server.listener, fd), "uv_tcp_open");
    check(uv_listen((uv_stream_t *)&server.listener, BACKLOG, on_connection), "uv_listen");
    listener_announce(fd);
    return uv_run(&server.loop, UV_RUN_DEFAULT);
}
