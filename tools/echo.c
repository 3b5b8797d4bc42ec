/* SPDX-License-Identifier: MIT */
/* The service `echo`: each packet goes back in the framing that it came in. */
#include "service.h"

#include <errno.h>

static void set_active(weir_socket socket, int how)
{
    /* The socket may be gone by now: then there is nobody to be active for. */
    (void)!weir_setopts(socket, WEIR_OPTIONS(WEIR_ACTIVE(how)));
}

static void resume(weir_socket socket, int result, void *data)
{
    (void)data;
    if (result == 0)
        set_active(socket, WEIR_ACTIVE_TRUE);
}

/* The peer does not read: it is not read from either, until what it is owed has been queued. */
static void hold_back(weir_socket socket, const weir_packet *packet)
{
    set_active(socket, WEIR_ACTIVE_FALSE);
    if (weir_send_packet_async(socket, packet, resume, NULL) < 0)
        weir_close(socket);
}

static void echo(weir_socket socket, const weir_packet *packet, void *data)
{
    int result = weir_send_packet(socket, packet);
    (void)data;
    if (result == -EAGAIN)
        hold_back(socket, packet);
    else if (result < 0)
        weir_close(socket);
}

const weir_handler echo_handler = {.packet = echo};
