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

static const weir_handler echo = {.packet = on_packet};

static int complain(int error)
{
    fprintf(stderr, "echo: %s: %s\n", weir_format_error(error), weir_last_error_text());
    return 1;
}

int main(void)
{
    weir_runtime *runtime;
    int error = weir_start(&runtime, NULL); /* one scheduler per core, each serves its own */
    if (error < 0)
        return complain(error);
    error = weir_tcp_serve(runtime, "0.0.0.0", 7000,
                           WEIR_OPTIONS(WEIR_PACKET(4), WEIR_NODELAY(true), WEIR_REUSEADDR(true)),
                           weir_handled_by(&echo, NULL), NULL);
    if (error < 0)
        return complain(error);
    pause();
    return weir_stop(runtime);
}
