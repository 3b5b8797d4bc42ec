/* SPDX-License-Identifier: MIT */
/*
 * Memory that received bytes lie in, counted by reference.
 *
 * A pool's buffers are filled by the kernel and lent to callbacks without counting: only who keeps
 * one for longer counts, so a packet that is dealt with in its callback costs no atomic operation.
 * A block is memory of its own, for what straddles buffers, is large, or is kept.
 */
#ifndef RUNTIME_BUFFER_BUFFER_H
#define RUNTIME_BUFFER_BUFFER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/buffer/block_cache.h"

struct ring;

struct buffer_pool;

/* What is known of a packet of which the beginning has come. */
struct begun_packet {
    uint32_t needed;  /* all of it; 0: not known */
    uint32_t scanned; /* as struct framer */
};

struct weir_buffer {
    struct buffer_pool *pool; /* NULL: a block */
    struct weir_buffer *next; /* on the pool's free or returned stack */
    struct shelf *shelf;      /* a connection's input: a thread takes packets from it */
    size_t capacity;
    size_t filled; /* a pool's buffer: how much the kernel has put into it */
    uint8_t *bytes;
    void (*released)(void *data); /* somebody else's memory: told that it is not needed any more */
    void *data;
    /* Where an allocator leaves it alone: a release too many still finds that there is none left.
     */
    atomic_uint refs; /* a pool's buffer: 0 while nobody keeps it */
    uint16_t index;   /* in its pool */
    uint32_t start;   /* a block that is a stream's input: its bytes that are not framed yet */
    uint32_t end;
    struct begun_packet begun; /* and the packet that they are the beginning of */
};

struct buffer_pool {
    struct ring *ring;
    uint32_t scheduler;
    struct weir_buffer *buffers;
    uint8_t *memory;
    uint32_t count;
    uint32_t size;
    uint32_t stride;           /* from one buffer to the next */
    bool kernel_picks;         /* buffers are offered to its ring, not bound to receives */
    struct weir_buffer *free;  /* with us; the last that was used comes first */
    uint32_t offered;          /* with the kernel */
    uint32_t window;           /* how many it is to have */
    uint32_t filled;           /* by it since it was last supplied */
    uint32_t missed;           /* receives that have found none since */
    uint32_t crowded_turns;    /* for how many more of them buffers are shared out in turn */
    uint32_t calm_turns;       /* since the window last grew or shrank */
    uint32_t away;             /* filled, or bound to a receive, and not put back yet */
    uint32_t lent;             /* kept beyond their dispatch */
    struct block_cache blocks; /* of the owner's thread */
    _Atomic(struct weir_buffer *) returned; /* by other threads */
    atomic_int orphans;                     /* still kept after the pool was closed */
    struct weir_buffer *released;           /* their owners have not been told yet, newest first */
    void (*wake)(uint32_t scheduler);
    void (*release_soon)(void *context);
    void *context;
};

struct buffer_pool_config {
    struct ring *ring;
    uint32_t scheduler;
    void (*wake)(uint32_t scheduler); /* called when another thread has returned a buffer */
    /* Is to see to it that buffer_pool_tell_released is called soon, but not from here. */
    void (*release_soon)(void *context);
    void *context;
    uint32_t count;
    uint32_t size;
    bool kernel_picks;
};

/* The caller's thread becomes the pool's owner. NULL: -ENOMEM, or what registering said. */
int buffer_pool_open(struct buffer_pool **pool, const struct buffer_pool_config *config);

/* The caller's thread is this pool's owner from now on, and no other's; NULL: of none. */
void buffer_pool_own(struct buffer_pool *pool);

/* Frees the pool when the last of its buffers comes back. The ring must be closed already. */
void buffer_pool_close(struct buffer_pool *pool);

/* Owner: how many a receive can still find, as far as is known here. */
static inline uint32_t buffer_pool_available(const struct buffer_pool *pool)
{
    return pool->count - pool->away;
}

/* Owner: whether receives have found none of late, so that each is to have one buffer at a time. */
static inline bool buffer_pool_is_crowded(const struct buffer_pool *pool)
{
    return pool->crowded_turns > 0;
}

/* Owner: how many receives may be armed that take one buffer each. */
static inline uint32_t buffer_pool_room(const struct buffer_pool *pool)
{
    uint32_t available = buffer_pool_available(pool);
    return pool->kernel_picks && pool->window < available ? pool->window : available;
}

/* Owner: the buffer that the kernel has filled. */
struct weir_buffer *buffer_pool_at(struct buffer_pool *pool, uint16_t index);

/* Owner: a receive has found no buffer. */
void buffer_pool_miss(struct buffer_pool *pool);

/* Owner, once a turn: offers the kernel as many buffers as it needs and no more, so that few are
 * gone through in turn and those stay in the core's cache. */
void buffer_pool_supply(struct buffer_pool *pool);

/* Owner: a buffer for a receive when the kernel does not pick; NULL when none is free. */
struct weir_buffer *buffer_pool_take(struct buffer_pool *pool);

/* Whether it is of a pool that another thread owns. */
bool buffer_is_foreign(const struct weir_buffer *buffer);

/* Owner: the callbacks are through with it. */
void buffer_dispatched(struct weir_buffer *buffer);

/* Owner: whether there is something to collect. Sequentially consistent, so that a scheduler which
 * goes to sleep either sees what was returned or is woken for it. */
static inline bool buffer_pool_has_returns(struct buffer_pool *pool)
{
    return atomic_load(&pool->returned) != NULL;
}

/* Owner: takes back what other threads returned. */
void buffer_pool_collect(struct buffer_pool *pool);

/* A block of `size` bytes with one reference. NULL: no memory. */
struct weir_buffer *buffer_allocate(size_t size);

/* A block of `size` bytes or somewhat more that is at hand because it was just used, or NULL. */
struct weir_buffer *buffer_reuse(size_t size);

/* A block with one reference gets larger, and may lie elsewhere then. NULL: it stays as it was, for
 * want of memory or since somebody else holds it. */
struct weir_buffer *buffer_grow(struct weir_buffer *block, size_t size);

/* Owner: tells whose memory is not needed any more. They may do what they like. */
void buffer_pool_tell_released(struct buffer_pool *pool);

/* Somebody else's memory, with one reference; `released(data)` is called after the last: on a
 * pool's thread soon, never from within, on any other at once. NULL: no memory. */
struct weir_buffer *buffer_adopt(const void *bytes, size_t size, void (*released)(void *data),
                                 void *data);

/* Owner. A pool's buffer must be in dispatch or kept already. */
void buffer_keep(struct weir_buffer *buffer);

/* Owner of its pool, or of none: whether bytes of it may wait in a send queue where they lie.
 * Receiving for all depends on a pool's buffers: peers that do not read must not get hold of the
 * last quarter. Small bytes are worth a buffer only if more came behind them, which may leave with
 * them, and while most buffers are at hand; they are never worth a block, which may be much larger.
 */
bool buffer_may_be_held(const struct weir_buffer *buffer, const uint8_t *bytes, size_t size);

/* Any thread. */
void buffer_release(struct weir_buffer *buffer);

#endif
