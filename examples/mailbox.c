/* SPDX-License-Identifier: MIT */
/* Ordinary threads that own connections: messages come to a mailbox, and whichever thread is free
 * takes the next. It may wait, which a handler must not. */
#include <err.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <weir/weir.h>

enum { THREAD_COUNT = 4 };

/* {active,once}: no other thread gets a message of this connection before it is asked for. */
static void answer(weir_socket socket, const weir_packet *line)
{
    static const char said[] = "you said: ";
    const struct iovec pieces[] = {{(void *)said, sizeof(said) - 1},
                                   {(void *)line->bytes, line->size}};
    if (weir_sendv(socket, pieces, 2) < 0 || /* waits while the peer does not read */
        weir_setopts(socket, WEIR_OPTIONS(WEIR_ACTIVE(WEIR_ACTIVE_ONCE))) < 0)
        weir_close(socket);
}

static void *serve(void *mailbox)
{
    weir_message message;
    while (weir_mailbox_receive(mailbox, WEIR_INFINITY, &message) == 0) {
        if (message.kind != WEIR_MESSAGE_DATA) /* accepted and closed: there is nothing to do */
            continue;
        answer(message.socket, &message.packet);
        weir_packet_release(&message.packet);
    }
    return NULL;
}

static void check(int error)
{
    if (error < 0)
        errx(1, "%s: %s", weir_error_text(error), weir_last_error_text());
}

int main(int argc, char **argv)
{
    uint16_t port = argc > 1 ? (uint16_t)strtoul(argv[1], NULL, 10) : 7002;
    weir_runtime *runtime;
    weir_mailbox *mailbox;
    weir_socket listener;
    pthread_t thread;
    check(weir_start(&runtime, NULL));
    check(weir_mailbox_create(&mailbox));
    check(weir_tcp_serve(runtime, NULL, port,
                         WEIR_OPTIONS(WEIR_PACKET(WEIR_LINE), WEIR_ACTIVE(WEIR_ACTIVE_ONCE),
                                      WEIR_SEND_TIMEOUT(10000)),
                         weir_mailed_to(mailbox), &listener));
    for (int i = 0; i < THREAD_COUNT; i++)
        check(-pthread_create(&thread, NULL, serve, mailbox));
    printf("listening on port %d\n", weir_port(listener));
    fflush(stdout);
    pause();
    return weir_stop(runtime);
}
