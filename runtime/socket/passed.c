/* SPDX-License-Identifier: MIT */
#include "runtime/socket/passed.h"

#include <errno.h>
#include <string.h>

#include "base/canary.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/system.h"
#include "options/option_block.h"
#include "runtime/scheduler/scheduler.h"

enum { PIDFD = 4 }; /* SCM_PIDFD, of 6.5: who sets {raw,_,SO_PASSPIDFD,_} is sent descriptors too */

static uint32_t wanted_most(const struct slot *slot)
{
    return slot->family == WEIR_LOCAL ? slot->options->values.descriptors : 0;
}

bool passed_is_wanted(const struct slot *slot)
{
    return wanted_most(slot) > 0;
}

/* It never shrinks: what is in it stays, whatever the option says later. */
struct passed *passed_ready(struct scheduler *scheduler, const struct slot *slot)
{
    struct passed *passed = slot_note(&scheduler->passed, slot);
    uint32_t most = wanted_most(slot);
    if (passed && passed->capacity >= most)
        return passed;
    size_t size = sizeof(*passed) + most * sizeof(passed->descriptors[0]);
    struct passed *larger = memory_resize(passed, size);
    if (!larger)
        return NULL;
    if (!passed)
        *larger = (struct passed){0};
    larger->capacity = most;
    if (slot_notes_set(&scheduler->passed, slot, larger) == 0)
        return larger;
    memory_free(larger);
    return NULL;
}

static bool has_room(const struct passed *passed)
{
    return passed && !passed->lost && passed->count < passed->capacity;
}

/* How many were taken up of those of one control message. */
static uint32_t add(struct passed *passed, const struct cmsghdr *control)
{
    uint32_t added = 0;
    const uint8_t *from = CMSG_DATA(control);
    const uint8_t *end = (const uint8_t *)control + control->cmsg_len;
    for (; from + sizeof(int) <= end; from += sizeof(int)) {
        int descriptor;
        memcpy(&descriptor, from, sizeof(descriptor));
        if (!has_room(passed)) {
            system_close(descriptor);
            continue;
        }
        passed->descriptors[passed->count++] = descriptor;
        added++;
    }
    return added;
}

static uint32_t count_of(const struct cmsghdr *control)
{
    return (uint32_t)((control->cmsg_len - CMSG_LEN(0)) / sizeof(int));
}

static void drop_last(struct passed *passed, uint32_t count)
{
    for (; count > 0; count--)
        system_close(passed->descriptors[--passed->count]);
}

int passed_read(struct passed *passed, const struct msghdr *message)
{
    struct msghdr *there = (struct msghdr *)message;
    struct cmsghdr *control = CMSG_FIRSTHDR(there);
    bool lost = message->msg_flags & MSG_CTRUNC;
    uint32_t added = 0;
    for (; control; control = CMSG_NXTHDR(there, control)) {
        bool is_rights = control->cmsg_type == SCM_RIGHTS;
        if (control->cmsg_level != SOL_SOCKET || (!is_rights && control->cmsg_type != PIDFD))
            continue;
        uint32_t taken = add(is_rights ? passed : NULL, control);
        lost |= is_rights && taken < count_of(control);
        added += taken;
    }
    if (!lost)
        return (int)added;
    if (passed)
        drop_last(passed, added);
    return -1;
}

/* Who owned the socket may have taken some, or closed it. */
void passed_lose(struct scheduler *scheduler, const struct slot *slot, uint32_t count)
{
    struct passed *passed = slot_note(&scheduler->passed, slot);
    if (passed)
        drop_last(passed, count < passed->count ? count : passed->count);
}

void passed_drop(struct scheduler *scheduler, const struct slot *slot)
{
    struct passed *passed = slot_note(&scheduler->passed, slot);
    if (!passed)
        return;
    (void)slot_notes_set(&scheduler->passed, slot, NULL);
    drop_last(passed, CANARY(LEAKED_DESCRIPTOR) ? 0 : passed->count);
    memory_free(passed);
}

int passed_take(struct scheduler *scheduler, const struct slot *slot, int *descriptors, size_t room)
{
    struct passed *passed = slot_note(&scheduler->passed, slot);
    if (!passed)
        return 0;
    if (passed->count == 0 && passed->lost) {
        passed->lost = false;
        return error_say(-ENOBUFS, "descriptors of the peer have been lost: more than "
                                   "{descriptors,_} or the process has room for");
    }
    uint32_t count = room < passed->count ? (uint32_t)room : passed->count;
    memcpy(descriptors, passed->descriptors, count * sizeof(descriptors[0]));
    passed->count -= count;
    memmove(passed->descriptors, passed->descriptors + count,
            passed->count * sizeof(descriptors[0]));
    return (int)count;
}
