/* SPDX-License-Identifier: MIT */
/* From completions to sockets, and from there to their end: with a kind that notes what it is
 * asked. The scheduler is opened and turned by hand. */
#include "runtime/scheduler/dispatch.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "runtime/kinds.h"
#include "runtime/runtime.h"
#include "runtime/scheduler/cancel.h"
#include "runtime/scheduler/gone.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/scheduler/slot.h"

enum { OPERATION = OPERATION_OF_KIND(KIND_WATCH, 2), FD_NONE = -1 };

static weir_runtime *runtime;
static struct scheduler *scheduler;
static struct slot *slot;
static char told[64]; /* a letter for each thing that it was asked, or told */
static bool unwanted;
static bool is_ready; /* to give up its descriptor */
static int32_t result;

static void tell(char what)
{
    told[strlen(told)] = what;
}

static void expect_told(const char *letters)
{
    cr_expect_str_eq(told, letters);
    memset(told, 0, sizeof(told));
}

static void completed(struct scheduler *where, struct slot *of,
                      const struct ring_completion *completion)
{
    cr_expect(where == scheduler && of == slot && slot->pending > 0);
    result = completion->result;
    tell('c');
}

static bool is_unwanted(const struct slot *of)
{
    cr_expect_eq(of, slot);
    tell('u');
    return unwanted;
}

static void discard(struct scheduler *where, const struct ring_completion *completion)
{
    cr_expect_eq(where, scheduler);
    result = completion->result;
    tell('d');
}

static void fetch(const struct slot *of, enum fetch what)
{
    cr_expect_eq(of, slot);
    tell(what == FETCH_CALL ? 'f' : 'w');
}

static bool give_up_descriptor(struct scheduler *where, struct slot *of)
{
    cr_expect(where == scheduler && of == slot);
    tell('g');
    if (is_ready)
        slot->fd = FD_NONE;
    return is_ready;
}

static void release(struct scheduler *where, struct slot *of)
{
    cr_expect(where == scheduler && of->state == SOCKET_CLOSED);
    tell('r');
}

static struct kind row;
static const struct kind *rows[KIND_COUNT];

static void on_gone(weir_socket socket, void *data)
{
    cr_expect_eq(data, told);
    cr_expect_eq(socket.id, slot_handle(scheduler, slot).id);
    tell('!');
}

static const weir_handler handler = {.gone = on_gone};

static void begin(void)
{
    const weir_config config = {.schedulers = 1};
    cr_assert_eq(runtime_create(&runtime, &config), 0);
    scheduler = runtime->schedulers[0];
    cr_assert_eq(scheduler_open(scheduler), 0);
    row = (struct kind){.release = release, .has_packets = true};
    row.operations[2] = (struct kind_operation){completed, is_unwanted, discard, fetch};
    rows[KIND_WATCH] = &row;
    scheduler->kinds = rows;
    slot = slot_create(scheduler, KIND_WATCH, FD_NONE, WEIR_INET);
    cr_assert_not_null(slot);
    slot_move(slot, SOCKET_ESTABLISH);
}

static void end(void)
{
    scheduler->kinds = runtime_kinds;
    scheduler_close(scheduler);
    runtime_free(runtime);
    expect_told("");
}

/* What the kernel says of one of its operations. */
static void complete(uint64_t user_data, int32_t its_result, uint32_t flags)
{
    const struct ring_completion completion = {user_data, its_result, flags};
    dispatch(scheduler, &completion);
}

static void close_slot(void)
{
    slot_move(slot, SOCKET_CLOSE);
    slot_settle(scheduler, slot);
}

Test(dispatch, an_operation_holds_its_socket_until_it_is_over)
{
    begin();
    uint64_t user_data = slot_operation(slot, OPERATION);
    slot_hold(slot);
    complete(user_data, 7, RING_MORE);
    expect_told("c");
    cr_expect(result == 7 && slot->pending == 1);
    close_slot();
    expect_told("");
    complete(user_data, 8, 0);
    expect_told("cr");
    cr_expect(result == 8 && scheduler->totals.stale_completions == 0);
    end();
}

/* Its slot is free, has another socket, or one of another kind, or nothing of it is in flight. */
Test(dispatch, what_comes_too_late_is_given_back)
{
    begin();
    uint64_t user_data = slot_operation(slot, OPERATION);
    const uint64_t late[] = {
        user_data,
        operation_pack(OPERATION, slot->generation + 1, slot->index),
        operation_pack(OPERATION_OF_KIND(KIND_STREAM, 2), slot->generation, slot->index),
        operation_pack(OPERATION, slot->generation, slot_table_size(&scheduler->slots)),
    };
    struct kind other = row;
    rows[KIND_STREAM] = &other;
    for (size_t i = 0; i < sizeof(late) / sizeof(late[0]); i++) {
        slot->pending = i > 0;
        complete(late[i], (int32_t)i, RING_MORE);
        cr_expect(slot->pending == (i > 0) && result == (int32_t)i);
        expect_told("d");
        complete(operation_cancel_of(late[i]), -ENOENT, 0);
        expect_told("");
        cr_expect_eq(scheduler->totals.stale_completions, i + 1, "row %zu", i);
    }
    row.operations[2].discard = NULL;
    slot->pending = 0;
    complete(user_data, 0, 0);
    cr_expect_eq(scheduler->totals.stale_completions, 5u);
    close_slot();
    expect_told("r");
    end();
}

/* Not found, and unwanted: it goes on, and is cancelled again. */
Test(dispatch, a_cancel_that_missed_is_repeated)
{
    begin();
    uint64_t cancel = operation_cancel_of(slot_operation(slot, OPERATION));
    slot_hold(slot);
    uint32_t queued = ring_pending(scheduler->ring);
    complete(cancel, -ENOENT, 0);
    expect_told("u");
    cr_expect(ring_pending(scheduler->ring) == queued && scheduler->totals.missed_cancels == 0);
    unwanted = true;
    complete(cancel, -EALREADY, 0);
    cr_expect(ring_pending(scheduler->ring) == queued && scheduler->totals.missed_cancels == 0);
    complete(cancel, -ENOENT, 0);
    expect_told("u");
    cr_expect(ring_pending(scheduler->ring) == queued + 1);
    cr_expect_eq(scheduler->totals.missed_cancels, 1u);
    cr_expect_eq(slot->pending, 1, "it is not over");
    slot->pending = 0;
    close_slot();
    expect_told("r");
    end();
}

/* The bell is listened for again. */
Test(dispatch, the_bell_is_nobodys)
{
    begin();
    uint32_t queued = ring_pending(scheduler->ring);
    complete(operation_pack(OPERATION_OF_KIND(KIND_NONE, 0), 0, 0), 8, 0);
    cr_expect_eq(ring_pending(scheduler->ring), queued + 1);
    cr_expect_eq(scheduler->totals.stale_completions, 0u);
    close_slot();
    expect_told("r");
    end();
}

/* Each that follows is fetched a little before its turn: its call four ahead, who waits two. */
Test(dispatch, what_follows_is_fetched)
{
    begin();
    uint64_t user_data = slot_operation(slot, OPERATION);
    const uint64_t others[] = {
        operation_pack(OPERATION_OF_KIND(KIND_STREAM, 2), slot->generation, slot->index),
        operation_pack(OPERATION, slot->generation, slot_table_size(&scheduler->slots)),
        operation_pack(OPERATION_OF_KIND(KIND_NONE, 0), 0, slot->index + 1),
        slot_operation(slot, OPERATION + 1),
    };
    for (uint32_t i = 0; i < 8; i++)
        scheduler->completions[i].user_data = user_data;
    dispatch_fetch_ahead(scheduler, 0, 2);
    dispatch_fetch_ahead(scheduler, 2, 4);
    expect_told("");
    dispatch_fetch_ahead(scheduler, 0, 3);
    dispatch_fetch_ahead(scheduler, 3, 7);
    expect_told("ww");
    dispatch_fetch_ahead(scheduler, 3, 8);
    expect_told("fw");
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        scheduler->completions[2].user_data = others[i];
        dispatch_fetch_ahead(scheduler, 0, 7);
        expect_told("f");
    }
    close_slot();
    expect_told("r");
    end();
}

/* It waits for what is in flight, or for what its kind says. */
Test(settle, a_socket_that_lives_does_not)
{
    begin();
    slot->fd = dup(STDIN_FILENO);
    row.give_up_descriptor = give_up_descriptor;
    is_ready = true;
    slot_settle(scheduler, slot);
    expect_told("");
    slot_move(slot, SOCKET_LOSE);
    slot_hold(slot);
    slot_settle(scheduler, slot);
    expect_told("");
    close(slot->fd);
    slot_unhold(scheduler, slot);
    expect_told("g");
    cr_expect(scheduler->descriptor_closed);
    slot_settle(scheduler, slot);
    expect_told("");
    close_slot();
    expect_told("r");
    end();
}

static bool settled(struct scheduler *where, struct slot *of)
{
    cr_expect(where == scheduler && of == slot);
    tell('s');
    return is_ready;
}

Test(settle, asks_its_kind)
{
    begin();
    row.settled = settled;
    slot->fd = dup(STDIN_FILENO);
    int fd = slot->fd;
    slot_hold(slot);
    close_slot();
    expect_told("s");
    is_ready = true;
    slot_settle(scheduler, slot);
    expect_told("s");
    cr_expect(slot->fd == FD_NONE && scheduler->descriptor_closed && close(fd) < 0);
    slot_unhold(scheduler, slot);
    expect_told("sr");
    end();
}

/* One that is still wanted is asked for again. */
Test(settle, a_descriptor_may_take_its_time)
{
    begin();
    row.give_up_descriptor = give_up_descriptor;
    slot->fd = 0;
    slot_hold(slot);
    slot_move(slot, SOCKET_LOSE);
    slot_unhold(scheduler, slot);
    expect_told("g");
    cr_expect(!scheduler->descriptor_closed);
    is_ready = true;
    slot_settle(scheduler, slot);
    expect_told("g");
    cr_expect(scheduler->descriptor_closed);
    close_slot();
    expect_told("r");
    end();
}

static void own(const weir_handler *by)
{
    slot->owner.handler = by;
    slot->owner_data = told;
}

/* At the end of the turn after the one in which it settled. */
Test(gone, is_told_a_turn_later_and_once)
{
    begin();
    own(&handler);
    slot_hold(slot);
    slot_move(slot, SOCKET_CLOSE);
    slot_unhold(scheduler, slot);
    slot_settle(scheduler, slot);
    expect_told("");
    task_run(scheduler, &scheduler->tasks, TASK_LAST);
    expect_told("");
    cr_expect(!task_queue_is_empty(&scheduler->tasks, TASK_LAST));
    slot_settle(scheduler, slot);
    task_run(scheduler, &scheduler->tasks, TASK_LAST);
    expect_told("!r");
    cr_expect(task_queue_is_empty(&scheduler->tasks, TASK_LAST));
    cr_expect_eq(scheduler->slots.used_count, 0u);
    end();
}

/* Nor is who is no connection, or has no such callback, or no handler. */
Test(gone, nobody_is_told_who_does_not_ask)
{
    static const weir_handler silent = {.gone = NULL};
    for (int i = 0; i < 3; i++) {
        begin();
        own(i == 0 ? NULL : i == 1 ? &silent : &handler);
        row.has_packets = i < 2;
        close_slot();
        expect_told("r");
        cr_expect(task_queue_is_empty(&scheduler->tasks, TASK_LAST));
        end();
    }
}

static void take_long(weir_socket socket, void *data)
{
    on_gone(socket, data);
    usleep(1000);
}

static void tell_slow(const weir_slow_callback *slow)
{
    cr_expect_eq((void *)slow->function, (void *)take_long);
    tell('l');
}

Test(gone, its_callback_may_be_slow)
{
    static const weir_handler slow = {.gone = take_long};
    begin();
    own(&slow);
    runtime->limits.slow_callback_ns = 1000;
    runtime->limits.slow_callback = tell_slow;
    close_slot();
    task_run(scheduler, &scheduler->tasks, TASK_LAST);
    task_run(scheduler, &scheduler->tasks, TASK_LAST);
    expect_told("!lr");
    end();
}
