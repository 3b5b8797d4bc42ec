/* SPDX-License-Identifier: MIT */
#include "runtime/send_queue/send_source.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/bytes.h"
#include "runtime/buffer/buffer.h"
#include "runtime/send_queue/segment.h"
#include "runtime/send_queue/send_queue.h"

static int copy(struct send_pools *pools, struct send_queue *queue, const uint8_t *header,
                size_t header_size, const struct send_source *source)
{
    size_t size = header_size + source->size;
    if (size == 0)
        return 0;
    uint8_t *place = send_queue_room(pools, queue, size);
    if (!place)
        return -ENOMEM;
    for (size_t i = 0; i < header_size; i++)
        *place++ = header[i];
    for (size_t i = 0; i < source->count; i++) {
        if (source->pieces[i].iov_len == 0) /* may be of no memory */
            continue;
        memcpy(place, source->pieces[i].iov_base, source->pieces[i].iov_len);
        place += source->pieces[i].iov_len;
    }
    send_queue_grow(queue, size);
    return 0;
}

/* A segment of its own: they go with its first byte. */
static int copy_with_rights(struct send_pools *pools, struct send_queue *queue,
                            const uint8_t *header, size_t header_size,
                            const struct send_source *source)
{
    struct segment *segment = segment_take(pools, header_size + source->size);
    if (!segment)
        return -ENOMEM;
    buffer_keep(source->rights);
    segment->rights = source->rights;
    send_queue_link(queue, segment);
    return copy(pools, queue, header, header_size, source);
}

/* The header first, as a copy; it is what may fail, so nothing else is appended before it. */
static int link_behind_header(struct send_pools *pools, struct send_queue *queue,
                              const uint8_t *header, size_t header_size, struct segment *segment)
{
    const struct send_source nothing = {0};
    if (!segment)
        return -ENOMEM;
    int result = copy(pools, queue, header, header_size, &nothing);
    if (result == 0)
        send_queue_link(queue, segment);
    return result;
}

static int refer(const struct send_source *source, struct send_pools *pools,
                 struct send_queue *queue, const uint8_t *header, size_t header_size)
{
    struct segment *segment =
        source->pieces
            ? segment_refer(pools, source->buffer, source->pieces[0].iov_base, source->size)
            : segment_of_file(pools, source->buffer, source->fd, source->offset, source->size);
    int result = link_behind_header(pools, queue, header, header_size, segment);
    if (result < 0 && segment)
        segment_free(pools, segment);
    return result;
}

/* Four bytes are the usual case, and one comparison. */
static bool is_same(const uint8_t *a, const uint8_t *b, size_t size)
{
    if (size == sizeof(uint32_t))
        return bytes_read_be32(a) == bytes_read_be32(b);
    for (size_t i = 0; i < size; i++)
        if (a[i] != b[i])
            return false;
    return true;
}

/* Whether the same header stands before the bytes in their buffer: a packet that goes out in the
 * framing that it came in. */
static bool has_header(const struct send_source *source, const uint8_t *header, size_t header_size)
{
    const uint8_t *bytes = source->pieces[0].iov_base;
    size_t before = (size_t)(bytes - source->buffer->bytes);
    if (before < header_size || before >= source->buffer->capacity)
        return header_size == 0;
    return is_same(bytes - header_size, header, header_size);
}

/* Packets that follow each other in one buffer leave as one piece. */
static bool extend_last(struct send_queue *queue, const struct weir_buffer *buffer,
                        const uint8_t *bytes, size_t size)
{
    const struct segment *last = queue->last;
    if (!last || last->kind != SEGMENT_REFERENCE || last->buffer != buffer ||
        last->bytes + last->size != bytes)
        return false;
    send_queue_grow(queue, size);
    return true;
}

static int refer_with_header(const struct send_source *source, struct send_pools *pools,
                             struct send_queue *queue, const uint8_t *bytes, size_t size)
{
    struct segment *segment = segment_refer(pools, source->buffer, bytes, size);
    if (!segment)
        return -ENOMEM;
    send_queue_link(queue, segment);
    return 0;
}

int send_source_enqueue(const struct send_source *source, struct send_pools *pools,
                        struct send_queue *queue, const uint8_t *header, size_t header_size)
{
    if (source->rights)
        return copy_with_rights(pools, queue, header, header_size, source);
    if (!source->pieces && source->size > 0)
        return refer(source, pools, queue, header, header_size);
    if (!source->buffer || source->size == 0)
        return copy(pools, queue, header, header_size, source);
    const uint8_t *bytes = source->pieces[0].iov_base;
    bool as_it_came = has_header(source, header, header_size);
    if (as_it_came &&
        extend_last(queue, source->buffer, bytes - header_size, source->size + header_size))
        return 0;
    if (!buffer_may_be_held(source->buffer, bytes, source->size))
        return copy(pools, queue, header, header_size, source);
    if (as_it_came)
        return refer_with_header(source, pools, queue, bytes - header_size,
                                 source->size + header_size);
    return refer(source, pools, queue, header, header_size);
}
