/* SPDX-License-Identifier: MIT */
#ifndef PEERS_LISTENER_H
#define PEERS_LISTENER_H

/* Listens on 127.0.0.1; `flags` are of socket(2), as SOCK_NONBLOCK. TCP_NODELAY is set here and
 * inherited by what is accepted. */
int listener_open(long port, int flags);

/* The line that says the server is ready, with the port that port 0 became. */
void listener_announce(int fd);

#endif
