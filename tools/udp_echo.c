/* SPDX-License-Identifier: MIT */
/* The service `udp-echo`: each datagram goes back to where it came from, or is lost, as any may. */
#include "service.h"

static void on_packet(weir_socket socket, const weir_packet *packet, void *data)
{
    (void)data;
    (void)!weir_send_packet(socket, packet);
}

const weir_handler udp_echo_handler = {.packet = on_packet};
