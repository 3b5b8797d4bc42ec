/* SPDX-License-Identifier: MIT */
/* Connections that a proxy has passed on: whose they are, as its header says. */
#ifndef RUNTIME_STREAM_PROXIED_H
#define RUNTIME_STREAM_PROXIED_H

#include "address/proxy_header.h"

struct scheduler;
struct slot;
struct stream;

/* 0, or -ENOMEM. */
int proxied_note(struct scheduler *scheduler, struct stream *stream,
                 const struct proxy_header *header);

/* NULL: nobody has said. */
const struct proxy_header *proxied_of(const struct scheduler *scheduler, const struct slot *slot);

/* The slot is about to be free. */
void proxied_forget(struct scheduler *scheduler, const struct slot *slot);

#endif
