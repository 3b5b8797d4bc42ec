/* SPDX-License-Identifier: MIT */
/*
 * A socket as its scheduler sees it, of whatever kind. A kind's own struct begins with it and takes
 * SLOT_SIZE bytes at most; what only some sockets need, or only for a while, lies elsewhere.
 *
 * `pending` counts operations in flight and holds of those who still need the slot while callbacks
 * run. Whatever lowers it settles the slot: a dying one gives up its descriptor when its kind says
 * that it may, and is released when its handle is dead too and nothing is pending.
 */
#ifndef RUNTIME_SCHEDULER_SLOT_H
#define RUNTIME_SCHEDULER_SLOT_H

#include <stdbool.h>
#include <stdint.h>

#include "runtime/ring/operation.h"
#include "runtime/scheduler/kind.h"
#include "runtime/scheduler/slot_list.h"
#include "runtime/scheduler/socket_state.h"
#include <weir/socket.h>

struct option_block;
struct option_values;
struct scheduler;

struct slot {
    uint32_t index;
    uint32_t generation;
    int fd; /* -1: none */
    uint16_t pending;
    uint8_t kind : 4;   /* enum kind_number */
    uint8_t state : 4;  /* enum socket_state */
    uint8_t family : 7; /* enum weir_family */
    bool is_mailed : 1; /* its owner is a mailbox */
    struct option_block *options;
    union {
        const weir_handler *handler;
        weir_mailbox *mailbox;
    } owner; /* owner_set; neither: nobody */
    void *owner_data;
    struct slot_link link; /* on whichever list its kind has it; in the end, of those that go */
};

enum { SLOT_SIZE = 144 };

static inline const weir_handler *slot_handler(const struct slot *slot)
{
    return slot->is_mailed ? NULL : slot->owner.handler;
}

static inline weir_mailbox *slot_mailbox(const struct slot *slot)
{
    return slot->is_mailed ? slot->owner.mailbox : NULL;
}

static inline weir_owner slot_owner(const struct slot *slot)
{
    weir_owner owner = {slot_handler(slot), slot->owner_data, slot_mailbox(slot)};
    return owner;
}

/* What its handler's callbacks are given; NULL if its owner is none. */
static inline void *slot_data(const struct slot *slot)
{
    return slot_handler(slot) ? slot->owner_data : NULL;
}

/* A new socket on `fd` without options, or with a block of its own; without an owner. NULL: no
 * memory. */
struct slot *slot_create(struct scheduler *scheduler, enum kind_number kind, int fd,
                         enum weir_family family);
struct slot *slot_create_with(struct scheduler *scheduler, enum kind_number kind, int fd,
                              enum weir_family family, const struct option_values *values);

/* Moves along the table of socket_state.c. */
void slot_move(struct slot *slot, enum socket_event event);

/* Keeps the slot while callbacks run that may close the socket; settles it in the end. */
static inline void slot_hold(struct slot *slot)
{
    slot->pending++;
}
void slot_unhold(struct scheduler *scheduler, struct slot *slot);

/* Called whenever something may have come to its end. */
void slot_settle(struct scheduler *scheduler, struct slot *slot);

/* It is free from now on, and what its kind had of it is given back. */
void slot_free(struct scheduler *scheduler, struct slot *slot);

void slot_end(struct scheduler *scheduler, struct slot *slot, enum ending ending);
/* Ends every socket. */
void slot_end_all(struct scheduler *scheduler, enum ending ending);

weir_socket slot_handle(const struct scheduler *scheduler, const struct slot *slot);

/* Whether its handle is alive. */
static inline bool slot_is_live(const struct slot *slot)
{
    return slot->state == SOCKET_OPEN || slot->state == SOCKET_GONE;
}

/* The live socket of a handle of this scheduler, or NULL. */
struct slot *slot_find(struct scheduler *scheduler, weir_socket handle);
/* Also one that is only being connected, or closed already. */
struct slot *slot_find_any(struct scheduler *scheduler, weir_socket handle);

/* scheduler 8 bits | generation 24 bits | slot 32 bits */
enum { HANDLE_INDEX_SHIFT = 56, HANDLE_GENERATION_SHIFT = 32 };

/* The registry index of the scheduler that a handle is of. */
static inline uint32_t slot_scheduler(weir_socket handle)
{
    return (uint32_t)(handle.id >> HANDLE_INDEX_SHIFT);
}

static inline uint64_t slot_operation(const struct slot *slot, uint32_t operation)
{
    return operation_pack(operation, slot->generation, slot->index);
}

#endif
