/* SPDX-License-Identifier: MIT */
#include "sim/rights.h"

#include <errno.h>
#include <string.h>

#include "base/system.h"
#include "sim/dice.h"
#include "sim/kernel.h"
#include "sim/link.h"
#include "sim/model.h"
#include "sim/program.h"
#include "sim/trace.h"
#include <weir/error.h>
#include <weir/local.h>

enum { LINK_MOST = 64, PARCEL_MOST = 6, HELD_MOST = 64, LEAVING_MOST = 256 };

/* Descriptors that stand before a byte of a stream. */
struct parcel {
    uint32_t at;
    uint32_t end; /* of the bytes that they were sent with */
    uint32_t count;
};

struct passage {
    struct parcel coming[PARCEL_MOST];
    uint32_t coming_count;
    uint32_t come;            /* of those */
    uint32_t made;            /* descriptors, each with its number */
    uint32_t held[HELD_MOST]; /* that weir holds, in order */
    uint32_t held_count;
    bool lost; /* it is yet to be told so */
    struct parcel leaving[LEAVING_MOST];
    uint32_t leaving_count;
    uint32_t left;
};

static struct passage passages[LINK_MOST];

void rights_reset(void)
{
    memset(passages, 0, sizeof(passages));
}

uint32_t rights_capacity(void)
{
    return program_style.descriptors;
}

void rights_plan(uint32_t index)
{
    const struct link *link = &links[index];
    struct passage *passage = &passages[index];
    uint32_t at = 0;
    *passage = (struct passage){0};
    while (program_style.passes && passage->coming_count < PARCEL_MOST) {
        at += dice_below(link->in_size / 2 + 1);
        uint32_t end = at + dice_size(link->in_size + 1);
        if (end > link->in_size)
            break;
        passage->coming[passage->coming_count++] = (struct parcel){at, end, dice_size(RIGHTS_MOST)};
        at = end;
    }
}

/* The next of those that are not over. */
static struct parcel *next_of(struct passage *passage, uint32_t from)
{
    while (passage->come < passage->coming_count && passage->coming[passage->come].at < from)
        passage->come++;
    return passage->come < passage->coming_count ? &passage->coming[passage->come] : NULL;
}

uint32_t rights_limit(uint32_t index, uint32_t size)
{
    const struct link *link = &links[index];
    const struct parcel *next = link->local ? next_of(&passages[index], link->in_read) : NULL;
    bool is_reached = next && next->at < link->in_read + size;
    return is_reached && next->end < link->in_read + size ? next->end - link->in_read : size;
}

static int make(uint32_t link, uint32_t number)
{
    int fd = dice_chance(kernel.faults.call) ? -EMFILE : kernel_new_file(FILE_PASSED);
    if (fd < 0)
        return fd;
    kernel_file(fd)->link = link;
    kernel_file(fd)->last = number;
    return fd;
}

/* How many it has made: fewer than there are when the process may have no more, or has no room. */
static uint32_t make_all(uint32_t link, const struct parcel *parcel, struct msghdr *message)
{
    struct passage *passage = &passages[link];
    struct cmsghdr *control = CMSG_FIRSTHDR(message);
    uint32_t made = 0;
    for (; made < parcel->count; made++) {
        int fd = make(link, passage->made + made + 1);
        if (fd < 0)
            break;
        memcpy(CMSG_DATA(control) + made * sizeof(fd), &fd, sizeof(fd));
    }
    control->cmsg_level = SOL_SOCKET;
    control->cmsg_type = SCM_RIGHTS;
    control->cmsg_len = CMSG_LEN(made * sizeof(int));
    message->msg_controllen = made > 0 ? CMSG_SPACE(made * sizeof(int)) : 0;
    message->msg_flags |= made < parcel->count ? MSG_CTRUNC : 0;
    return made;
}

/* All of them are held, or none. */
static void hold(struct passage *passage, uint32_t made, bool all)
{
    uint32_t first = passage->made + 1;
    passage->made += made;
    if (!all || passage->lost || passage->held_count + made > rights_capacity()) {
        passage->lost = true;
        return;
    }
    SIM_CHECK(passage->held_count + made <= HELD_MOST, "more descriptors than the model knows of");
    for (uint32_t i = 0; i < made; i++)
        passage->held[passage->held_count++] = first + i;
}

void rights_give(uint32_t index, uint32_t from, struct msghdr *message)
{
    struct passage *passage = &passages[index];
    const struct parcel *next = next_of(passage, from);
    size_t room = message->msg_controllen;
    message->msg_flags = 0;
    if (!next || next->at >= links[index].in_read) {
        message->msg_controllen = 0;
        return;
    }
    SIM_CHECK(room >= CMSG_SPACE(next->count * sizeof(int)), "no room for descriptors");
    uint32_t made = make_all(index, next, message);
    trace("link %lld: %lld of %lld descriptors come", index, made, next->count, 0);
    hold(passage, made, made == next->count);
    passage->come++;
}

void rights_accepted(uint32_t index, uint32_t count)
{
    struct passage *passage = &passages[index];
    SIM_CHECK(passage->leaving_count - passage->left < LEAVING_MOST,
              "more descriptors leave than the model knows of");
    passage->leaving[passage->leaving_count++ % LEAVING_MOST] =
        (struct parcel){.at = links[index].out_size, .count = count};
}

/* Before the bytes that they go with. */
void rights_taken(uint32_t index, const int *descriptors, uint32_t count)
{
    struct passage *passage = &passages[index];
    const struct parcel *next = &passage->leaving[passage->left % LEAVING_MOST];
    trace("link %lld: %lld descriptors leave at %lld", index, count, links[index].out_taken, 0);
    SIM_CHECK(passage->left < passage->leaving_count && next->at == links[index].out_taken &&
                  next->count == count,
              "link %u: %u descriptors leave at %u, which were not sent there", index, count,
              links[index].out_taken);
    for (uint32_t i = 0; i < count; i++)
        SIM_CHECK(kernel_file(descriptors[i])->kind == FILE_REGULAR,
                  "descriptor %d is not what was sent", descriptors[i]);
    passage->left++;
}

static void check_taken(struct passage *passage, uint32_t index, const int *taken, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct file *file = kernel_file(taken[i]);
        SIM_CHECK(file->kind == FILE_PASSED && file->link == index &&
                      file->last == passage->held[i],
                  "link %u: descriptor %u of the peer is taken, not %u", index, file->last,
                  passage->held[i]);
        system_close(taken[i]);
    }
    passage->held_count -= count;
    memmove(passage->held, passage->held + count, passage->held_count * sizeof(passage->held[0]));
}

/* What is due. */
static int foresee(struct passage *passage, const struct conn *conn, uint32_t room)
{
    if (!model_live(conn->handle))
        return -EINVAL;
    if (passage->held_count == 0 && passage->lost) {
        passage->lost = false;
        return -ENOBUFS;
    }
    return (int)(passage->held_count < room ? passage->held_count : room);
}

void rights_take(struct conn *conn)
{
    int taken[HELD_MOST];
    uint32_t index = model_link(conn);
    struct passage *passage = &passages[index];
    uint32_t room = dice_chance(300) ? dice_size(HELD_MOST) : HELD_MOST;
    if (!links[index].local)
        return;
    int expected = foresee(passage, conn, room);
    int result = weir_local_take(conn->handle, taken, room);
    trace("link %lld: %lld descriptors are taken", index, result, 0, 0);
    SIM_CHECK(result == expected, "link %u: take gave %d, not %d", index, result, expected);
    if (result > 0)
        check_taken(passage, index, taken, (uint32_t)result);
}
