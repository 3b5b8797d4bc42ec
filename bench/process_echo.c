/* SPDX-License-Identifier: MIT */
/* An echo server on {packet,4}, by a handler or by a process for each connection, which are else
 * the same. Arguments: handler or process, then the core to stay on. */
#include "common/fail.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <weir/weir.h>

static int echo(weir_socket socket, void *data)
{
    weir_packet packet;
    int result;
    (void)data;
    while ((result = weir_recv(socket, 0, WEIR_INFINITY, &packet)) == 0) {
        result = weir_send_packet(socket, &packet);
        weir_packet_release(&packet);
        if (result < 0)
            break;
    }
    return result;
}

static void on_packet(weir_socket socket, const weir_packet *packet, void *data)
{
    (void)data;
    if (weir_send_packet(socket, packet) < 0)
        weir_close(socket);
}

int main(int argc, char **argv)
{
    static const weir_spawner spawner = {.serve = echo};
    static const weir_handler handler = {.packet = on_packet};
    bool by_process = argc > 1 && strcmp(argv[1], "process") == 0;
    const weir_config config = {.schedulers = 1, .cpus = argc > 2 ? argv[2] : NULL};
    weir_owner owner = by_process ? weir_spawning(&spawner) : weir_handled_by(&handler, NULL);
    weir_option options[] = {WEIR_PACKET(4),
                             WEIR_NODELAY(true),
                             WEIR_MODE(WEIR_BINARY),
                             WEIR_ACTIVE(by_process ? WEIR_ACTIVE_FALSE : WEIR_ACTIVE_TRUE),
                             {.id = WEIR_OPTION_END}};
    weir_runtime *runtime;
    weir_socket service;
    if (weir_start(&runtime, &config) < 0 ||
        weir_tcp_serve(runtime, "127.0.0.1", 0, options, owner, &service) < 0)
        fail("%s", weir_last_error_text());
    printf("listening on 127.0.0.1:%d\n", weir_port(service));
    fflush(stdout);
    pause();
    return 0;
}
