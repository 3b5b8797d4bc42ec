/* SPDX-License-Identifier: MIT */
#include "sim/at_once.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "sim/dice.h"
#include "sim/link.h"
#include "sim/model.h"
#include "sim/rights.h"
#include "sim/trace.h"

bool at_once_readable(const struct file *file)
{
    const struct link *link = &links[file->link];
    return link->in_read < link->in_written || file->error || link->reset || link->in_fin ||
           file->shut_read;
}

/* What there is instead of bytes. */
static int end_of(struct file *file)
{
    int error = -file->error;
    const struct link *link = &links[file->link];
    file->error = 0;
    if (error)
        return error;
    return link->reset || link->in_fin || file->shut_read ? 0 : -EAGAIN;
}

ssize_t at_once_receive(uint32_t index, void *bytes, size_t size, int flags)
{
    struct file *file = &kernel.files[index];
    struct link *link = &links[file->link];
    SIM_CHECK(flags & MSG_DONTWAIT, "a call that waits for bytes");
    size_t there = link->in_written - link->in_read;
    if (there == 0)
        return end_of(file);
    size = size < there ? size : there;
    memcpy(bytes, link->in + link->in_read, size);
    if (flags & MSG_PEEK)
        return (ssize_t)size;
    link->in_read += (uint32_t)size;
    trace("link %lld: %lld bytes are received by a call", file->link, (int64_t)size, 0, 0);
    link_was_read(file->link);
    return (ssize_t)size;
}

/* As much as there is, or as goes with the descriptors that come with it. */
static uint32_t read_into(uint32_t index, const struct iovec *piece)
{
    struct link *link = &links[index];
    uint32_t there = link->in_written - link->in_read;
    uint32_t size = piece->iov_len < there ? (uint32_t)piece->iov_len : there;
    if (dice_chance(kernel.faults.short_read))
        size = dice_between(1, size);
    size = rights_limit(index, size);
    memcpy(piece->iov_base, link->in + link->in_read, size);
    link->in_read += size;
    return size;
}

int at_once_receive_message(uint32_t index, struct mmsghdr *message)
{
    static const int errors[] = {EINTR, EAGAIN, ENOMEM};
    struct file *file = &kernel.files[index];
    const struct link *link = &links[file->link];
    uint32_t from = link->in_read;
    if (dice_chance(kernel.faults.transient))
        return -errors[dice_below(3)];
    if (from == link->in_written) {
        message->msg_len = 0;
        message->msg_hdr.msg_controllen = 0;
        int end = end_of(file);
        return end < 0 ? end : 1;
    }
    message->msg_len = read_into(file->link, message->msg_hdr.msg_iov);
    rights_give(file->link, from, &message->msg_hdr);
    trace("link %lld: a message of %lld bytes is received", file->link, message->msg_len, 0, 0);
    model_received_by_call(file->link);
    link_was_read(file->link);
    return 1;
}
