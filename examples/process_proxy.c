/* SPDX-License-Identifier: MIT */
/* Passes what comes on to another server and back: two processes for each connection, one for each
 * direction. Arguments: a port, the other server's host and port. */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <weir/weir.h>

struct target {
    weir_runtime *runtime;
    const char *host;
    uint16_t port;
};

struct way {
    weir_socket from;
    weir_socket to;
};

/* To the end of one side's bytes, which the other side is told of. */
static int pass_on(void *data)
{
    struct way way = *(struct way *)data;
    weir_packet packet;
    int result;
    while ((result = weir_recv(way.from, 0, WEIR_INFINITY, &packet)) == 0) {
        result = weir_send_packet(way.to, &packet);
        weir_packet_release(&packet);
        if (result < 0)
            break;
    }
    return weir_shutdown(way.to, WEIR_WRITE);
}

/* Both sockets are this process's, and end with it: when the way back has ended too. */
static int serve(weir_socket client, void *data)
{
    const struct target *target = data;
    weir_socket server;
    weir_process back;
    weir_message down;
    int result =
        weir_tcp_connect(target->runtime, target->host, target->port,
                         WEIR_OPTIONS(WEIR_ACTIVE(WEIR_ACTIVE_FALSE), WEIR_EXIT_ON_CLOSE(false)),
                         weir_owned_by_self(), 5000, &server);
    if (result < 0)
        return result;
    struct way to = {client, server};
    struct way from = {server, client};
    result = weir_spawn(target->runtime, WEIR_ANY_SCHEDULER, pass_on, &from, NULL, &back);
    if (result < 0)
        return result;
    result = weir_monitor(back, NULL, NULL);
    if (result == 0)
        result = pass_on(&to);
    return weir_receive(WEIR_INFINITY, &down);
}

int main(int argc, char **argv)
{
    static struct target target;
    static const weir_spawner spawner = {.serve = serve, .data = &target};
    weir_socket service;
    uint16_t port = argc > 1 ? (uint16_t)strtoul(argv[1], NULL, 10) : 7004;
    target.host = argc > 2 ? argv[2] : "127.0.0.1";
    target.port = argc > 3 ? (uint16_t)strtoul(argv[3], NULL, 10) : 7000;
    int error = weir_start(&target.runtime, NULL);
    if (error == 0)
        error =
            weir_tcp_serve(target.runtime, NULL, port,
                           WEIR_OPTIONS(WEIR_ACTIVE(WEIR_ACTIVE_FALSE), WEIR_EXIT_ON_CLOSE(false)),
                           weir_spawning(&spawner), &service);
    if (error < 0)
        errx(1, "%s: %s", weir_error_text(error), weir_last_error_text());
    printf("listening on port %d\n", weir_port(service));
    fflush(stdout);
    pause();
    return weir_stop(target.runtime);
}
