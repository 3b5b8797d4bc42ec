/* SPDX-License-Identifier: MIT */
/* Headers of scatter-gather sends, and addresses to connect to. The kernel copies them as it
 * submits, so one turn's worth of memory serves every turn. Who asked may be gone before: a kernel
 * may refuse to read them for a while. */
#ifndef RUNTIME_RING_VECTORS_H
#define RUNTIME_RING_VECTORS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/uio.h>

/* Per message: more gain nothing, the socket's buffer is full before. */
enum { VECTORS_PER_MESSAGE = 64, VECTORS_MESSAGE_COUNT = 64, VECTORS_ADDRESS_COUNT = 64 };

struct vectors {
    uint32_t message_count;
    struct msghdr messages[VECTORS_MESSAGE_COUNT];
    struct iovec vectors[VECTORS_MESSAGE_COUNT][VECTORS_PER_MESSAGE];
    uint32_t address_count;
    struct sockaddr_storage addresses[VECTORS_ADDRESS_COUNT];
};

static inline bool vectors_are_full(const struct vectors *vectors)
{
    return vectors->message_count == VECTORS_MESSAGE_COUNT;
}

/* A message with room for VECTORS_PER_MESSAGE pieces; the caller sets how many it uses. */
static inline struct msghdr *vectors_take(struct vectors *vectors)
{
    uint32_t index = vectors->message_count++;
    vectors->messages[index] = (struct msghdr){.msg_iov = vectors->vectors[index]};
    return &vectors->messages[index];
}

/* The one that was taken last is not needed. */
static inline void vectors_put_back(struct vectors *vectors)
{
    vectors->message_count--;
}

static inline bool vectors_lack_address(const struct vectors *vectors)
{
    return vectors->address_count == VECTORS_ADDRESS_COUNT;
}

static inline struct sockaddr_storage *vectors_take_address(struct vectors *vectors)
{
    return &vectors->addresses[vectors->address_count++];
}

/* Everything that was taken has been submitted. */
static inline void vectors_reset(struct vectors *vectors)
{
    vectors->message_count = 0;
    vectors->address_count = 0;
}

#endif
