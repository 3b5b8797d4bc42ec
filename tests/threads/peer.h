/* SPDX-License-Identifier: MIT */
/* Blocking sockets on the loopback interface; whatever goes wrong with them ends the program. */
#ifndef THREADS_PEER_H
#define THREADS_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <weir/weir.h>

int peer_connect(int port);
/* False once the other side is gone. */
bool peer_write(int fd, const void *bytes, size_t size);
bool peer_read(int fd, void *bytes, size_t size);

/* A service on 127.0.0.1 with these options; its port. */
int serve(weir_runtime *runtime, const weir_option *options, weir_owner owner,
          weir_socket *listener);

#endif
