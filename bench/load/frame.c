/* SPDX-License-Identifier: MIT */
#include "load/frame.h"

#include "base/memory.h"
#include "common/fail.h"

#include <stdbool.h>
#include <string.h>

enum { SAMPLE_EVERY = 64, MARK_BYTES = 8 };

static uint64_t mark_of(struct frame_place place, unsigned index)
{
    return (place.number + index) ^ (place.connection + 1) * UINT64_C(0x9e3779b97f4a7c15);
}

static bool sampled(struct frame_place place, unsigned index)
{
    return (place.number + index) % SAMPLE_EVERY == 0;
}

static void write_frame(struct frame_batch *batch, unsigned index, size_t payload_bytes)
{
    char *frame = batch->bytes + index * batch->frame_bytes;
    for (size_t at = 0; at < batch->header_bytes; at++)
        frame[at] = (char)(payload_bytes >> 8 * (batch->header_bytes - 1 - at));
    for (size_t at = batch->header_bytes; at < batch->frame_bytes; at++)
        frame[at] = (char)(at * 131 + at / 251);
}

void frame_batch_open(struct frame_batch *batch, size_t payload_bytes, size_t header_bytes,
                      unsigned depth)
{
    size_t frame_bytes = header_bytes + payload_bytes;
    *batch = (struct frame_batch){
        .frame_bytes = frame_bytes,
        .batch_bytes = frame_bytes * depth,
        .header_bytes = header_bytes,
        .mark_bytes = payload_bytes < MARK_BYTES ? payload_bytes : MARK_BYTES,
        .depth = depth,
        .bytes = memory_map(frame_bytes * depth),
    };
    if (!batch->bytes)
        fail("out of memory");
    for (unsigned index = 0; index < depth; index++)
        write_frame(batch, index, payload_bytes);
}

void frame_batch_mark(struct frame_batch *batch, struct frame_place place)
{
    char *frame = batch->bytes + batch->header_bytes;
    for (unsigned index = 0; index < batch->depth; index++, frame += batch->frame_bytes) {
        uint64_t mark = mark_of(place, index);
        memcpy(frame, &mark, batch->mark_bytes);
    }
}

/* Compares the part of [offset, offset + size) that lies in the head of a frame. */
static void verify_head(const struct frame_batch *batch, uint64_t mark, size_t offset,
                        const char *bytes, size_t size)
{
    char head[2 * MARK_BYTES];
    size_t head_bytes = batch->header_bytes + batch->mark_bytes;
    if (offset >= head_bytes)
        return;
    memcpy(head, batch->bytes, batch->header_bytes);
    memcpy(head + batch->header_bytes, &mark, batch->mark_bytes);
    size_t compared = head_bytes - offset < size ? head_bytes - offset : size;
    if (memcmp(head + offset, bytes, compared) != 0)
        fail("a reply differs at byte %zu of its frame", offset);
}

static void verify_body(const struct frame_batch *batch, size_t offset, const char *bytes,
                        size_t size)
{
    size_t head_bytes = batch->header_bytes + batch->mark_bytes;
    size_t skipped = offset < head_bytes ? head_bytes - offset : 0;
    if (skipped >= size)
        return;
    if (memcmp(batch->bytes + offset + skipped, bytes + skipped, size - skipped) != 0)
        fail("a reply differs after byte %zu of its frame", offset + skipped);
}

unsigned frame_batch_verify(const struct frame_batch *batch, struct frame_place place,
                            size_t offset, const char *bytes, size_t size)
{
    unsigned index = (unsigned)(offset / batch->frame_bytes), completed = 0;
    offset %= batch->frame_bytes;
    while (size > 0) {
        size_t left = batch->frame_bytes - offset;
        size_t part = left < size ? left : size;
        verify_head(batch, mark_of(place, index), offset, bytes, part);
        if (sampled(place, index))
            verify_body(batch, offset, bytes, part);
        completed += part == left;
        index++;
        offset = 0;
        bytes += part;
        size -= part;
    }
    return completed;
}

size_t frame_batch_unread_bytes(const struct frame_batch *batch, struct frame_place place,
                                size_t offset)
{
    unsigned index = (unsigned)(offset / batch->frame_bytes);
    offset %= batch->frame_bytes;
    bool compared = sampled(place, index) || offset < batch->header_bytes + batch->mark_bytes;
    return compared ? 0 : batch->frame_bytes - offset;
}
