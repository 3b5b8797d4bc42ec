/* SPDX-License-Identifier: MIT */
/* gen_udp:send, and packets that go back to where they came from. */
#ifndef RUNTIME_UDP_SEND_H
#define RUNTIME_UDP_SEND_H

#include <sys/uio.h>
#include <weir/udp.h>

/* To where a datagram came from. On the socket's scheduler a plain function, elsewhere a call. As
 * weir_udp_send. */
int udp_send_back(weir_socket socket, const weir_datagram *datagram, struct iovec bytes);

#endif
