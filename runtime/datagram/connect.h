/* SPDX-License-Identifier: MIT */
/*
 * Connecting a UDP socket. The kernel does it at once, and what was sent before may still be
 * queued: that goes to the peer that the socket had then.
 */
#ifndef RUNTIME_DATAGRAM_CONNECT_H
#define RUNTIME_DATAGRAM_CONNECT_H

#include <sys/socket.h>

struct datagram;

/* 0, or what the kernel says: then it has the peer that it had. */
int datagram_connect(struct datagram *socket, const struct sockaddr_storage *peer, socklen_t size);

#endif
