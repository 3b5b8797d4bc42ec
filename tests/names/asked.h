/* SPDX-License-Identifier: MIT */
/* A runtime that asks a name server of the tests, and what look-ups come to as text. */
#ifndef ASKED_H
#define ASKED_H

#include "support/dns_server.h"
#include "support/loopback.h"

struct asked {
    struct loopback loopback;
    struct dns_server *server;
    struct dns_server *other; /* a second one, or NULL */
    weir_runtime *runtime;
};

/* `terms` with further terms; %1$u stands for the server's port and %2$u for the other's. */
struct asked asked_start(uint32_t schedulers, const char *terms);
void asked_stop(struct asked *asked);

/* "name alias... | address...", or an error's name. */
const char *name_of(struct asked *asked, const char *name, enum weir_family family);
const char *address_of(struct asked *asked, const char *address);
const char *hostent_text(const weir_hostent *hostent, int result, char *text, size_t size);

#endif
