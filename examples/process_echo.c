/* SPDX-License-Identifier: MIT */
/* An echo server as the document's manual has one: processes that wait for connections at one
 * listener, and answer what the socket's messages bring. */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <weir/weir.h>

static int answer(weir_socket socket, weir_message *message)
{
    int result = weir_send_packet(socket, &message->packet);
    weir_packet_release(&message->packet);
    return result;
}

static void talk(weir_socket socket)
{
    weir_message message;
    int result = 0;
    while (result == 0 && weir_setopts(socket, WEIR_OPTIONS(WEIR_ACTIVE(WEIR_ACTIVE_ONCE))) == 0 &&
           weir_receive(WEIR_INFINITY, &message) == 0)
        result = message.kind == WEIR_MESSAGE_DATA ? answer(socket, &message) : WEIR_CLOSED;
    weir_close(socket);
}

static int serve(void *listener)
{
    weir_socket socket;
    int result;
    while ((result = weir_tcp_accept(*(weir_socket *)listener, weir_owned_by_self(), WEIR_INFINITY,
                                     &socket)) == 0)
        talk(socket);
    return result;
}

int main(int argc, char **argv)
{
    uint16_t port = argc > 1 ? (uint16_t)strtoul(argv[1], NULL, 10) : 7003;
    weir_runtime *runtime;
    weir_socket listener;
    int error = weir_start(&runtime, NULL);
    if (error == 0)
        error = weir_tcp_listen(runtime, NULL, port,
                                WEIR_OPTIONS(WEIR_PACKET(2), WEIR_ACTIVE(WEIR_ACTIVE_FALSE)),
                                &listener);
    for (int i = 0; i < 10 && error == 0; i++)
        error = weir_spawn(runtime, WEIR_ANY_SCHEDULER, serve, &listener, NULL, NULL);
    if (error < 0)
        errx(1, "%s: %s", weir_error_text(error), weir_last_error_text());
    printf("listening on port %d\n", weir_port(listener));
    fflush(stdout);
    pause();
    return weir_stop(runtime);
}
