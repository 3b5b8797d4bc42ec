/* SPDX-License-Identifier: MIT */
#include "runtime/send_queue/segment.h"

#include "base/memory.h"
#include "runtime/buffer/buffer.h"

/* A small reply touches few pages when many sockets have one; a long answer is few pieces. */
enum {
    SMALL_SIZE = 4096 - sizeof(struct segment),
    LARGE_SIZE = 16384 - sizeof(struct segment),
    POOL_LIMIT = 1024, /* of each kind that are kept for later */
};

struct send_pools *send_pools_open(void)
{
    return memory_allocate_zeroed(1, sizeof(struct send_pools));
}

static void free_all(struct segment *segment)
{
    while (segment) {
        struct segment *next = segment->next;
        memory_free(segment);
        segment = next;
    }
}

void send_pools_close(struct send_pools *pools)
{
    free_all(pools->small);
    free_all(pools->large);
    free_all(pools->references);
    memory_free(pools);
}

static struct segment *take_from(struct segment **pool, uint32_t *count, size_t capacity)
{
    struct segment *segment = *pool;
    if (segment) {
        *pool = segment->next;
        --*count;
    } else {
        segment = memory_allocate(sizeof(*segment) + capacity);
        if (!segment)
            return NULL;
    }
    *segment = (struct segment){.capacity = capacity, .bytes = segment->storage};
    return segment;
}

struct segment *segment_take(struct send_pools *pools, size_t size)
{
    if (size <= SMALL_SIZE)
        return take_from(&pools->small, &pools->small_count, SMALL_SIZE);
    if (size <= LARGE_SIZE)
        return take_from(&pools->large, &pools->large_count, LARGE_SIZE);
    struct segment *segment = memory_allocate(sizeof(*segment) + size);
    if (segment)
        *segment = (struct segment){.capacity = size, .bytes = segment->storage};
    return segment;
}

static struct segment *take_reference(struct send_pools *pools, struct weir_buffer *buffer,
                                      enum segment_kind kind, size_t size)
{
    struct segment *segment = take_from(&pools->references, &pools->reference_count, 0);
    if (!segment)
        return NULL;
    buffer_keep(buffer);
    segment->buffer = buffer;
    segment->kind = kind;
    segment->size = size;
    return segment;
}

struct segment *segment_refer(struct send_pools *pools, struct weir_buffer *buffer,
                              const uint8_t *bytes, size_t size)
{
    struct segment *segment = take_reference(pools, buffer, SEGMENT_REFERENCE, size);
    if (segment)
        segment->bytes = bytes;
    return segment;
}

struct segment *segment_of_file(struct send_pools *pools, struct weir_buffer *owner, int fd,
                                uint64_t offset, size_t size)
{
    struct segment *segment = take_reference(pools, owner, SEGMENT_FILE, size);
    if (segment) {
        segment->fd = fd;
        segment->offset = offset;
    }
    return segment;
}

static void give_back(struct segment **pool, uint32_t *count, struct segment *segment)
{
    if (*count == POOL_LIMIT) {
        memory_free(segment);
        return;
    }
    segment->next = *pool;
    *pool = segment;
    ++*count;
}

void segment_drop_rights(struct segment *segment)
{
    if (segment->rights)
        buffer_release(segment->rights);
    segment->rights = NULL;
}

void segment_free(struct send_pools *pools, struct segment *segment)
{
    if (segment->buffer)
        buffer_release(segment->buffer);
    segment_drop_rights(segment);
    if (segment->capacity == 0)
        give_back(&pools->references, &pools->reference_count, segment);
    else if (segment->capacity == SMALL_SIZE)
        give_back(&pools->small, &pools->small_count, segment);
    else if (segment->capacity == LARGE_SIZE)
        give_back(&pools->large, &pools->large_count, segment);
    else
        memory_free(segment);
}
