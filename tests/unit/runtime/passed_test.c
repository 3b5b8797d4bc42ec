/* SPDX-License-Identifier: MIT */
/* Descriptors that have come: whose they are, and that none is left open by whom it is lost. */
#include "runtime/socket/passed.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/memory.h"
#include "options/option_block.h"
#include "runtime/scheduler/scheduler.h"

enum { MOST = 8, PIDFD = 4, ROOM = 4 };

static struct scheduler scheduler;
static struct option_block block = {.refs = 1};
static struct slot slot = {.index = 70, .family = WEIR_LOCAL, .options = &block};

/* What the kernel would have brought. */
struct brought {
    int descriptors[MOST];
    uint32_t count;
    struct msghdr message;
    union {
        struct cmsghdr header;
        uint8_t bytes[512];
    } control;
};

static void bring(struct brought *brought, int level, int type, uint32_t count)
{
    size_t at = brought->message.msg_controllen;
    struct cmsghdr *header = (struct cmsghdr *)(brought->control.bytes + at);
    int *descriptors = &brought->descriptors[brought->count];
    for (uint32_t i = 0; i < count; i++)
        cr_assert_geq(descriptors[i] = eventfd(0, EFD_CLOEXEC), 0);
    *header = (struct cmsghdr){CMSG_LEN(count * sizeof(int)), level, type};
    memcpy(CMSG_DATA(header), descriptors, count * sizeof(int));
    brought->count += count;
    brought->message.msg_control = brought->control.bytes;
    brought->message.msg_controllen = at + CMSG_SPACE(count * sizeof(int));
}

static bool is_open(int descriptor)
{
    return fcntl(descriptor, F_GETFD) >= 0;
}

static uint32_t open_count(const int *descriptors, uint32_t count)
{
    uint32_t open = 0;
    for (uint32_t i = 0; i < count; i++)
        open += is_open(descriptors[i]);
    return open;
}

static void close_all(const struct brought *brought)
{
    for (uint32_t i = 0; i < brought->count; i++)
        if (is_open(brought->descriptors[i]))
            close(brought->descriptors[i]);
}

/* A queue with room for ROOM. */
static struct passed *ready(void)
{
    block.values.descriptors = ROOM;
    struct passed *passed = passed_ready(&scheduler, &slot);
    cr_assert(passed && passed->count == 0 && passed->capacity == ROOM && !passed->lost);
    return passed;
}

static const struct {
    const char *name;
    int level;
    int type;
    uint32_t count;
    int flags;
    bool lost; /* something before */
    int result;
    uint32_t open;
} kinds[] = {
    {"all", SOL_SOCKET, SCM_RIGHTS, 3, 0, false, 3, 3},
    {"as many as fit", SOL_SOCKET, SCM_RIGHTS, ROOM, 0, false, ROOM, ROOM},
    {"one too many", SOL_SOCKET, SCM_RIGHTS, ROOM + 1, 0, false, -1, 0},
    {"after a loss", SOL_SOCKET, SCM_RIGHTS, 2, 0, true, -1, 0},
    {"cut by the kernel", SOL_SOCKET, SCM_RIGHTS, 2, MSG_CTRUNC, false, -1, 0},
    {"another flag", SOL_SOCKET, SCM_RIGHTS, 2, MSG_TRUNC, false, 2, 2},
    {"a process's", SOL_SOCKET, PIDFD, 1, 0, false, 0, 0},
    {"no descriptors", SOL_SOCKET, SCM_CREDENTIALS, 3, 0, false, 0, 3},
    {"of another level", IPPROTO_IP, SCM_RIGHTS, 2, 0, false, 0, 2},
};

Test(passed, are_kept_or_closed)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        struct brought brought = {.count = 0};
        struct passed *passed = ready();
        bring(&brought, kinds[i].level, kinds[i].type, kinds[i].count);
        brought.message.msg_flags = kinds[i].flags;
        passed->lost = kinds[i].lost;
        cr_expect_eq(passed_read(passed, &brought.message), kinds[i].result, "%s", kinds[i].name);
        uint32_t kept = kinds[i].result > 0 ? (uint32_t)kinds[i].result : 0;
        cr_expect_eq(passed->count, kept, "%s: %u", kinds[i].name, passed->count);
        uint32_t open = open_count(brought.descriptors, brought.count);
        cr_expect_eq(open, kinds[i].open, "%s: %u", kinds[i].name, open);
        passed_drop(&scheduler, &slot);
        cr_expect_null(slot_note(&scheduler.passed, &slot));
        open = open_count(brought.descriptors, brought.count);
        cr_expect_eq(open, kinds[i].open - kept, "%s: %u are left", kinds[i].name, open);
        close_all(&brought);
    }
}

Test(passed, that_nobody_wants_are_closed)
{
    struct brought brought = {.count = 0};
    cr_expect_eq(passed_read(NULL, &brought.message), 0);
    bring(&brought, SOL_SOCKET, SCM_RIGHTS, 2);
    cr_expect_eq(passed_read(NULL, &brought.message), -1);
    cr_expect_eq(open_count(brought.descriptors, 2), 0);
}

/* In messages of their own, with others' between. */
Test(passed, add_up)
{
    struct brought brought = {.count = 0};
    struct passed *passed = ready();
    bring(&brought, SOL_SOCKET, SCM_RIGHTS, 1);
    bring(&brought, SOL_SOCKET, PIDFD, 1);
    bring(&brought, SOL_SOCKET, SCM_RIGHTS, 2);
    cr_expect_eq(passed_read(passed, &brought.message), 3);
    cr_expect(passed->count == 3 && passed->descriptors[0] == brought.descriptors[0] &&
              passed->descriptors[2] == brought.descriptors[3]);
    cr_expect_eq(open_count(brought.descriptors, brought.count), 3);
    passed_drop(&scheduler, &slot);
}

/* A loss takes those that have come with it, and none that had come before. */
Test(passed, before_a_loss_stay)
{
    struct brought first = {.count = 0};
    struct brought second = {.count = 0};
    struct passed *passed = ready();
    bring(&first, SOL_SOCKET, SCM_RIGHTS, 2);
    bring(&second, SOL_SOCKET, SCM_RIGHTS, ROOM - 1);
    cr_assert_eq(passed_read(passed, &first.message), 2);
    cr_expect_eq(passed_read(passed, &second.message), -1);
    cr_expect_eq(open_count(second.descriptors, second.count), 0);
    cr_expect_eq(open_count(first.descriptors, first.count), 2);
    passed_lose(&scheduler, &slot, 1);
    cr_expect(is_open(first.descriptors[0]) && !is_open(first.descriptors[1]));
    passed_lose(&scheduler, &slot, ROOM);
    cr_expect(passed->count == 0 && !is_open(first.descriptors[0]));
    passed_drop(&scheduler, &slot);
    passed_lose(&scheduler, &slot, 1);
}

Test(passed, are_taken_in_order_and_a_loss_where_it_was)
{
    int taken[MOST] = {0};
    struct brought brought = {.count = 0};
    cr_expect_eq(passed_take(&scheduler, &slot, taken, MOST), 0);
    struct passed *passed = ready();
    bring(&brought, SOL_SOCKET, SCM_RIGHTS, 3);
    cr_assert_eq(passed_read(passed, &brought.message), 3);
    passed->lost = true;
    cr_expect_eq(passed_take(&scheduler, &slot, taken, 2), 2);
    cr_expect_eq(memcmp(taken, brought.descriptors, 2 * sizeof(int)), 0);
    cr_expect_eq(passed_take(&scheduler, &slot, taken, MOST), 1);
    cr_expect_eq(taken[0], brought.descriptors[2]);
    cr_expect_eq(passed_take(&scheduler, &slot, taken, MOST), -ENOBUFS);
    cr_expect_eq(passed_take(&scheduler, &slot, taken, MOST), 0);
    cr_expect_eq(open_count(brought.descriptors, 3), 3, "they are who took them's");
    passed_drop(&scheduler, &slot);
    close_all(&brought);
}

Test(passed, have_more_room_and_never_less)
{
    struct brought brought = {.count = 0};
    struct passed *passed = ready();
    bring(&brought, SOL_SOCKET, SCM_RIGHTS, 2);
    cr_assert_eq(passed_read(passed, &brought.message), 2);
    block.values.descriptors = 1;
    cr_expect(passed_ready(&scheduler, &slot) == passed && passed->capacity == ROOM);
    block.values.descriptors = PASSED_MOST;
    passed = passed_ready(&scheduler, &slot);
    cr_assert(passed && passed->capacity == PASSED_MOST && passed->count == 2);
    cr_expect_eq(memcmp(passed->descriptors, brought.descriptors, 2 * sizeof(int)), 0);
    cr_expect_eq(slot_note(&scheduler.passed, &slot), passed);
    passed_drop(&scheduler, &slot);
}

Test(passed, are_wanted_by_local_sockets_that_say_so)
{
    block.values.descriptors = 1;
    cr_expect(passed_is_wanted(&slot));
    block.values.descriptors = 0;
    cr_expect(!passed_is_wanted(&slot));
    block.values.descriptors = 1;
    cr_expect(!passed_is_wanted(&(struct slot){.family = WEIR_INET, .options = &block}));
}

Test(passed, need_memory_once)
{
    struct scheduler fresh = {0};
    struct passed *passed = NULL;
    block.values.descriptors = ROOM;
    for (uint64_t nth = 1; !passed; nth++) {
        int64_t blocks = memory_live_count();
        memory_fail_nth(nth);
        passed = passed_ready(&fresh, &slot);
        memory_fail_nth(0);
        cr_expect(passed || memory_live_count() == blocks, "%lu: something is left", nth);
        cr_assert_lt(nth, 10);
    }
    int64_t blocks = memory_live_count();
    uint64_t allocations = memory_allocation_count();
    cr_expect_eq(passed_ready(&fresh, &slot), passed);
    cr_expect_eq(memory_allocation_count(), allocations, "there is room");
    passed_drop(&fresh, &slot);
    cr_expect_eq(memory_live_count(), blocks - 1);
    slot_notes_free(&fresh.passed);
}
