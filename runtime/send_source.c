/* SPDX-License-Identifier: MIT */
#include "runtime/send_source.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "runtime/buffer.h"
#include "runtime/segment.h"
#include "runtime/send_queue.h"

/* From here on bytes are sent from where they lie; below, a copy is cheaper than a reference. */
enum { REFER_FROM_BYTES = 4096 };

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

int send_source_enqueue(const struct send_source *source, struct send_pools *pools,
                        struct send_queue *queue, const uint8_t *header, size_t header_size)
{
    bool is_file = !source->pieces && source->size > 0;
    if (is_file ||
        (source->buffer && source->size >= REFER_FROM_BYTES && buffer_may_be_held(source->buffer)))
        return refer(source, pools, queue, header, header_size);
    return copy(pools, queue, header, header_size, source);
}
