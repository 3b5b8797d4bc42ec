/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <unistd.h>
#include <weir/weir.h>

static void on_packet(weir_socket socket, const weir_packet *packet, void *data)
{
    (void)data;
    if (weir_send_packet(socket, packet) < 0) /* -EAGAIN: this peer sends but does not read */
        weir_close(socket);
}

int main(void)
{
    static const weir_handler echo = {.packet = on_packet};
    weir_runtime *runtime; /* one scheduler per core, each serves its own connections */
    if (weir_start(&runtime, NULL) < 0 ||
        weir_tcp_serve(runtime, "0.0.0.0", 7000,
                       WEIR_OPTIONS(WEIR_PACKET(4), WEIR_NODELAY(true), WEIR_REUSEADDR(true)),
                       weir_handled_by(&echo, NULL), NULL) < 0) {
        fprintf(stderr, "echo: %s\n", weir_last_error_text());
        return 1;
    }
    pause();
    return weir_stop(runtime);
}
