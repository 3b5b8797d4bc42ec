/* SPDX-License-Identifier: MIT */
/* Descriptors of sockets: new ones, and those that the caller has opened, {fd,_}. */
#ifndef RUNTIME_SOCKET_DESCRIPTOR_H
#define RUNTIME_SOCKET_DESCRIPTOR_H

#include "options/options.h"

/* A new one with the kernel's options of the setup on it, or an error. */
int descriptor_new(const struct option_setup *setup, enum weir_family family);

/* 0, or an error with the address in its text. */
int descriptor_bind(int fd, const weir_address *address);

/* One after the other is bound to one port. */
struct port_sharing {
    bool first;
    bool more; /* others are to follow */
    bool any;  /* whoever likes may share it: {reuseport,true} */
};

/* The same. The first binds alone, so a port that somebody else has is found out, and `address`
 * gets to know which it is; sharing is allowed from then on, for the others. */
int descriptor_bind_shared(int fd, weir_address *address, struct port_sharing sharing);

/*
 * Another descriptor of the setup's socket, with the kernel's options of the setup on it: of
 * the setup's protocol and of inet, inet6 or local, whose family is put into the setup. The
 * caller's is left as it is until descriptor_taken. -EBADF, -ENOTSOCK, WEIR_BADARG, -EMFILE, or
 * what an option gives.
 */
int descriptor_open(struct option_setup *setup);

/* The socket lives: the caller's descriptor is closed. */
void descriptor_taken(struct option_setup *setup);
/* It does not, unless it was taken: the caller's descriptor waits or does not wait as before. */
void descriptor_put_back(const struct option_setup *setup);

/* What the setup binds to, in this family. */
weir_address descriptor_local(const struct option_setup *setup, enum weir_family family);

bool descriptor_is_connected(int fd);

#endif
