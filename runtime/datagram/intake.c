/* SPDX-License-Identifier: MIT */
#include "runtime/datagram/intake.h"

#include <errno.h>

#include "base/system.h"
#include "runtime/buffer/buffer.h"
#include "runtime/datagram/arrival.h"

enum { POOL_SHARE = 8 };

void intake_open(struct intake *intake, struct buffer_pool *pool)
{
    uint32_t share = pool->count / POOL_SHARE;
    intake->pool = pool;
    intake->most = share < INTAKE_MOST ? share : INTAKE_MOST;
}

void intake_open_blocks(struct intake *intake)
{
    intake->most = INTAKE_BLOCKS_MOST;
}

void intake_open_local(struct intake *intake, struct intake *lender)
{
    intake->most = INTAKE_BLOCKS_MOST;
    intake->lender = lender;
}

static struct weir_buffer *take_spare(struct intake *intake)
{
    struct weir_buffer *block = intake->spare;
    if (!block)
        return buffer_allocate(arrival_room(DATAGRAM_BYTES_MAX));
    intake->spare = block->next;
    intake->spare_count--;
    return block;
}

/* The pool's are freed with it. */
void intake_shut(struct intake *intake)
{
    for (uint32_t i = 0; i < intake->most && !intake->pool; i++)
        if (intake->buffers[i])
            buffer_release(intake->buffers[i]);
    while (intake->spare)
        buffer_release(take_spare(intake));
}

uint32_t intake_ready(struct intake *intake, uint32_t count)
{
    count = count < intake->most ? count : intake->most;
    for (uint32_t i = 0; i < count; i++) {
        if (intake->buffers[i])
            continue;
        struct intake *blocks = intake->lender ? intake->lender : intake;
        intake->buffers[i] = intake->pool ? buffer_pool_take(intake->pool) : take_spare(blocks);
        if (!intake->buffers[i])
            return i;
        arrival_ask(intake->buffers[i], intake->lender != NULL, &intake->headers[i].msg_hdr,
                    &intake->pieces[i]);
    }
    return count;
}

int intake_receive(struct intake *intake, int fd, uint32_t count)
{
    return count > 0 ? system_receive_messages(fd, intake->headers, count) : -ENOMEM;
}

bool intake_take(struct intake *intake, uint32_t index, size_t most, struct weir_buffer **buffer)
{
    const struct mmsghdr *header = &intake->headers[index];
    struct weir_buffer *taken = intake->buffers[index];
    bool read = intake->lender ? arrival_read_local(taken, &header->msg_hdr, header->msg_len, most)
                               : arrival_read(taken, &header->msg_hdr, header->msg_len, most);
    intake->buffers[index] = NULL;
    *buffer = taken;
    if (!read && taken->pool)
        buffer_dispatched(taken);
    else if (!read)
        intake_give_back(intake, taken);
    return read;
}

void intake_give_back(struct intake *intake, struct weir_buffer *block)
{
    if (intake->spare_count == INTAKE_BLOCKS_MOST ||
        atomic_load_explicit(&block->refs, memory_order_acquire) != 1) {
        buffer_release(block);
        return;
    }
    block->next = intake->spare;
    intake->spare = block;
    intake->spare_count++;
}
