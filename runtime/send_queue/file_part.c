/* SPDX-License-Identifier: MIT */
#include "runtime/send_queue/file_part.h"

#include "runtime/buffer/buffer.h"
#include "runtime/send_queue/send_queue.h"

/* 64 and 256 KiB are no faster: docs/ARCHITECTURE.md. */
enum { PART_BYTES = 128 << 10 };

bool file_part_begin(struct send_queue *queue)
{
    const struct segment *file = send_queue_file(queue);
    size_t size = file->size < PART_BYTES ? file->size : PART_BYTES;
    queue->part = buffer_allocate(size);
    if (queue->part)
        send_queue_begin(queue, size);
    return queue->part != NULL;
}

static void remove_file(struct send_pools *pools, struct send_queue *queue, struct segment *file)
{
    if (queue->last == file)
        queue->last = queue->first;
    queue->first->next = file->next;
    segment_free(pools, file);
}

static bool put_before(struct send_pools *pools, struct send_queue *queue, size_t size)
{
    struct segment *file = queue->first;
    struct segment *part = segment_refer(pools, queue->part, queue->part->bytes, size);
    if (!part)
        return false;
    part->next = file;
    queue->first = part;
    file->begun = true;
    file->offset += size;
    file->size -= size;
    if (file->size == 0)
        remove_file(pools, queue, file);
    return true;
}

bool file_part_end(struct send_pools *pools, struct send_queue *queue, size_t size)
{
    send_queue_sent(pools, queue, 0);
    bool queued = size == 0 || put_before(pools, queue, size);
    buffer_release(queue->part);
    queue->part = NULL;
    return queued;
}

void file_part_give_up(struct send_pools *pools, struct send_queue *queue)
{
    struct segment *part = queue->first;
    struct segment *file = part->next;
    if (!file || !file->begun || part->lent)
        return;
    file->offset -= part->size;
    file->size += part->size;
    queue->first = file;
    segment_free(pools, part);
}
