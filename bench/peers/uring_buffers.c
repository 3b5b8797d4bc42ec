/* SPDX-License-Identifier: MIT */
#include "peers/uring_buffers.h"

#include "base/memory.h"
#include "common/fail.h"

static char *start_of(const struct uring_buffers *buffers, uint16_t index)
{
    return buffers->memory + index * buffers->stride;
}

static void register_ring(struct uring_buffers *buffers, struct io_uring *ring)
{
    buffers->ring = memory_map(buffers->count * sizeof(struct io_uring_buf));
    if (!buffers->ring)
        fail("out of memory");
    struct io_uring_buf_reg registration = {.ring_addr = (uint64_t)(uintptr_t)buffers->ring,
                                            .ring_entries = buffers->count};
    int error = io_uring_register_buf_ring(ring, &registration, 0);
    if (error < 0)
        fail_errno(error, "io_uring_register_buf_ring");
}

void uring_buffers_open(struct uring_buffers *buffers, struct io_uring *ring, unsigned count,
                        size_t bytes, size_t skew)
{
    if (count == 0 || count > 32768 || (count & (count - 1)) != 0)
        fail("--buffers: a power of two up to 32768");
    *buffers = (struct uring_buffers){
        .bytes = bytes,
        .stride = bytes + skew,
        .count = count,
        .memory = memory_map(count * (bytes + skew)),
        .buffers = memory_allocate_zeroed(count, sizeof(struct uring_buffer)),
        .at = memory_allocate_zeroed(count, sizeof(uint16_t)),
    };
    if (!buffers->memory || !buffers->buffers || !buffers->at)
        fail("out of memory");
    register_ring(buffers, ring);
    for (unsigned index = 0; index < count; index++)
        uring_buffers_return(buffers, (uint16_t)index);
    uring_buffers_publish(buffers);
}

void uring_buffers_return(struct uring_buffers *buffers, uint16_t index)
{
    uint16_t position = buffers->tail++ & (buffers->count - 1);
    struct io_uring_buf *entry = &buffers->ring->bufs[position];
    entry->addr = (uint64_t)(uintptr_t)start_of(buffers, index);
    entry->len = (uint32_t)buffers->bytes;
    entry->bid = index;
    buffers->buffers[index].position = position;
    buffers->at[position] = index;
}

bool uring_buffers_publish(struct uring_buffers *buffers)
{
    if (buffers->tail == buffers->published)
        return false;
    io_uring_smp_store_release(&buffers->ring->tail, buffers->tail);
    buffers->published = buffers->tail;
    return true;
}

void uring_queue_init(struct uring_queue *queue)
{
    *queue = (struct uring_queue){.head = URING_BUFFER_NONE, .tail = URING_BUFFER_NONE};
}

static void append_one(struct uring_queue *queue, struct uring_buffers *buffers, uint16_t index)
{
    buffers->buffers[index].next = URING_BUFFER_NONE;
    if (queue->head == URING_BUFFER_NONE)
        queue->head = index;
    else
        buffers->buffers[queue->tail].next = index;
    queue->tail = index;
}

void uring_queue_append(struct uring_queue *queue, struct uring_buffers *buffers, uint16_t first,
                        size_t size)
{
    unsigned position = buffers->buffers[first].position;
    while (size > 0) {
        uint16_t index = buffers->at[position++ & (buffers->count - 1)];
        size_t filled = size < buffers->bytes ? size : buffers->bytes;
        buffers->buffers[index].filled = (uint32_t)filled;
        append_one(queue, buffers, index);
        size -= filled;
    }
}

static void drop_head(struct uring_queue *queue, struct uring_buffers *buffers)
{
    uint16_t index = queue->head;
    queue->head = buffers->buffers[index].next;
    queue->sent = 0;
    uring_buffers_return(buffers, index);
}

void uring_queue_drop(struct uring_queue *queue, struct uring_buffers *buffers, size_t size)
{
    while (size > 0) {
        size_t left = buffers->buffers[queue->head].filled - queue->sent;
        if (size < left) {
            queue->sent += (uint32_t)size;
            return;
        }
        size -= left;
        drop_head(queue, buffers);
    }
}

void uring_queue_drop_all(struct uring_queue *queue, struct uring_buffers *buffers)
{
    while (queue->head != URING_BUFFER_NONE)
        drop_head(queue, buffers);
}

unsigned uring_queue_parts(const struct uring_queue *queue, const struct uring_buffers *buffers,
                           struct iovec *parts, unsigned max)
{
    unsigned count = 0;
    size_t sent = queue->sent;
    for (uint16_t index = queue->head; index != URING_BUFFER_NONE;
         index = buffers->buffers[index].next) {
        char *start = start_of(buffers, index) + sent;
        size_t size = buffers->buffers[index].filled - sent;
        sent = 0;
        struct iovec *last = &parts[count - 1];
        if (count > 0 && (char *)last->iov_base + last->iov_len == start)
            last->iov_len += size;
        else if (count == max)
            break;
        else
            parts[count++] = (struct iovec){.iov_base = start, .iov_len = size};
    }
    return count;
}
