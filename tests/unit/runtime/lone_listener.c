/* SPDX-License-Identifier: MIT */
#include "lone_listener.h"

#include "options/options.h"

struct scheduler *scheduler;
struct listener *listener;
struct listening *listening;
int asked;
bool for_more;
bool is_in_flight;
int cancels;
int backlog;
int accepted;
int errors;
int last_error;

void __wrap_ring_accept(struct ring *ring, uint64_t user_data, int fd, bool multishot);
void __wrap_cancel_start(struct scheduler *there, struct slot *slot, uint32_t operation);
int __wrap_system_accept(int fd);

void __wrap_ring_accept(struct ring *ring, uint64_t user_data, int fd, bool multishot)
{
    (void)ring, (void)user_data;
    cr_expect_eq(fd, listener->slot.fd);
    cr_assert(!is_in_flight, "one at a time");
    asked++;
    for_more = multishot;
    is_in_flight = true;
}

void __wrap_cancel_start(struct scheduler *there, struct slot *slot, uint32_t operation)
{
    (void)there, (void)slot, (void)operation;
    cancels++;
}

int __wrap_system_accept(int fd)
{
    cr_expect_eq(fd, listener->slot.fd);
    return backlog-- > 0 ? socket(AF_INET, SOCK_STREAM, 0) : -EAGAIN;
}

static void note_accepted(weir_socket socket, void *data)
{
    (void)data;
    accepted++;
    (void)weir_close(socket);
}

static void take(weir_socket socket, const weir_packet *packet, void *data)
{
    (void)socket, (void)packet, (void)data;
}

static void note_error(weir_socket socket, int error, void *data)
{
    (void)socket, (void)data;
    errors++;
    last_error = error;
}

const weir_handler listener_handler = {
    .accepted = note_accepted, .packet = take, .error = note_error};

void lone_listener_open(void)
{
    struct option_setup setup;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert_eq(options_set_up(&setup, OPTION_LISTEN, NULL, NULL), 0);
    cr_assert_eq(listen(fd, 5), 0);
    listener = listener_create(scheduler, fd, WEIR_INET, &setup.values);
    cr_assert_not_null(listener);
    slot_move(&listener->slot, SOCKET_ESTABLISH);
    listening = listener->listening = listening_create(scheduler, listener);
    cr_assert_not_null(listening);
}

void lone_listener_begin(void)
{
    scheduler = own_turns_begin();
    lone_listener_open();
}

void lone_listener_complete(int result, unsigned flags)
{
    const struct ring_completion completion = {.result = result, .flags = flags};
    cr_assert(is_in_flight);
    is_in_flight = flags & RING_MORE;
    accept_completed(scheduler, &listener->slot, &completion);
    if (!(flags & RING_MORE))
        slot_unhold(scheduler, &listener->slot);
}

void lone_listener_shut(void)
{
    slot_end(scheduler, &listener->slot, END_CLOSED);
    if (is_in_flight)
        lone_listener_complete(-ECANCELED, 0);
}

void lone_listener_end(void)
{
    if (listener)
        lone_listener_shut();
    own_turns_end(scheduler);
}
