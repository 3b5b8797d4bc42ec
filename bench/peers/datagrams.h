/* SPDX-License-Identifier: MIT */
/* The socket of the UDP echo servers. */
#ifndef PEERS_DATAGRAMS_H
#define PEERS_DATAGRAMS_H

/* Bound to 127.0.0.1 and the port, 0 = any, with 4 MiB to receive in; says so as `weir serve` does.
 */
int datagrams_open(long port);

#endif
