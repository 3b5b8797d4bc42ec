/* SPDX-License-Identifier: MIT */
/* The time protocol (RFC 868): whatever is asked, the answer is the seconds since 1900, in four
 * bytes. Each scheduler has a socket of its own on the port, and answers in place. */
#include <arpa/inet.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <weir/weir.h>

enum { PORT = 37 };

static const uint32_t from_1900_to_1970 = 2208988800u;

static void on_packet(weir_socket socket, const weir_packet *question, void *data)
{
    uint32_t answer = htonl((uint32_t)time(NULL) + from_1900_to_1970);
    (void)data;
    if (weir_udp_send(socket, &question->datagram->source, &answer, sizeof(answer)) < 0)
        return; /* it is lost, as a datagram may be: who asked asks again */
}

int main(int argc, char **argv)
{
    static const weir_handler handler = {.packet = on_packet};
    uint16_t port = argc > 1 ? (uint16_t)strtoul(argv[1], NULL, 10) : PORT;
    weir_runtime *runtime;
    weir_socket service;
    int error = weir_start(&runtime, NULL);
    if (error == 0)
        error =
            weir_udp_serve(runtime, NULL, port, NULL, weir_handled_by(&handler, NULL), &service);
    if (error < 0)
        errx(1, "%s: %s", weir_error_text(error), weir_last_error_text());
    printf("listening on port %d\n", weir_port(service));
    fflush(stdout);
    pause();
    return weir_stop(runtime);
}
