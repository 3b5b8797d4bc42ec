/* SPDX-License-Identifier: MIT */
/* The remote end of a program, on plain sockets of the kernel. remote.erl has the same in Erlang.
 */
#ifndef DIFFERENTIAL_SOCKETS_REMOTE_H
#define DIFFERENTIAL_SOCKETS_REMOTE_H

#include <stdint.h>
#include <stdio.h>
#include <weir/address.h>

struct remote {
    weir_address address; /* without a port: both ends are on it */
    int listener;
    int fd;
    uint16_t port;     /* its own */
    uint16_t met_port; /* of the socket that it met */
};

void remote_new(struct remote *remote, weir_address address);

/* Does an act, "send 6162" or "close", and writes what it gave. `port` is where to connect to. */
void remote_act(struct remote *remote, const char *act, uint16_t port, FILE *to);

/* Resets what is left, so that nothing lingers in the kernel. */
void remote_end(struct remote *remote);

/* Bytes out of hexadecimal, at most `most`: how many. */
size_t bytes_from_hex(const char *text, uint8_t *bytes, size_t most);
void write_hex(FILE *to, const void *bytes, size_t size);

#endif
