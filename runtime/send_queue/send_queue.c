/* SPDX-License-Identifier: MIT */
#include "runtime/send_queue/send_queue.h"

#include "base/canary.h"
#include "base/check.h"

static void check_marks(const struct send_queue *queue)
{
    CHECK_LE(queue->in_flight_bytes, queue->queued_bytes);
}

static void free_chain(struct send_pools *pools, struct segment *segment)
{
    while (segment) {
        struct segment *next = segment->next;
        segment_free(pools, segment);
        segment = next;
    }
}

void send_queue_close(struct send_pools *pools, struct send_queue *queue)
{
    CHECK_EQ(queue->in_flight_bytes, 0u);
    CHECK_EQ(queue->notices, 0u);
    free_chain(pools, queue->first);
}

/* What a zero-copy send has had stays until its notice comes. */
static void let_go(struct send_pools *pools, struct send_queue *queue, struct segment *segment)
{
    if (!segment->lent || queue->notices == 0 || CANARY(IGNORED_NOTICE)) {
        segment_free(pools, segment);
        return;
    }
    segment->next = queue->unconfirmed;
    queue->unconfirmed = segment;
}

/* The kernel reads what is in flight until the operation completes: those segments stay, without
 * what was put behind it since. */
void send_queue_drop(struct send_pools *pools, struct send_queue *queue)
{
    struct segment **link = &queue->first;
    size_t kept_bytes = 0;
    queue->last = NULL;
    while (*link && kept_bytes < queue->in_flight_bytes) {
        queue->last = *link;
        if (queue->last->size > queue->in_flight_bytes - kept_bytes)
            queue->last->size = queue->in_flight_bytes - kept_bytes;
        kept_bytes += queue->last->size;
        link = &queue->last->next;
    }
    struct segment *rest = *link;
    *link = NULL;
    while (rest) {
        struct segment *next = rest->next;
        let_go(pools, queue, rest);
        rest = next;
    }
    queue->queued_bytes = kept_bytes;
    queue->flushing = kept_bytes > 0 ? FLUSHING_DROPPED : FLUSHING_NOT;
    check_marks(queue);
}

static void link_last(struct send_queue *queue, struct segment *segment)
{
    if (queue->last)
        queue->last->next = segment;
    else
        queue->first = segment;
    queue->last = segment;
}

static bool has_room(const struct segment *segment, size_t size)
{
    return segment && segment->kind == SEGMENT_COPY &&
           segment->bytes + segment->size + size <= segment->storage + segment->capacity;
}

uint8_t *send_queue_room(struct send_pools *pools, struct send_queue *queue, size_t size)
{
    if (!has_room(queue->last, size)) {
        struct segment *segment = segment_take(pools, size);
        if (!segment)
            return NULL;
        link_last(queue, segment);
    }
    return (uint8_t *)queue->last->bytes + queue->last->size;
}

void send_queue_link(struct send_queue *queue, struct segment *segment)
{
    link_last(queue, segment);
    queue->queued_bytes += segment->size;
}

void send_queue_begin(struct send_queue *queue, size_t size)
{
    CHECK_EQ(queue->flushing, FLUSHING_NOT);
    queue->flushing = FLUSHING_IN_FLIGHT;
    queue->in_flight_bytes = size;
    check_marks(queue);
}

size_t send_queue_gather(struct send_queue *queue, struct iovec *pieces, size_t count)
{
    size_t used = 0;
    size_t size = 0;
    for (struct segment *s = queue->first; s && used < count; s = s->next) {
        if (s->kind == SEGMENT_FILE || (s->rights && used > 0))
            break;
        pieces[used].iov_base = (void *)s->bytes;
        pieces[used].iov_len = s->size;
        size += s->size;
        used++;
    }
    if (CANARY(REORDERED_SENDS) && used > 1) {
        const struct iovec second = pieces[1];
        pieces[1] = pieces[0];
        pieces[0] = second;
    }
    if (used > 0)
        send_queue_begin(queue, size);
    return used;
}

void send_queue_lend(struct send_queue *queue)
{
    size_t left = queue->in_flight_bytes;
    for (struct segment *s = queue->first; left > 0; s = s->next) {
        s->lent = true;
        left -= s->size;
    }
    queue->unconfirmed_bytes += queue->in_flight_bytes;
    queue->zero_copy = true;
    queue->notices++;
}

void send_queue_noticed(struct send_pools *pools, struct send_queue *queue)
{
    CHECK_GT(queue->notices, 0u);
    if (--queue->notices > 0)
        return;
    free_chain(pools, queue->unconfirmed);
    queue->unconfirmed = NULL;
    queue->unconfirmed_bytes = 0;
}

/* A segment that is sent whole but is the last still has storage for what comes next; it is given
 * up all the same, since the queue may stay idle for long. */
void send_queue_sent(struct send_pools *pools, struct send_queue *queue, size_t size)
{
    CHECK_LE(size, queue->in_flight_bytes);
    queue->in_flight_bytes = 0;
    queue->flushing = FLUSHING_NOT;
    queue->zero_copy = false;
    queue->queued_bytes -= size;
    while (queue->first && size >= queue->first->size) {
        struct segment *segment = queue->first;
        size -= segment->size;
        queue->first = segment->next;
        let_go(pools, queue, segment);
    }
    if (!queue->first)
        queue->last = NULL;
    if (size == 0)
        return;
    segment_drop_rights(queue->first);
    queue->first->bytes += size;
    queue->first->size -= size;
}
