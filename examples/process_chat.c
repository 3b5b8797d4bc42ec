/* SPDX-License-Identifier: MIT */
/* A chat room of processes: one is the room and knows who is there, and each guest is one. What a
 * guest says is posted to the room, and by the room to the others. Nothing is locked. */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <weir/weir.h>

enum { GUESTS_MOST = 1000 };

static weir_process room;

/* To the room; without a line: who says it has come in. And from the room to a guest. */
struct line {
    weir_process speaker;
    size_t size;
    char text[];
};

static void say(weir_process to, weir_process speaker, const void *text, size_t size)
{
    struct line *line = malloc(sizeof(*line) + size);
    if (!line)
        return;
    *line = (struct line){speaker, size};
    memcpy(line->text, text, size);
    if (weir_post(to, line) < 0)
        free(line);
}

static void tell_others(const weir_process *guests, size_t count, const struct line *line)
{
    for (size_t i = 0; i < count; i++)
        if (guests[i].id != line->speaker.id)
            say(guests[i], line->speaker, line->text, line->size);
}

static size_t without(weir_process *guests, size_t count, weir_process gone)
{
    for (size_t i = 0; i < count; i++)
        if (guests[i].id == gone.id)
            guests[i--] = guests[--count];
    return count;
}

static int keep_room(void *data)
{
    static weir_process guests[GUESTS_MOST];
    size_t count = 0;
    weir_message message;
    (void)data;
    while (weir_receive(WEIR_INFINITY, &message) == 0) {
        struct line *line = message.data;
        if (message.kind == WEIR_MESSAGE_DOWN)
            count = without(guests, count, message.process);
        else if (line->size > 0)
            tell_others(guests, count, line);
        else if (count < GUESTS_MOST && weir_monitor(line->speaker, NULL, NULL) == 0)
            guests[count++] = line->speaker;
        free(line);
    }
    return 0;
}

static int be_guest(weir_socket socket, void *data)
{
    int result = weir_send(socket, "welcome\n", 8);
    weir_message message;
    (void)data;
    say(room, weir_self(), "", 0);
    while (result == 0 && weir_setopts(socket, WEIR_OPTIONS(WEIR_ACTIVE(WEIR_ACTIVE_ONCE))) == 0 &&
           weir_receive(WEIR_INFINITY, &message) == 0) {
        struct line *line = message.data;
        if (message.kind == WEIR_MESSAGE_CLOSED)
            return 0;
        if (message.kind == WEIR_MESSAGE_USER)
            result = weir_send(socket, line->text, line->size);
        else
            say(room, weir_self(), message.packet.bytes, message.packet.size);
        weir_packet_release(&message.packet);
        free(line);
    }
    return result;
}

int main(int argc, char **argv)
{
    static const weir_spawner guest = {.serve = be_guest};
    uint16_t port = argc > 1 ? (uint16_t)strtoul(argv[1], NULL, 10) : 7005;
    weir_runtime *runtime;
    weir_socket service;
    int error = weir_start(&runtime, NULL);
    if (error == 0)
        error = weir_spawn(runtime, WEIR_ANY_SCHEDULER, keep_room, NULL, NULL, &room);
    if (error == 0)
        error = weir_tcp_serve(
            runtime, NULL, port,
            WEIR_OPTIONS(WEIR_PACKET(WEIR_LINE), WEIR_BUFFER(4096), WEIR_ACTIVE(WEIR_ACTIVE_FALSE)),
            weir_spawning(&guest), &service);
    if (error < 0)
        errx(1, "%s: %s", weir_error_text(error), weir_last_error_text());
    printf("listening on port %d\n", weir_port(service));
    fflush(stdout);
    pause();
    return weir_stop(runtime);
}
