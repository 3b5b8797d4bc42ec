/* SPDX-License-Identifier: MIT */
#include "sim/accepting.h"

#include <errno.h>

#include "runtime/ring/ring.h"
#include "sim/dice.h"
#include "sim/link.h"
#include "sim/local.h"
#include "sim/operation.h"
#include "sim/ring_sim.h"
#include "sim/trace.h"

void accepting_queue(uint32_t listener, uint32_t link)
{
    const struct file *file = &kernel.files[listener];
    struct file *backlog = local_backlog(file);
    if (backlog->link == NO_LINK)
        backlog->link = link;
    else
        links[backlog->last].next = link;
    backlog->last = link;
    backlog->waiting++;
}

static int accept_error(void)
{
    static const int errors[] = {EINTR, ENOMEM, ENFILE, ECONNABORTED, ENOBUFS};
    return -errors[dice_below(5)];
}

/* The first of the backlog has this descriptor from now on. */
static uint32_t take(const struct file *listener, int fd)
{
    struct file *backlog = local_backlog(listener);
    struct file *stream = kernel_file(fd);
    uint32_t index = backlog->link;
    backlog->link = links[index].next;
    backlog->waiting--;
    stream->link = index;
    stream->local = listener->local;
    stream->name = listener->name;
    stream->error = links[index].reset ? ECONNRESET : links[index].error;
    kernel.accepted_count++;
    link_established(index, kernel_fd_index(fd));
    return index;
}

/* False: the operation has ended, or nobody waits. */
static bool accept_one(const struct file *file, struct op *op)
{
    if (!accepting_is_ready(file))
        return false;
    int fd = dice_chance(kernel.faults.transient) ? accept_error() : kernel_new_file(FILE_STREAM);
    if (fd < 0) {
        operation_complete(op, fd);
        return false;
    }
    uint32_t index = take(file, fd);
    bool goes_on =
        op->multishot && !ring_sim_is_full() && !dice_chance(kernel.faults.multishot_end);
    uint64_t user_data = op->user_data;
    trace("accept %llx: descriptor %lld for link %lld, more %lld", (int64_t)user_data, fd, index,
          goes_on);
    if (!goes_on)
        operation_finish(op);
    ring_sim_post(user_data, fd, goes_on ? RING_MORE : 0);
    return goes_on;
}

void accepting_do(struct file *listener, struct op *op)
{
    while (accept_one(listener, op))
        continue;
    if (op->kind == OP_ACCEPT && listener->never_waits)
        operation_complete(op, -EAGAIN);
}

bool accepting_is_ready(const struct file *listener)
{
    return local_backlog(listener)->link != NO_LINK;
}

int accepting_at_once(const struct file *listener)
{
    if (!accepting_is_ready(listener))
        return -EAGAIN;
    int fd = dice_chance(kernel.faults.call) ? -EMFILE : kernel_new_file(FILE_STREAM);
    if (fd < 0)
        return fd;
    uint32_t index = take(listener, fd);
    trace("descriptor %lld for link %lld is accepted by a call", fd, index, 0, 0);
    return fd;
}

void accepting_end(struct file *listener)
{
    if (local_leave_backlog(listener))
        return;
    while (listener->link != NO_LINK) {
        uint32_t index = listener->link;
        listener->link = links[index].next;
        links[index].reset = true;
        links[index].file_gone = true;
        link_release_if_over(index);
    }
}
