/* SPDX-License-Identifier: MIT */
/* The sockets that a process owns, so that its end need not look at all there are. */
#ifndef RUNTIME_OWNER_OWNED_H
#define RUNTIME_OWNER_OWNED_H

#include <stdbool.h>
#include <stdint.h>

struct owned {
    uint64_t *ids; /* open addressing; 0: free */
    uint32_t count;
    uint32_t capacity; /* a power of two, or 0 */
    uint32_t looked;   /* where the last one was taken */
    bool incomplete;   /* there was no memory for one */
};

void owned_add(struct owned *owned, uint64_t id);
void owned_remove(struct owned *owned, uint64_t id);

/* Takes one of that scheduler's out. 0: there is none. */
uint64_t owned_take(struct owned *owned, uint32_t scheduler);

void owned_free(struct owned *owned);

#endif
