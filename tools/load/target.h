/* SPDX-License-Identifier: MIT */
/* Where the load goes: "tcp://HOST:PORT", "unix:PATH", "udp://HOST:PORT",
 * "http://HOST[:PORT][/PATH]". */
#ifndef LOAD_TARGET_H
#define LOAD_TARGET_H

#include <stdbool.h>
#include <stdint.h>

enum target_scheme { TARGET_TCP, TARGET_HTTP, TARGET_UDP };

enum { TARGET_HOST_SIZE = 256, TARGET_PATH_SIZE = 4096 };

struct target {
    enum target_scheme scheme; /* a local stream socket is TARGET_TCP */
    bool is_local;             /* then host is all of "unix:PATH", and there is no port */
    uint16_t port;
    char host[TARGET_HOST_SIZE];      /* without the brackets of an IPv6 address */
    char authority[TARGET_HOST_SIZE]; /* as it stood in the URL: the header Host */
    char path[TARGET_PATH_SIZE];      /* http: with its query */
};

/* 0, or -EINVAL with what is wrong as weir_last_error_text. */
int target_parse(const char *url, struct target *target);

#endif
