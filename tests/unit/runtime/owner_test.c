/* SPDX-License-Identifier: MIT */
/* What owners are told, and what is kept for them, without a scheduler's turn. */
#include "runtime/owner/owner.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "options/option_block.h"
#include "options/options.h"
#include "runtime/buffer/buffer.h"
#include "runtime/owner/hand_over.h"
#include "runtime/owner/mailbox.h"
#include "runtime/scheduler/registry.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/scheduler/slot.h"

enum { INDEX = 3, HIGH = 1000000 };

static struct scheduler_limits limits;
static int ended;

static void end_it(struct scheduler *scheduler, struct slot *slot, enum ending ending)
{
    (void)scheduler;
    cr_expect_eq(ending, END_OWNER_DIED);
    owner_set(slot, weir_owned_by_nobody());
    ended++;
}

static int lost;

static void lose_mailbox(struct scheduler *scheduler, struct slot *slot)
{
    (void)scheduler;
    (void)slot;
    lost++;
}

static const struct kind row = {.end = end_it};
static const struct kind losing = {.end = end_it, .lose_mailbox = lose_mailbox};
static const struct kind *const rows[KIND_COUNT] = {
    [KIND_STREAM] = &row, [KIND_LISTENER] = &losing};
static struct scheduler here = {.index = INDEX, .limits = &limits, .kinds = rows};
static struct slot *slot;
static weir_socket handle;

static void begin(void)
{
    const struct option_values values = {.high_msgq_watermark = HIGH, .mode = WEIR_BINARY};
    cr_assert_eq(inbox_open(&here.inbox), 0);
    slot_table_init(&here.slots, 1);
    registry_publish(INDEX, &here);
    scheduler_become(&here);
    slot = slot_create_with(&here, KIND_STREAM, -1, WEIR_INET, &values);
    cr_assert_not_null(slot);
    slot_move(slot, SOCKET_ESTABLISH);
    handle = slot_handle(&here, slot);
}

static void end(void)
{
    owner_set(slot, weir_owned_by_nobody());
    option_block_drop(slot->options);
    slot_table_free(&here.slots, slot);
    slot_table_close(&here.slots);
    cr_expect(inbox_is_empty(&here.inbox) && registry_user_count(INDEX) == 0);
    inbox_close(&here.inbox);
    scheduler_become(NULL);
    cr_expect_eq(memory_live_count(), 0);
}

static weir_mailbox *mailbox(void)
{
    weir_mailbox *made;
    cr_assert_eq(weir_mailbox_create(&made), 0);
    return made;
}

static weir_mailbox *mailbox_of_process(void)
{
    weir_mailbox *made;
    cr_assert_eq(mailbox_create_for_process(&made, INDEX), 0);
    return made;
}

static void drop(weir_mailbox *box)
{
    mailbox_end(box);
    mailbox_release(box);
}

/* Each callback of a handler takes long, and says which it was. */
static void (*told)(void);
static int told_error;
static int slow_count;

#define FUNCTION(name) ((void (*)(void))(name))

static void take_long(void (*function)(void))
{
    told = function;
    for (uint64_t until_ns = clock_now_ns() + 2000; clock_now_ns() < until_ns;)
        continue;
}

static void on_accepted(weir_socket socket, void *data)
{
    cr_expect(socket.id == handle.id && data == &told);
    take_long(FUNCTION(on_accepted));
}

static void on_packet(weir_socket socket, const weir_packet *packet, void *data)
{
    cr_expect(socket.id == handle.id && data == &told && packet->size == 5);
    take_long(FUNCTION(on_packet));
}

static void on_passive(weir_socket socket, void *data)
{
    cr_expect(socket.id == handle.id && data == &told);
    take_long(FUNCTION(on_passive));
}

static void on_unbusy(weir_socket socket, void *data)
{
    cr_expect(socket.id == handle.id && data == &told);
    take_long(FUNCTION(on_unbusy));
}

static void on_error(weir_socket socket, int error, void *data)
{
    cr_expect(socket.id == handle.id && data == &told);
    told_error = error;
    take_long(FUNCTION(on_error));
}

static void on_closed(weir_socket socket, void *data)
{
    cr_expect(socket.id == handle.id && data == &told);
    take_long(FUNCTION(on_closed));
}

static const weir_handler handler = {
    .accepted = on_accepted,
    .packet = on_packet,
    .passive = on_passive,
    .unbusy = on_unbusy,
    .error = on_error,
    .closed = on_closed,
};
static const weir_handler silent;

static void tell_slow(const weir_slow_callback *slow)
{
    cr_expect_eq((void *)slow->function, (void *)told);
    slow_count++;
}

static const struct {
    enum weir_message_kind kind;
    void (*function)(void);
} callbacks[] = {
    {WEIR_MESSAGE_ACCEPTED, FUNCTION(on_accepted)},
    {WEIR_MESSAGE_PASSIVE, FUNCTION(on_passive)},
    {WEIR_MESSAGE_ERROR, FUNCTION(on_error)},
    {WEIR_MESSAGE_CLOSED, FUNCTION(on_closed)},
    {WEIR_MESSAGE_USER, NULL},
};

static const weir_packet packet = {.bytes = (const uint8_t *)"bytes", .size = 5, .lent = true};

Test(owner, a_handler_is_called_and_timed)
{
    static struct weir_buffer buffer;
    weir_packet lent = packet;
    lent.buffer = &buffer;
    begin();
    limits = (struct scheduler_limits){.slow_callback_ns = 1000, .slow_callback = tell_slow};
    owner_set(slot, weir_handled_by(&handler, &told));
    for (size_t i = 0; i < sizeof(callbacks) / sizeof(callbacks[0]); i++) {
        told = NULL;
        slow_count = 0;
        owner_tell(&here, slot, callbacks[i].kind, -EIO);
        cr_expect(told == callbacks[i].function, "row %zu", i);
        cr_expect(told == NULL || slow_count == 1, "row %zu", i);
    }
    cr_expect_eq(told_error, -EIO);
    slow_count = 0;
    cr_expect_eq(owner_tell_packet(&here, slot, &lent), 0);
    cr_expect(told == FUNCTION(on_packet) && slow_count == 1);
    owner_tell_unbusy(&here, slot);
    cr_expect(told == FUNCTION(on_unbusy) && slow_count == 2);
    limits = (struct scheduler_limits){.slow_callback_ns = 0};
    owner_set(slot, weir_handled_by(&silent, NULL));
    for (size_t i = 0; i < sizeof(callbacks) / sizeof(callbacks[0]); i++)
        owner_tell(&here, slot, callbacks[i].kind, 0);
    cr_expect_eq(owner_tell_packet(&here, slot, &lent), 0);
    owner_tell_unbusy(&here, slot);
    cr_expect_eq(slow_count, 2);
    end();
}

/* Without memory for the message its packet is still the socket's, and weighs nothing. */
Test(owner, a_mailbox_gets_packets)
{
    struct weir_buffer *buffer = buffer_adopt("bytes", 5, NULL, NULL);
    weir_packet lent = packet;
    weir_message message;
    begin();
    lent.buffer = buffer;
    lent.mode = WEIR_BINARY;
    weir_mailbox *box = mailbox();
    owner_set(slot, weir_mailed_to(box));
    int64_t before = memory_live_count();
    for (uint64_t nth = 1; nth <= 2; nth++) {
        memory_fail_nth(nth);
        cr_expect_eq(owner_tell_packet(&here, slot, &lent), -ENOMEM);
        memory_fail_nth(0);
        cr_expect_eq(atomic_load(&buffer->refs), 1u);
    }
    cr_expect_eq(memory_live_count(), before + 1, "what counts them stays");
    for (int i = 0; i < 2; i++)
        cr_assert_eq(owner_tell_packet(&here, slot, &lent), 0);
    cr_expect_eq(atomic_load(&buffer->refs), 3u);
    cr_expect_eq(weir_mailbox_count(box), 2u);
    cr_assert_eq(mailbox_receive_in_thread(box, 0, &message), 0);
    cr_expect(message.kind == WEIR_MESSAGE_DATA && message.socket.id == handle.id);
    weir_packet_release(&message.packet);
    owner_tell(&here, slot, WEIR_MESSAGE_CLOSED, 0);
    cr_expect_eq(weir_mailbox_count(box), 2u);
    drop(box);
    cr_expect_eq(atomic_load(&buffer->refs), 1u);
    buffer_release(buffer);
    end();
}

Test(owner, nobody_is_told_nothing)
{
    weir_packet lent = packet;
    begin();
    cr_expect_eq(owner_tell_packet(&here, slot, &lent), 0);
    owner_tell(&here, slot, WEIR_MESSAGE_CLOSED, 0);
    owner_tell_unbusy(&here, slot);
    cr_expect(!owner_is_full(slot));
    owner_marks_changed(slot);
    end();
}

/* It is held back while too much waits, whoever its mailbox is. */
Test(owner, what_waits_counts_for_the_next_mailbox_too)
{
    struct weir_buffer *buffer = buffer_adopt("bytes", 5, NULL, NULL);
    weir_packet lent = packet;
    struct list messages;
    begin();
    list_init(&messages);
    lent.buffer = buffer;
    lent.mode = WEIR_BINARY;
    weir_mailbox *box = mailbox();
    weir_mailbox *next = mailbox();
    owner_set(slot, weir_mailed_to(box));
    slot->options->values.high_msgq_watermark = 1;
    cr_assert_eq(owner_tell_packet(&here, slot, &lent), 0);
    cr_expect(owner_is_full(slot));
    cr_expect_eq(owner_change(&here, slot, weir_mailed_to(next), &messages), 0);
    cr_expect(owner_is_full(slot) && list_is_empty(&messages));
    cr_expect(weir_mailbox_count(box) == 0 && weir_mailbox_count(next) == 1);
    slot->options->values.high_msgq_watermark = HIGH;
    owner_marks_changed(slot);
    cr_expect(!owner_is_full(slot));
    drop(box);
    cr_expect_eq(owner_change(&here, slot, weir_owned_by_nobody(), &messages), 0);
    cr_expect(!list_is_empty(&messages) && weir_mailbox_count(next) == 0);
    mailbox_free_nodes(&messages);
    owner_set(slot, weir_mailed_to(next));
    mailbox_end(next);
    cr_expect_eq(owner_change(&here, slot, weir_owned_by_nobody(), &messages), WEIR_CLOSED);
    cr_expect_eq(slot_mailbox(slot), next, "it is about to be closed");
    cr_expect_eq(owner_check(weir_mailed_to(next)), WEIR_BADARG);
    cr_expect_eq(owner_check(weir_owned_by_nobody()), 0);
    owner_set(slot, weir_owned_by_nobody());
    mailbox_release(next);
    buffer_release(buffer);
    end();
}

/* A process's sockets are known to its mailbox, for as long as they are its. */
Test(owner, a_process_has_its_sockets_noted)
{
    bool unknown;
    begin();
    weir_mailbox *one = mailbox_of_process();
    weir_mailbox *other = mailbox_of_process();
    owner_set(slot, weir_mailed_to(one));
    owner_set(slot, weir_mailed_to(other));
    cr_expect_eq(mailbox_take_owned(one, INDEX, &unknown).id, 0u);
    cr_expect_eq(mailbox_take_owned(other, INDEX, &unknown).id, handle.id);
    owner_set(slot, weir_mailed_to(one));
    ended = 0;
    owner_process_died(&here, other);
    cr_expect_eq(ended, 0, "it is not its any more");
    owner_process_died(&here, one);
    cr_expect(ended == 1 && slot_mailbox(slot) == NULL);
    end();
}

/* Of those that there was no memory to note every one is looked at. */
Test(owner, a_process_that_ends_leaves_no_socket_open)
{
    begin();
    weir_mailbox *box = mailbox_of_process();
    struct slot *second = slot_create(&here, KIND_LISTENER, -1, WEIR_INET);
    slot_move(second, SOCKET_ESTABLISH);
    memory_fail_nth(1);
    owner_set(slot, weir_mailed_to(box));
    memory_fail_nth(0);
    ended = lost = 0;
    owner_process_died(&here, box);
    cr_expect(ended == 1 && lost == 1);
    struct inbox_node *node = inbox_take(&here.inbox);
    cr_assert(node && !node->next, "it goes round");
    node->run(&here, node);
    cr_expect(ended == 1 && lost == 2);
    slot_table_free(&here.slots, second);
    end();
}

/* Given to one that has ended: it is found at once, as its round begins anew. */
Test(owner, what_is_given_to_one_that_has_ended_is_closed)
{
    begin();
    weir_mailbox *box = mailbox_of_process();
    mailbox_keep(box);
    owner_process_died(&here, box);
    cr_expect(inbox_is_empty(&here.inbox));
    ended = 0;
    owner_set(slot, weir_mailed_to(box));
    struct inbox_node *node = inbox_take(&here.inbox);
    cr_assert(node && !node->next);
    node->run(&here, node);
    cr_expect_eq(ended, 1);
    cr_expect(inbox_is_empty(&here.inbox));
    mailbox_release(box);
    end();
}

/* A call that waits keeps the mailbox that it names. */
Test(owner, may_be_kept)
{
    begin();
    weir_mailbox *box = mailbox();
    owner_keep(weir_mailed_to(box));
    owner_keep(weir_owned_by_nobody());
    owner_release(weir_owned_by_nobody());
    cr_expect_eq(weir_mailbox_destroy(box), -EDEADLK, "a callback cannot");
    int64_t kept = memory_live_count();
    drop(box);
    cr_expect_eq(memory_live_count(), kept);
    owner_release(weir_mailed_to(box));
    cr_expect_eq(memory_live_count(), kept - 1);
    end();
}

Test(owner, is_called_with_a_message_by_its_kind)
{
    begin();
    for (size_t i = 0; i <= sizeof(callbacks) / sizeof(callbacks[0]); i++) {
        bool is_packet = i == sizeof(callbacks) / sizeof(callbacks[0]);
        const weir_message message = {.kind = is_packet ? WEIR_MESSAGE_DATA : callbacks[i].kind,
                                      .socket = handle,
                                      .packet = packet};
        told = NULL;
        owner_call_handler(weir_handled_by(&handler, &told), &message);
        cr_expect(told == (is_packet ? FUNCTION(on_packet) : callbacks[i].function), "row %zu", i);
        owner_call_handler(weir_handled_by(&silent, NULL), &message);
    }
    end();
}

static struct slot *second;
static int handed[3]; /* so many to each handler */

static void hand_back(weir_socket socket, void *data);
static void hand_on(weir_socket socket, void *data);

static void keep(weir_socket socket, void *data)
{
    (void)socket, (void)data;
    handed[2]++;
}

static const weir_handler first_handler = {.passive = hand_on};
static const weir_handler second_handler = {.passive = hand_back};
static const weir_handler last_handler = {.passive = keep};

static void hand_on(weir_socket socket, void *data)
{
    (void)socket, (void)data;
    handed[0]++;
    cr_expect_eq(owner_hand_over(&here, second, weir_handled_by(&second_handler, NULL)), 1);
}

static void hand_back(weir_socket socket, void *data)
{
    (void)socket, (void)data;
    handed[1]++;
    cr_expect_eq(owner_hand_over(&here, slot, weir_handled_by(&last_handler, NULL)), 0);
}

/* What is left of the outer one goes on when the inner ones are over. */
Test(owner, is_handed_over_amid_anothers_handing_over)
{
    const struct option_values values = {.mode = WEIR_BINARY};
    begin();
    weir_mailbox *box = mailbox();
    second = slot_create_with(&here, KIND_STREAM, -1, WEIR_INET, &values);
    slot_move(second, SOCKET_ESTABLISH);
    owner_set(slot, weir_mailed_to(box));
    owner_set(second, weir_mailed_to(box));
    for (int i = 0; i < 3; i++)
        owner_tell(&here, slot, WEIR_MESSAGE_PASSIVE, 0);
    owner_tell(&here, second, WEIR_MESSAGE_PASSIVE, 0);
    cr_expect_eq(owner_hand_over(&here, slot, weir_handled_by(&first_handler, NULL)), 1);
    cr_expect(handed[0] == 1 && handed[1] == 1 && handed[2] == 2);
    cr_expect_null(here.handing);
    owner_set(second, weir_owned_by_nobody());
    option_block_drop(second->options);
    slot_table_free(&here.slots, second);
    drop(box);
    end();
}
