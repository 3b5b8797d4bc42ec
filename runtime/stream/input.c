/* SPDX-License-Identifier: MIT */
#include "runtime/stream/input.h"

#include <errno.h>
#include <string.h>

#include "base/check.h"
#include "runtime/buffer/buffer.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/stream/shelf.h"
#include "runtime/stream/stream.h"

/* From MOVED_BY_PAGES on the allocator lets the kernel move a block that grows. */
enum { SMALLEST_BLOCK = 256, MOVED_BY_PAGES = 128 << 10 };

size_t input_size(const struct stream *stream)
{
    return stream->input ? stream->input->end - stream->input->start : 0;
}

/* What has come, times two at most, whatever the packet claims to be: peers that claim 4 MiB and
 * send ten bytes would have cost a huge page each. */
static size_t block_size_for(size_t needed, size_t size)
{
    size_t capacity = size > SMALLEST_BLOCK / 2 ? 2 * size : SMALLEST_BLOCK;
    return needed >= size && needed < capacity ? needed : capacity;
}

/* A block of the packet's own size that was used before costs nothing that is not there already. */
static struct weir_buffer *new_block(struct begun_packet begun, size_t size)
{
    struct weir_buffer *used =
        begun.needed >= INPUT_DIRECT_FROM_BYTES ? buffer_reuse(begun.needed) : NULL;
    struct weir_buffer *block = used ? used : buffer_allocate(block_size_for(begun.needed, size));
    if (block)
        block->begun = begun;
    return block;
}

static struct weir_buffer *larger_block(struct scheduler *scheduler, struct stream *stream,
                                        size_t size)
{
    struct weir_buffer *old = stream->input;
    const uint8_t *bytes = old->bytes;
    size_t held = input_size(stream);
    struct weir_buffer *block =
        old->start == 0 ? buffer_grow(old, block_size_for(old->begun.needed, size)) : NULL;
    if (block) {
        scheduler->totals.copied_bytes += block->bytes != bytes && held < MOVED_BY_PAGES ? held : 0;
        return block;
    }
    block = new_block(old->begun, size);
    if (!block)
        return NULL;
    memcpy(block->bytes, bytes + old->start, held);
    block->shelf = old->shelf;
    scheduler->totals.copied_bytes += held;
    buffer_release(old);
    return block;
}

/* A block that somebody keeps a packet of may be appended to, never moved within. */
static int make_room(struct scheduler *scheduler, struct stream *stream, size_t size,
                     struct begun_packet begun)
{
    struct weir_buffer *old = stream->input;
    size_t held = input_size(stream);
    if (old && old->capacity - old->end >= size)
        return 0;
    struct weir_buffer *block =
        old ? larger_block(scheduler, stream, held + size) : new_block(begun, size);
    if (!block)
        return -ENOMEM;
    stream->input = block;
    block->start = 0;
    block->end = (uint32_t)held;
    return 0;
}

int input_append(struct scheduler *scheduler, struct stream *stream, struct framing_span bytes,
                 struct begun_packet begun)
{
    int result = make_room(scheduler, stream, bytes.size, begun);
    if (result < 0)
        return result;
    memcpy(stream->input->bytes + stream->input->end, bytes.bytes, bytes.size);
    stream->input->end += (uint32_t)bytes.size;
    stream->input->begun = begun;
    scheduler->totals.copied_bytes += bytes.size;
    CHECK_LE(stream->input->end, stream->input->capacity);
    return 0;
}

void input_consume(struct stream *stream, size_t size)
{
    CHECK_LE(size, input_size(stream));
    stream->input->start += (uint32_t)size;
    if (input_size(stream) == 0)
        input_drop(stream);
}

void input_take_back(struct stream *stream, size_t size)
{
    CHECK_LE(size, input_size(stream));
    if (size == 0) /* all of it was framed, and the block is gone */
        return;
    stream->input->end -= (uint32_t)size;
    if (input_size(stream) == 0)
        input_drop(stream);
}

void input_settle(struct stream *stream)
{
    size_t taken = shelf_take_back(stream);
    if (taken > 0)
        input_consume(stream, taken);
}

void input_drop(struct stream *stream)
{
    input_settle(stream);
    if (stream->input)
        buffer_release(stream->input);
    stream->input = NULL;
}

void input_forget_begun(struct stream *stream)
{
    if (stream->input)
        stream->input->begun = (struct begun_packet){0};
}

void input_forget_needed(struct stream *stream)
{
    if (stream->input)
        stream->input->begun.needed = 0;
}

size_t input_missing(const struct stream *stream)
{
    size_t held = input_size(stream);
    size_t needed = input_begun(stream).needed;
    return needed > held ? needed - held : 0;
}

bool input_wants_direct(const struct stream *stream)
{
    return stream->input && input_missing(stream) >= INPUT_DIRECT_FROM_BYTES / 2 &&
           stream->input->begun.needed >= INPUT_DIRECT_FROM_BYTES;
}

size_t input_direct_room(struct scheduler *scheduler, struct stream *stream)
{
    if (make_room(scheduler, stream, 1, stream->input->begun) < 0)
        return 0;
    size_t room = stream->input->capacity - stream->input->end;
    size_t missing = input_missing(stream);
    return room < missing ? room : missing;
}
