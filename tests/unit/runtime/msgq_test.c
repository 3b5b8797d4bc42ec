/* SPDX-License-Identifier: MIT */
/* The marks of a mailbox's messages of one socket: from the high one on it is held back, and goes
 * on from the low one. */
#include "runtime/owner/msgq.h"

#include <criterion/criterion.h>

#include "base/memory.h"
#include "options/options.h"
#include "runtime/scheduler/registry.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/scheduler/slot.h"
#include <weir/mailbox.h>

enum { LOW = 100, HIGH = 200 };

static struct option_values values = {.low_msgq_watermark = LOW, .high_msgq_watermark = HIGH};
enum { INDEX = 3 };

static int changed_count;

static void note_changed(struct scheduler *where, struct slot *slot)
{
    (void)where;
    (void)slot;
    changed_count++;
}

static const struct kind row = {.changed = note_changed};
static const struct kind *const rows[KIND_COUNT] = {[KIND_STREAM] = &row};
static struct scheduler scheduler = {.index = INDEX, .kinds = rows};
static struct slot *slot;
static struct msgq *msgq;
static int64_t blocks;

static void begin(void)
{
    blocks = memory_live_count();
    cr_assert_eq(inbox_open(&scheduler.inbox), 0);
    registry_publish(INDEX, &scheduler);
    slot_table_init(&scheduler.slots, 1);
    slot = slot_create(&scheduler, KIND_STREAM, -1, WEIR_INET);
    slot_move(slot, SOCKET_ESTABLISH);
    changed_count = 0;
    msgq = msgq_create(slot_handle(&scheduler, slot));
    cr_assert(msgq && !msgq_is_full(msgq));
}

/* Whether its scheduler has been told to go on. */
static bool is_told(void)
{
    struct inbox_node *node = inbox_take(&scheduler.inbox);
    if (!node)
        return false;
    cr_expect_null(node->next);
    cr_expect(msgq_is_full(msgq));
    node->run(&scheduler, node);
    cr_expect(!msgq_is_full(msgq) && changed_count == 1, "its socket goes on");
    changed_count = 0;
    return true;
}

/* With so many messages left, that were counted with it. */
static void end(int count, size_t bytes)
{
    for (; count > 0; count--, bytes = 0)
        msgq_leave(msgq, bytes);
    msgq_release(msgq);
    registry_withdraw(INDEX);
    cr_expect(registry_user_count(INDEX) == 0 && changed_count == 0);
    slot_table_free(&scheduler.slots, slot);
    slot_table_close(&scheduler.slots);
    inbox_close(&scheduler.inbox);
    cr_expect_eq(memory_live_count(), blocks);
}

Test(msgq, is_full_from_the_high_mark_to_the_low_one)
{
    begin();
    msgq_enter(msgq, HIGH - 1, &values);
    cr_expect(!msgq_is_full(msgq));
    msgq_enter(msgq, 1, &values);
    cr_expect(msgq_is_full(msgq));
    msgq_leave(msgq, HIGH - LOW - 1);
    cr_expect(!is_told() && msgq_is_full(msgq), "one byte too many");
    msgq_enter(msgq, 50, &values);
    msgq_leave(msgq, 50);
    cr_expect(!is_told());
    msgq_leave(msgq, 1);
    cr_expect(is_told());
    msgq_enter(msgq, 1, &values);
    msgq_leave(msgq, 1);
    cr_expect(!is_told(), "nobody waits any more");
    cr_expect_gt(memory_live_count(), blocks, "it is kept by its socket");
    end(0, 0);
}

Test(msgq, that_never_waits_tells_nobody)
{
    begin();
    msgq_enter(msgq, HIGH - 1, &values);
    msgq_leave(msgq, HIGH - 1);
    cr_expect(!is_told());
    end(0, 0);
}

static const struct {
    size_t low;
    size_t high;
    bool full;
} marks[] = {
    {LOW, HIGH, true},       {HIGH - 1, HIGH, true}, {HIGH, HIGH, false},
    {HIGH, HIGH + 1, false}, {LOW, HIGH + 1, false}, {0, 1, true},
};

/* Who sets them is on its scheduler, which needs not be told. */
Test(msgq, other_marks_count_at_once)
{
    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
        struct option_values other = {.low_msgq_watermark = (uint32_t)marks[i].low,
                                      .high_msgq_watermark = (uint32_t)marks[i].high};
        begin();
        msgq_set_marks(msgq, &other);
        cr_expect(!msgq_is_full(msgq), "row %zu: nothing is in it", i);
        msgq_enter(msgq, HIGH, &values);
        msgq_set_marks(msgq, &other);
        cr_expect_eq(msgq_is_full(msgq), marks[i].full, "row %zu", i);
        msgq_leave(msgq, HIGH);
        cr_expect_eq(is_told(), marks[i].full, "row %zu", i);
        end(0, 0);
    }
}

/* Then it is nobody who goes on. */
Test(msgq, outlives_its_scheduler)
{
    begin();
    msgq_enter(msgq, HIGH, &values);
    registry_withdraw(INDEX);
    end(1, HIGH);
}

/* Taken out by a thread before the socket could say that it waits. */
Test(msgq, with_a_low_mark_above_is_never_full)
{
    struct option_values odd = {.low_msgq_watermark = HIGH, .high_msgq_watermark = HIGH};
    begin();
    msgq_enter(msgq, HIGH, &odd);
    cr_expect(!msgq_is_full(msgq));
    msgq_enter(msgq, 1, &odd);
    cr_expect(msgq_is_full(msgq));
    msgq_leave(msgq, 1);
    cr_expect(is_told());
    end(1, HIGH);
}

Test(msgq, everything_of_a_packet_weighs)
{
    weir_packet packet = {.header_size = 4, .size = 100, .padding_size = 7};
    cr_expect_eq(msgq_weight(&packet), sizeof(weir_message) + 4 + 100 + 7);
}
