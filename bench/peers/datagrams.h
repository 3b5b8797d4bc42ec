/* SPDX-License-Identifier: MIT */
/* The socket of the UDP echo servers. */
#ifndef PEERS_DATAGRAMS_H
#define PEERS_DATAGRAMS_H

/* Pins the process as `argv` says, and opens one that is bound to 127.0.0.1 and the port that it
 * names, with 4 MiB to receive in; says so as `weir serve` does. */
int datagrams_begin(char **argv);

#endif
