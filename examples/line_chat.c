/* SPDX-License-Identifier: MIT */
/* A chat room on {packet,line}: what one says, the others hear. Who is there is kept by a single
 * scheduler, so nothing is locked. */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <weir/weir.h>

struct guest {
    weir_socket socket;
    struct guest *next;
};

static struct guest *guests;

static void leave(weir_socket socket, void *data)
{
    struct guest **place = &guests;
    (void)data;
    while (*place && !weir_same_socket((*place)->socket, socket))
        place = &(*place)->next;
    struct guest *guest = *place;
    if (guest) {
        *place = guest->next;
        free(guest);
    }
    weir_close(socket);
}

static void enter(weir_socket socket, void *data)
{
    static const char welcome[] = "welcome\n";
    struct guest *guest = malloc(sizeof(*guest));
    (void)data;
    if (!guest || weir_send(socket, welcome, sizeof(welcome) - 1) < 0) {
        free(guest);
        weir_close(socket);
        return;
    }
    *guest = (struct guest){socket, guests};
    guests = guest;
}

/* The line has its end with it. To whom it cannot be told, because he does not read, leaves. */
static void say(weir_socket speaker, const weir_packet *line, void *data)
{
    struct guest *next;
    for (struct guest *guest = guests; guest; guest = next) {
        next = guest->next;
        if (!weir_same_socket(guest->socket, speaker) && weir_send_packet(guest->socket, line) < 0)
            leave(guest->socket, data);
    }
}

static const weir_handler room = {.accepted = enter, .packet = say, .closed = leave};

int main(int argc, char **argv)
{
    const weir_config config = {.schedulers = 1};
    uint16_t port = argc > 1 ? (uint16_t)strtoul(argv[1], NULL, 10) : 7001;
    weir_runtime *runtime;
    weir_socket listener;
    int error = weir_start(&runtime, &config);
    if (error == 0)
        error = weir_tcp_serve(runtime, NULL, port,
                               WEIR_OPTIONS(WEIR_PACKET(WEIR_LINE), WEIR_BUFFER(4096)),
                               weir_handled_by(&room, NULL), &listener);
    if (error < 0)
        errx(1, "%s: %s", weir_error_text(error), weir_last_error_text());
    printf("listening on port %d\n", weir_port(listener));
    fflush(stdout);
    pause();
    return weir_stop(runtime);
}
