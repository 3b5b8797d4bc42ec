/* SPDX-License-Identifier: MIT */
#include "runtime/buffer/buffer.h"

#include <errno.h>

#include "base/canary.h"
#include "base/check.h"
#include "base/error.h"
#include "base/memory.h"
#include "runtime/ring/ring.h"

static _Thread_local struct buffer_pool *own_pool;

/* Stands on the returned stack of a pool whose scheduler is gone. */
static struct weir_buffer closed_mark;

/* WINDOW_LEAST of 16 KiB are a common second-level cache. The skew keeps the beginnings of buffers
 * from sharing a few sets of it: 3 to 11% of a request at 1,000 connections. */
enum { WINDOW_LEAST = 64, CALM_TURNS = 4096, CROWDED_TURNS = 256, SKEW_BYTES = 192 };

void buffer_pool_own(struct buffer_pool *pool)
{
    own_pool = pool;
}

static void put_back(struct buffer_pool *pool, struct weir_buffer *buffer)
{
    pool->away--;
    buffer->next = pool->free;
    pool->free = buffer;
}

static struct weir_buffer *pop_free(struct buffer_pool *pool)
{
    struct weir_buffer *buffer = pool->free;
    if (buffer)
        pool->free = buffer->next;
    return buffer;
}

static int lay_out(struct buffer_pool *pool)
{
    pool->buffers = memory_allocate_zeroed(pool->count, sizeof(*pool->buffers));
    pool->memory = memory_map((size_t)pool->count * pool->stride);
    if (!pool->buffers || !pool->memory)
        return error_say(-ENOMEM, "no memory for %u receive buffers of %u bytes", pool->count,
                         pool->size);
    pool->away = pool->count;
    for (uint32_t i = pool->count; i-- > 0;) {
        struct weir_buffer *buffer = &pool->buffers[i];
        buffer->index = (uint16_t)i;
        buffer->pool = pool;
        buffer->capacity = pool->size;
        buffer->bytes = pool->memory + (size_t)i * pool->stride;
        put_back(pool, buffer);
    }
    return pool->kernel_picks ? ring_register_buffers(pool->ring) : 0;
}

static void free_pool(struct buffer_pool *pool)
{
    memory_unmap(pool->memory, (size_t)pool->count * pool->stride);
    memory_free(pool->buffers);
    memory_free(pool);
}

int buffer_pool_open(struct buffer_pool **out, const struct buffer_pool_config *config)
{
    struct buffer_pool *pool = memory_allocate_zeroed(1, sizeof(*pool));
    if (!pool)
        return -ENOMEM;
    pool->ring = config->ring;
    pool->scheduler = config->scheduler;
    pool->wake = config->wake;
    pool->release_soon = config->release_soon;
    pool->context = config->context;
    pool->count = config->count;
    pool->size = config->size;
    pool->stride = config->size + SKEW_BYTES;
    pool->window = config->count < WINDOW_LEAST ? config->count : WINDOW_LEAST;
    pool->kernel_picks = config->kernel_picks;
    int result = lay_out(pool);
    if (result < 0) {
        free_pool(pool);
        return result;
    }
    buffer_pool_supply(pool);
    buffer_pool_own(pool);
    *out = pool;
    return 0;
}

/* Buffers that are lent outlive the pool's scheduler. Until the mark is set a return from another
 * thread goes onto the stack; from then on it counts itself off `orphans`, which may go below
 * nothing, and this adds all that were lent and are not on the stack. Whoever brings the sum to
 * nothing, on either side, is the last that knows the pool, and frees it. */
void buffer_pool_close(struct buffer_pool *pool)
{
    buffer_pool_own(NULL);
    buffer_pool_tell_released(pool);
    block_cache_empty(&pool->blocks);
    struct weir_buffer *last = atomic_exchange(&pool->returned, &closed_mark);
    for (; last; last = last->next)
        pool->lent--;
    int lent = (int)pool->lent;
    if (atomic_fetch_add(&pool->orphans, lent) + lent == 0)
        free_pool(pool);
}

struct weir_buffer *buffer_pool_at(struct buffer_pool *pool, uint16_t index)
{
    CHECK_LT(index, pool->count);
    if (pool->kernel_picks) {
        CHECK_GT(pool->offered, 0u);
        pool->offered--;
        pool->away++;
        pool->filled++;
    }
    return &pool->buffers[index];
}

void buffer_pool_miss(struct buffer_pool *pool)
{
    pool->missed++;
    pool->crowded_turns = CROWDED_TURNS;
}

/* A flood that empties the window now and then costs a receive to be armed again, which is less
 * than going through more memory; many sockets that find it empty need more. */
static void adjust_window(struct buffer_pool *pool)
{
    uint32_t least = pool->count < WINDOW_LEAST ? pool->count : WINDOW_LEAST;
    pool->calm_turns++;
    if (pool->missed > pool->filled / 2) {
        pool->window = pool->window * 2 < pool->count ? pool->window * 2 : pool->count;
        pool->calm_turns = 0;
    } else if (pool->calm_turns == CALM_TURNS) {
        pool->window = pool->window / 2 > least ? pool->window / 2 : least;
        pool->calm_turns = 0;
    }
    pool->missed = 0;
    pool->filled = 0;
}

void buffer_pool_supply(struct buffer_pool *pool)
{
    pool->crowded_turns -= pool->crowded_turns > 0;
    if (!pool->kernel_picks)
        return;
    adjust_window(pool);
    while (pool->offered < pool->window && pool->free) {
        struct weir_buffer *buffer = pop_free(pool);
        ring_offer_buffer(pool->ring, buffer->index, buffer->bytes);
        pool->offered++;
    }
    ring_publish_buffers(pool->ring);
}

struct weir_buffer *buffer_pool_take(struct buffer_pool *pool)
{
    struct weir_buffer *buffer = pop_free(pool);
    pool->away += buffer != NULL;
    return buffer;
}

void buffer_dispatched(struct weir_buffer *buffer)
{
    if (atomic_load_explicit(&buffer->refs, memory_order_relaxed) == 0) {
        put_back(buffer->pool, buffer);
        return;
    }
    buffer->pool->lent++;
    buffer_release(buffer);
}

static void come_home(struct weir_buffer *buffer)
{
    buffer->pool->lent--;
    put_back(buffer->pool, buffer);
}

void buffer_pool_collect(struct buffer_pool *pool)
{
    if (atomic_load_explicit(&pool->returned, memory_order_relaxed) == NULL)
        return;
    struct weir_buffer *buffer =
        atomic_exchange_explicit(&pool->returned, NULL, memory_order_acquire);
    while (buffer) {
        struct weir_buffer *next = buffer->next;
        come_home(buffer);
        buffer = next;
    }
}

struct weir_buffer *buffer_reuse(size_t size)
{
    struct weir_buffer *block = own_pool ? block_cache_take(&own_pool->blocks, size) : NULL;
    if (!block)
        return NULL;
    atomic_init(&block->refs, 1);
    block->shelf = NULL;
    return block;
}

struct weir_buffer *buffer_allocate(size_t size)
{
    struct weir_buffer *block = buffer_reuse(size);
    if (block)
        return block;
    block = memory_allocate(sizeof(*block) + size);
    if (!block)
        return NULL;
    *block = (struct weir_buffer){.capacity = size, .bytes = (uint8_t *)(block + 1)};
    atomic_init(&block->refs, 1);
    return block;
}

struct weir_buffer *buffer_grow(struct weir_buffer *block, size_t size)
{
    if (atomic_load_explicit(&block->refs, memory_order_acquire) != 1)
        return NULL;
    struct weir_buffer *larger = memory_resize(block, sizeof(*block) + size);
    if (!larger)
        return NULL;
    larger->capacity = size;
    larger->bytes = (uint8_t *)(larger + 1);
    return larger;
}

struct weir_buffer *buffer_adopt(const void *bytes, size_t size, void (*released)(void *data),
                                 void *data)
{
    struct weir_buffer *buffer = memory_allocate(sizeof(*buffer));
    if (!buffer)
        return NULL;
    *buffer = (struct weir_buffer){
        .capacity = size, .bytes = (uint8_t *)bytes, .released = released, .data = data};
    atomic_init(&buffer->refs, 1);
    return buffer;
}

static void tell_released(struct weir_buffer *buffer)
{
    buffer->released(buffer->data);
    memory_free(buffer);
}

/* The last reference may go in the middle of anything, and who is told may send or close. */
static void tell_released_soon(struct buffer_pool *pool, struct weir_buffer *buffer)
{
    buffer->next = pool->released;
    pool->released = buffer;
    if (!buffer->next)
        pool->release_soon(pool->context);
}

void buffer_pool_tell_released(struct buffer_pool *pool)
{
    struct weir_buffer *newest = pool->released;
    struct weir_buffer *oldest = NULL;
    pool->released = NULL;
    while (newest) {
        struct weir_buffer *next = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = next;
    }
    while (oldest) {
        struct weir_buffer *next = oldest->next;
        tell_released(oldest);
        oldest = next;
    }
}

static void free_block(struct weir_buffer *block)
{
    if (block->released && own_pool)
        tell_released_soon(own_pool, block);
    else if (block->released)
        tell_released(block);
    else if (!own_pool || !block_cache_put(&own_pool->blocks, block))
        memory_free(block);
}

bool buffer_is_foreign(const struct weir_buffer *buffer)
{
    return buffer->pool && buffer->pool != own_pool;
}

/* The first who keeps a pool's buffer counts for the dispatch as well, which ends by a release. */
void buffer_keep(struct weir_buffer *buffer)
{
    if (atomic_load_explicit(&buffer->refs, memory_order_relaxed) == 0)
        atomic_store_explicit(&buffer->refs, 2, memory_order_relaxed);
    else
        atomic_fetch_add_explicit(&buffer->refs, 1, memory_order_relaxed);
}

bool buffer_may_be_held(const struct weir_buffer *buffer, const uint8_t *bytes, size_t size)
{
    enum { LARGE_BYTES = 4096 };
    const struct buffer_pool *pool = buffer->pool;
    bool large = size >= LARGE_BYTES;
    if (!pool)
        return large;
    uint32_t quarter = pool->count / 4;
    bool runs_on = bytes + size < buffer->bytes + buffer->filled;
    return pool == own_pool && (large ? pool->lent < 3 * quarter : runs_on && pool->lent < quarter);
}

static void tell(void (*wake)(uint32_t scheduler), uint32_t scheduler)
{
    if (!CANARY(SILENT_RETURN))
        wake(scheduler);
}

static void send_home(struct weir_buffer *buffer)
{
    struct buffer_pool *pool = buffer->pool;
    uint32_t scheduler = pool->scheduler; /* once the buffer is back the pool may be gone */
    void (*wake)(uint32_t scheduler) = pool->wake;
    struct weir_buffer *last = atomic_load(&pool->returned);
    do {
        if (last == &closed_mark) {
            if (atomic_fetch_sub(&pool->orphans, 1) == 1)
                free_pool(pool);
            return;
        }
        buffer->next = last;
    } while (!atomic_compare_exchange_weak(&pool->returned, &last, buffer));
    tell(wake, scheduler);
}

/* Release and acquire: what the last holder did to the bytes happens before they are reused. */
void buffer_release(struct weir_buffer *buffer)
{
    unsigned holders_of_packet = atomic_fetch_sub_explicit(&buffer->refs, 1, memory_order_acq_rel);
    CHECK_GT(holders_of_packet, 0u); /* else it was released twice, or lent */
    if (holders_of_packet != 1)
        return;
    if (!buffer->pool)
        free_block(buffer);
    else if (buffer->pool == own_pool)
        come_home(buffer);
    else
        send_home(buffer);
}
