/* SPDX-License-Identifier: MIT */
/* A listener: the kind of socket that it is. */
#ifndef RUNTIME_LISTENER_LISTENER_H
#define RUNTIME_LISTENER_LISTENER_H

#include <stddef.h>

#include "options/option_block.h"
#include "runtime/scheduler/kind.h"
#include "runtime/scheduler/slot.h"

struct call;
struct listening;

extern const struct kind kind_listener;

struct listener {
    struct slot slot;
    struct listening *listening; /* NULL once it is closed */
    struct call *closer;         /* waits until the descriptor is closed */
};

_Static_assert(offsetof(struct listener, slot) == 0, "a slot is its listener");
_Static_assert(sizeof(struct listener) <= SLOT_SIZE, "a slot has room for it");

static inline struct listener *listener_of(const struct slot *slot)
{
    return (struct listener *)slot;
}

/* A new one on `fd` without an owner. NULL: no memory. */
struct listener *listener_create(struct scheduler *scheduler, int fd, enum weir_family family,
                                 const struct option_values *values);

/* The live listener of a handle of this scheduler, or NULL. */
struct listener *listener_find(struct scheduler *scheduler, weir_socket handle);

static inline const struct option_values *listener_values(const struct listener *listener)
{
    return &listener->slot.options->values;
}

/* Connections that wait. Those that the kernel has ready, or more when it does not say. */
uint32_t listener_backlog_count(const struct listener *listener);

enum listener_operation { LISTENER_ACCEPT = OPERATION_OF_KIND(KIND_LISTENER, 0) };

#endif
