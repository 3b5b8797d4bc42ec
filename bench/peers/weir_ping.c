/* SPDX-License-Identifier: MIT */
/* Answers PING as redis does, to lines: weir beside redis-server under redis-benchmark. What that
 * asks first, the configuration, is refused. */
#include "common/fail.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <weir/weir.h>

static void answer(weir_socket socket, const weir_packet *line, void *data)
{
    static const char pong[] = "+PONG\r\n", refusal[] = "-ERR unknown command\r\n";
    bool is_ping = line->size == 6 && memcmp(line->bytes, "PING\r\n", 6) == 0;
    bool is_command = line->size > 0 && line->bytes[0] == '*';
    int error = 0;
    (void)data;
    if (is_ping)
        error = weir_send(socket, pong, sizeof(pong) - 1);
    else if (is_command)
        error = weir_send(socket, refusal, sizeof(refusal) - 1);
    if (error < 0)
        weir_close(socket);
}

int main(void)
{
    static const weir_handler handler = {.packet = answer};
    const weir_config config = {.schedulers = 1};
    weir_runtime *runtime;
    weir_socket listener;
    if (weir_start(&runtime, &config) < 0 ||
        weir_tcp_serve(runtime, "127.0.0.1", 0,
                       WEIR_OPTIONS(WEIR_PACKET(WEIR_LINE), WEIR_NODELAY(true)),
                       weir_handled_by(&handler, NULL), &listener) < 0)
        fail("%s", weir_last_error_text());
    printf("listening on 127.0.0.1:%d\n", weir_port(listener));
    fflush(stdout);
    pause();
    return weir_stop(runtime);
}
