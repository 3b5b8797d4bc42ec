/* SPDX-License-Identifier: MIT */
/*
 * The service `echo`: each packet goes back in the framing that it came in. The listener's
 * {active,_} says how its connections are read, and whatever that uses up they are given again.
 * It is a connection's data; a connection that is held back has none.
 */
#include "service.h"

#include <errno.h>

static void set_active(weir_socket socket, int how)
{
    /* The socket may be gone by now: then there is nobody to be active for. */
    (void)!weir_setopts(socket, WEIR_OPTIONS(WEIR_ACTIVE(how)));
}

static int active_of(const void *data)
{
    return (int)(intptr_t)data;
}

static void remember_active(weir_socket socket, int how)
{
    (void)!weir_set_data(socket, (void *)(intptr_t)how); /* as above */
}

/* Nobody would ask a connection that is {active,false} for its packets, and a count that is used up
 * from the start is no more. */
static bool is_passive(int how)
{
    return how == WEIR_ACTIVE_FALSE ||
           (how != WEIR_ACTIVE_TRUE && how != WEIR_ACTIVE_ONCE && how <= 0);
}

static void on_accepted(weir_socket socket, void *data)
{
    weir_option active = WEIR_REQUEST(ACTIVE);
    (void)data;
    if (weir_getopts(socket, &active, 1) != 1)
        return;
    int how = (int)active.value.number;
    remember_active(socket, is_passive(how) ? WEIR_ACTIVE_ONCE : how);
    if (is_passive(how))
        set_active(socket, WEIR_ACTIVE_ONCE);
}

static void resume(weir_socket socket, int result, void *data)
{
    if (result < 0) {
        weir_close(socket);
        return;
    }
    remember_active(socket, active_of(data));
    set_active(socket, active_of(data));
}

/* The peer does not read: it is not read from either, until what it is owed has been queued. */
static void hold_back(weir_socket socket, const weir_packet *packet, void *data)
{
    set_active(socket, WEIR_ACTIVE_FALSE);
    remember_active(socket, 0);
    if (weir_send_packet_async(socket, packet, resume, data) < 0)
        weir_close(socket);
}

static void on_packet(weir_socket socket, const weir_packet *packet, void *data)
{
    int result = weir_send_packet(socket, packet);
    if (result == -EAGAIN)
        hold_back(socket, packet, data);
    else if (result < 0)
        weir_close(socket);
    else if (active_of(data) == WEIR_ACTIVE_ONCE)
        set_active(socket, WEIR_ACTIVE_ONCE);
}

static void on_passive(weir_socket socket, void *data)
{
    if (data)
        set_active(socket, active_of(data));
}

/* With {exit_on_close,false} it would stay half open for ever. */
static void on_closed(weir_socket socket, void *data)
{
    (void)data;
    weir_close(socket);
}

const weir_handler echo_handler = {
    .accepted = on_accepted, .packet = on_packet, .passive = on_passive, .closed = on_closed};
