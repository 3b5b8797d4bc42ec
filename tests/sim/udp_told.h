/* SPDX-License-Identifier: MIT */
/* The owners of UDP sockets. */
#ifndef SIM_UDP_TOLD_H
#define SIM_UDP_TOLD_H

#include <stdint.h>
#include <weir/socket.h>

weir_owner udp_owner(uint32_t owner);

#endif
