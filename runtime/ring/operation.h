/* SPDX-License-Identifier: MIT */
/* What an operation's completion says of itself: what it was, and the socket it was for. */
#ifndef RUNTIME_RING_OPERATION_H
#define RUNTIME_RING_OPERATION_H

#include <stdbool.h>
#include <stdint.h>

/* An operation is one of at most 16 of one of at most 8 kinds of sockets. */
enum { OPERATION_KINDS_MAX = 8, OPERATIONS_PER_KIND_MAX = 16 };

#define OPERATION_OF_KIND(kind, number) ((kind)*OPERATIONS_PER_KIND_MAX + (number))
#define OPERATION_IN_KIND(operation)    ((operation) % OPERATIONS_PER_KIND_MAX)

/* Of a socket, in its handle and in the completions of its operations: 24 bits, and 0 is none's. */
enum { GENERATION_MAX = 0xFFFFFF };

/* is a cancel 1 bit | kind 3 bits | operation 4 bits | generation 24 bits | none 8 bits | slot 24
 * bits. */
static inline uint64_t operation_pack(uint32_t operation, uint32_t generation, uint32_t slot)
{
    return (uint64_t)operation << 56 | (uint64_t)(generation & GENERATION_MAX) << 32 | slot;
}

/* With its kind. */
static inline uint32_t operation_of(uint64_t user_data)
{
    return (uint32_t)(user_data >> 56 & 0x7F);
}

static inline uint32_t operation_kind(uint64_t user_data)
{
    return operation_of(user_data) / OPERATIONS_PER_KIND_MAX;
}

/* The cancel of an operation has all but its first bit. */
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
    return (uint32_t)user_data & 0xFFFFFF;
}

#endif
