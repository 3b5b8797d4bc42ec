/* SPDX-License-Identifier: MIT */
/* {max_connections,_}: places, who queues for them, and who is called when one is free. */
#include "runtime/scheduler/quota.h"

#include <criterion/criterion.h>
#include <errno.h>

#include "base/memory.h"
#include "runtime/scheduler/registry.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/scheduler/slot.h"

enum { FIRST = 3, SECOND = 4, LIMIT = 2 };

void __real_inbox_post(struct inbox *inbox, struct inbox_node *node);
void __wrap_inbox_post(struct inbox *inbox, struct inbox_node *node);

/* Whoever is posted to does not end before the bell has been rung. */
void __wrap_inbox_post(struct inbox *inbox, struct inbox_node *node)
{
    struct scheduler *scheduler = list_entry(inbox, struct scheduler, inbox);
    cr_expect_eq(registry_user_count(scheduler->index), 1u);
    __real_inbox_post(inbox, node);
}

static struct scheduler first = {.index = FIRST};
static struct scheduler second = {.index = SECOND};
static struct quota *quota;
static int64_t blocks;

static void begin(void)
{
    blocks = memory_live_count();
    cr_assert(inbox_open(&first.inbox) == 0 && inbox_open(&second.inbox) == 0);
    registry_publish(FIRST, &first);
    registry_publish(SECOND, &second);
    quota = quota_create(LIMIT);
    cr_assert_not_null(quota);
}

static void end(void)
{
    quota_drop(quota);
    cr_expect(registry_user_count(FIRST) == 0 && registry_user_count(SECOND) == 0);
    cr_expect_eq(memory_live_count(), blocks);
    inbox_close(&first.inbox);
    inbox_close(&second.inbox);
}

static struct quota_queuer *queuer_of(struct scheduler *scheduler)
{
    const weir_socket listener = {(uint64_t)scheduler->index << HANDLE_INDEX_SHIFT | 1};
    struct quota_queuer *queuer = quota_queuer_create(quota, scheduler, listener);
    cr_assert_not_null(queuer);
    return queuer;
}

/* Whether it is the one that was called, and nobody else. */
static bool is_called(struct scheduler *scheduler, struct quota_queuer *queuer)
{
    struct inbox_node *node = inbox_take(&scheduler->inbox);
    return node == &queuer->node && node->next == NULL;
}

static bool nobody_is_called(void)
{
    return inbox_is_empty(&first.inbox) && inbox_is_empty(&second.inbox);
}

Test(quota, has_so_many_places)
{
    begin();
    cr_expect(quota_has_room(quota) && quota_take(quota));
    cr_expect(quota_has_room(quota) && quota_take(quota));
    cr_expect(!quota_has_room(quota) && !quota_take(quota));
    quota_take_beyond(quota);
    quota_give_back(quota);
    cr_expect(!quota_has_room(quota) && !quota_take(quota));
    quota_give_back(quota);
    cr_expect(quota_has_room(quota) && quota_take(quota) && !quota_take(quota));
    quota_give_back(quota);
    quota_give_back(quota);
    end();
}

/* Each place keeps it, until the last is given back. */
Test(quota, outlives_its_listener)
{
    begin();
    cr_assert(quota_take(quota));
    quota_take_beyond(quota);
    quota_drop(quota);
    quota_give_back(quota);
    cr_expect_gt(memory_live_count(), blocks);
    quota_give_back(quota);
    cr_expect_eq(memory_live_count(), blocks);
    quota = quota_create(0);
    cr_expect(!quota_take(quota));
    end();
}

/* In the order in which they queued, one for each place. */
Test(quota, calls_who_queues)
{
    begin();
    cr_assert(quota_take(quota) && quota_take(quota));
    struct quota_queuer *one = queuer_of(&first);
    struct quota_queuer *other = queuer_of(&second);
    quota_queue(one);
    quota_queue(other);
    cr_expect(nobody_is_called());
    quota_give_back(quota);
    cr_expect(is_called(&first, one) && nobody_is_called());
    cr_expect(!quota_has_room(quota), "the place is taken for it");
    quota_arrived(one);
    quota_queue(one);
    quota_give_back(quota);
    cr_expect(is_called(&second, other) && nobody_is_called());
    quota_arrived(other);
    quota_give_back(quota);
    cr_expect(is_called(&first, one) && nobody_is_called());
    quota_arrived(one);
    quota_queue(other);
    cr_expect(nobody_is_called());
    quota_give_back(quota);
    cr_expect(is_called(&second, other));
    quota_arrived(other);
    quota_give_back(quota);
    cr_expect(nobody_is_called() && quota_has_room(quota));
    quota_give_back(quota);
    quota_queuer_free(one);
    quota_queuer_free(other);
    end();
}

Test(quota, calls_at_once_who_queues_while_there_is_room)
{
    begin();
    struct quota_queuer *queuer = queuer_of(&first);
    cr_assert(quota_take(quota));
    quota_queue(queuer);
    cr_expect(is_called(&first, queuer) && !quota_has_room(quota));
    quota_arrived(queuer);
    quota_queuer_free(queuer);
    quota_give_back(quota);
    quota_give_back(quota);
    end();
}

/* Its node, when one is on its way, is in its memory until it has arrived. */
Test(quota, forgets_a_queuer_that_is_closed)
{
    begin();
    cr_assert(quota_take(quota) && quota_take(quota));
    struct quota_queuer *one = queuer_of(&first);
    struct quota_queuer *other = queuer_of(&second);
    quota_queue(one);
    quota_queue(other);
    int64_t kept = memory_live_count();
    quota_queuer_free(one);
    cr_expect_eq(memory_live_count(), kept - 1);
    quota_give_back(quota);
    cr_expect(is_called(&second, other));
    quota_queuer_free(other);
    cr_expect_eq(memory_live_count(), kept - 1, "its node is on its way");
    quota_arrived(other);
    quota_queuer_free(other);
    cr_expect_eq(memory_live_count(), kept - 2);
    quota_give_back(quota);
    quota_give_back(quota);
    cr_expect(nobody_is_called());
    end();
}

Test(quota, a_place_is_its_sockets)
{
    struct slot slot = {.index = 100};
    struct slot other = {.index = 200};
    begin();
    cr_assert(quota_take(quota));
    memory_fail_nth(1);
    cr_expect_eq(quota_occupy(&first, &slot, quota), -ENOMEM);
    memory_fail_nth(0);
    cr_expect_null(quota_vacate(&first, &slot));
    cr_assert_eq(quota_occupy(&first, &slot, quota), 0);
    quota_leave(&first, &other);
    cr_expect_eq(quota_vacate(&first, &slot), quota);
    cr_expect_null(quota_vacate(&first, &slot));
    cr_assert_eq(quota_occupy(&first, &slot, quota), 0);
    cr_assert(quota_take(quota));
    quota_leave(&first, &slot);
    cr_expect(quota_has_room(quota));
    quota_leave(&first, &slot);
    cr_expect(quota_take(quota) && !quota_take(quota), "it is given back once");
    quota_give_back(quota);
    quota_give_back(quota);
    slot_notes_free(&first.places);
    end();
}

Test(quota, needs_memory)
{
    begin();
    memory_fail_nth(1);
    cr_expect_null(quota_create(1));
    memory_fail_nth(1);
    cr_expect_null(quota_queuer_create(quota, &first, (weir_socket){1}));
    memory_fail_nth(0);
    end();
}

/* What is known of few sockets: from the first note on there is memory for it, and for no more than
 * there need be. */
Test(slot_notes, are_of_their_sockets)
{
    static const uint32_t indices[] = {0, 63, 64, 127, 128, 1000};
    struct slot_notes notes = {0};
    int note;
    blocks = memory_live_count();
    for (size_t i = 0; i < sizeof(indices) / sizeof(indices[0]); i++) {
        const struct slot slot = {.index = indices[i]};
        uint64_t allocations = memory_allocation_count();
        cr_expect_null(slot_note(&notes, &slot));
        cr_expect_eq(slot_notes_set(&notes, &slot, NULL), 0);
        cr_expect_eq(memory_allocation_count(), allocations);
        cr_assert_eq(slot_notes_set(&notes, &slot, &note), 0);
        cr_expect_eq(slot_note(&notes, &slot), &note);
        cr_expect_gt(notes.capacity, indices[i]);
        cr_expect_leq(notes.capacity, indices[i] < 64 ? 64 : 2 * indices[i]);
        for (uint32_t j = 0; j < notes.capacity; j++) {
            const struct slot other = {.index = j};
            if (j != indices[i])
                cr_expect_null(slot_note(&notes, &other));
        }
        cr_expect_eq(slot_notes_set(&notes, &slot, NULL), 0);
        cr_expect_null(slot_note(&notes, &slot));
    }
    slot_notes_free(&notes);
    cr_expect_eq(memory_live_count(), blocks);
}
