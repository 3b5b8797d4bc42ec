/* SPDX-License-Identifier: MIT */
/* What an operation's completion says of itself: its kind, and the socket it was for. */
#ifndef RUNTIME_RING_OPERATION_H
#define RUNTIME_RING_OPERATION_H

#include <stdbool.h>
#include <stdint.h>

enum operation {
    OPERATION_NONE,
    OPERATION_ACCEPT,
    OPERATION_CONNECT,
    OPERATION_RECEIVE,
    OPERATION_RECEIVE_INTO,
    OPERATION_SEND,
    OPERATION_READ,     /* a part of a file into memory */
    OPERATION_WRITABLE, /* there may be room for sending */
    OPERATION_WAKE,
    OPERATION_COUNT
};

/* Of a socket, in its handle and in the completions of its operations: 24 bits, and 0 is none's. */
enum { GENERATION_MAX = 0xFFFFFF };

/* is a cancel 1 bit | kind 7 bits | generation 24 bits | slot 32 bits */
static inline uint64_t operation_pack(enum operation kind, uint32_t generation, uint32_t slot)
{
    return (uint64_t)kind << 56 | (uint64_t)(generation & GENERATION_MAX) << 32 | slot;
}

static inline enum operation operation_kind(uint64_t user_data)
{
    return (enum operation)(user_data >> 56 & 0x7F);
}

/* The cancel of an operation has its kind, generation and slot. */
static inline uint64_t operation_cancel_of(uint64_t user_data)
{
    return user_data | (uint64_t)1 << 63;
}

static inline bool operation_is_cancel(uint64_t user_data)
{
    return user_data >> 63 != 0;
}

static inline uint32_t operation_generation(uint64_t user_data)
{
    return (uint32_t)(user_data >> 32) & GENERATION_MAX;
}

static inline uint32_t operation_slot(uint64_t user_data)
{
    return (uint32_t)user_data;
}

#endif
