/* SPDX-License-Identifier: MIT */
/* Passes bytes on to another server and back, in callbacks. Who does not read holds up who sends to
 * him, with little memory between them; one side's end is passed on, and the other goes on. */
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <weir/weir.h>

#define OPTIONS                                                                              \
    WEIR_OPTIONS(WEIR_ACTIVE(WEIR_ACTIVE_FALSE), WEIR_MODE(WEIR_BINARY), WEIR_NODELAY(true), \
                 WEIR_EXIT_ON_CLOSE(false), WEIR_HIGH_WATERMARK(1 << 18),                    \
                 WEIR_LOW_WATERMARK(1 << 16))

struct side { /* its handler's data */
    weir_socket socket;
    struct side *other;
    weir_packet held; /* what the other side had no room for */
    bool has_ended, is_gone;
};

static weir_runtime *runtime;
static const char *host;
static uint16_t server_port;

static void close_both(struct side *side)
{
    weir_close(side->socket);
    weir_close(side->other->socket);
}

static void set_active(struct side *side, int32_t active)
{
    (void)!weir_setopts(side->socket, WEIR_OPTIONS(WEIR_ACTIVE(active))); /* closed: it is told */
}

/* When the other side is busy its `unbusy` follows; until then nothing more is taken. */
static void on_packet(weir_socket socket, const weir_packet *packet, void *data)
{
    struct side *side = data;
    int result = weir_send_packet(side->other->socket, packet);
    (void)socket;
    if (result == -EAGAIN) {
        set_active(side, WEIR_ACTIVE_FALSE);
        result = weir_packet_keep(packet, &side->held);
    }
    if (result < 0)
        close_both(side);
}

static void on_unbusy(weir_socket socket, void *data)
{
    struct side *from = ((struct side *)data)->other;
    int result = from->held.bytes ? weir_send_packet(socket, &from->held) : 0;
    if (result == -EAGAIN)
        return;
    weir_packet_release(&from->held);
    if (result < 0)
        close_both(from);
    else
        set_active(from, WEIR_ACTIVE_TRUE);
}

static void on_error(weir_socket socket, int error, void *data)
{
    (void)socket;
    (void)error;
    close_both(data);
}

/* It says no more, but may go on to listen. */
static void on_closed(weir_socket socket, void *data)
{
    struct side *side = data;
    (void)socket;
    side->has_ended = true;
    if (side->other->has_ended || weir_shutdown(side->other->socket, WEIR_WRITE) < 0)
        close_both(side);
}

static void forget(struct side *side)
{
    weir_packet_release(&side->held);
    side->is_gone = true;
    if (!side->other->is_gone)
        return;
    free(side->other);
    free(side);
}

static void on_gone(weir_socket socket, void *data)
{
    (void)socket;
    forget(data);
}

static const weir_handler handler;

static void on_connected(weir_socket socket, int result, void *data)
{
    struct side *server = data;
    if (result < 0) {
        weir_close(server->other->socket);
        forget(server); /* there is no socket to be gone */
        return;
    }
    server->socket = socket;
    set_active(server, WEIR_ACTIVE_TRUE);
    set_active(server->other, WEIR_ACTIVE_TRUE);
}

static void on_accepted(weir_socket socket, void *data)
{
    struct side *client = calloc(1, sizeof(*client)), *server = calloc(1, sizeof(*server));
    (void)data;
    if (!client || !server || weir_set_data(socket, client) < 0)
        err(1, "no memory for a connection");
    *client = (struct side){.socket = socket, .other = server};
    *server = (struct side){.other = client};
    if (weir_tcp_connect_async(runtime, host, server_port, OPTIONS,
                               weir_handled_by(&handler, server), 5000, on_connected, server) < 0)
        on_connected(socket, -1, server);
}

static const weir_handler handler = {.accepted = on_accepted,
                                     .packet = on_packet,
                                     .unbusy = on_unbusy,
                                     .error = on_error,
                                     .closed = on_closed,
                                     .gone = on_gone};

int main(int argc, char **argv)
{
    weir_socket service;
    uint16_t port = argc > 1 ? (uint16_t)strtoul(argv[1], NULL, 10) : 7004;
    const weir_config config = {.schedulers = argc > 4 ? (uint32_t)strtoul(argv[4], NULL, 10) : 0};
    host = argc > 2 ? argv[2] : "127.0.0.1";
    server_port = argc > 3 ? (uint16_t)strtoul(argv[3], NULL, 10) : 7000;
    int error = weir_start(&runtime, &config);
    if (error == 0)
        error =
            weir_tcp_serve(runtime, NULL, port, OPTIONS, weir_handled_by(&handler, NULL), &service);
    if (error < 0)
        errx(1, "%s: %s", weir_error_text(error), weir_last_error_text());
    printf("listening on port %d\n", weir_port(service));
    fflush(stdout);
    pause();
    return weir_stop(runtime);
}
