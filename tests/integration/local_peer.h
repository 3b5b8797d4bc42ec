/* SPDX-License-Identifier: MIT */
/* Plain local sockets, as peers of weir's. */
#ifndef INTEGRATION_LOCAL_PEER_H
#define INTEGRATION_LOCAL_PEER_H

#include "support/loopback.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <weir/local.h>

/* Bound or connected by `call`, to "unix:PATH" or "unix:@NAME". What it waits for comes in time. */
static inline int local_peer(const char *text, int type,
                             int call(int, const struct sockaddr *, socklen_t))
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct timeval wait = {WAIT_MS / 1000, 0};
    weir_local_address name;
    GIVES(weir_local_address_parse(text, &name), 0);
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    memcpy(address.sun_path, name.name, name.size);
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + name.size);
    cr_assert(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) == 0);
    cr_assert(call(fd, (struct sockaddr *)&address, size) == 0, "%s: %s", text, strerror(errno));
    return fd;
}

#endif
