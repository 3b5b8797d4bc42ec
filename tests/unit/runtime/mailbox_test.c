/* SPDX-License-Identifier: MIT */
/* What is put into a mailbox, taken out of it and dropped, without sockets. */
#include "runtime/owner/mailbox.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/thread.h"
#include "runtime/buffer/buffer.h"
#include "runtime/owner/closed_messages.h"
#include "runtime/scheduler/inbox.h"
#include "runtime/scheduler/registry.h"
#include "runtime/scheduler/scheduler.h"
#include "support/locks.h"
#include <weir/error.h>

static const weir_socket one = {0x100000001};
static const weir_socket other = {0x100000002};

static weir_mailbox *mailbox(void)
{
    weir_mailbox *made;
    cr_assert_eq(weir_mailbox_create(&made), 0);
    return made;
}

static void end(weir_mailbox *box)
{
    mailbox_end(box);
    mailbox_release(box);
}

static void put(weir_mailbox *box, enum weir_message_kind kind, weir_socket socket, int number)
{
    const weir_message message = {.kind = kind, .socket = socket, .error = number};
    cr_assert_eq(mailbox_put(box, &message, NULL), 0);
}

/* The number of the message that comes first, 0: there is none. */
static int first(weir_mailbox *box)
{
    weir_message message;
    return mailbox_receive_in_thread(box, 0, &message) == 0 ? message.error : 0;
}

Test(mailbox, messages_come_in_their_order)
{
    weir_mailbox *box = mailbox();
    put(box, WEIR_MESSAGE_ERROR, one, 1);
    put(box, WEIR_MESSAGE_ERROR, other, 2);
    cr_expect_eq(weir_mailbox_count(box), 2u);
    cr_expect_eq(first(box), 1);
    cr_expect_eq(first(box), 2);
    cr_expect_eq(first(box), 0);
    cr_expect_eq(weir_mailbox_count(box), 0u);
    end(box);
    cr_expect_eq(memory_live_count(), 0);
}

Test(mailbox, of_one_that_is_gone_nothing_is_left)
{
    weir_mailbox *box = mailbox();
    put(box, WEIR_MESSAGE_ERROR, one, 1);
    put(box, WEIR_MESSAGE_CLOSED, one, 2);
    cr_expect_not(mailbox_is_dead(box));
    mailbox_end(box);
    cr_expect(mailbox_is_dead(box));
    cr_expect_eq(weir_mailbox_count(box), 0u);
    put(box, WEIR_MESSAGE_CLOSED, one, 3);
    cr_expect_eq(first(box), 0);
    mailbox_release(box);
    cr_expect_eq(memory_live_count(), 0);
}

static void look_into(void *box)
{
    cr_expect_eq(weir_mailbox_count(box), 0u);
}

/* What it brings along is let go of when nothing is locked: that may wake somebody, or call. */
Test(mailbox, one_that_is_gone_drops_what_comes_with_its_lock_free, .timeout = 20)
{
    weir_mailbox *box = mailbox();
    struct weir_buffer *buffer = buffer_adopt("bytes", 5, look_into, box);
    const weir_message message = {.kind = WEIR_MESSAGE_DATA,
                                  .socket = one,
                                  .packet = {.bytes = buffer->bytes, .size = 5, .buffer = buffer}};
    mailbox_end(box);
    cr_assert_eq(mailbox_put(box, &message, NULL), 0);
    mailbox_release(box);
    cr_expect_eq(memory_live_count(), 0);
}

/* A closed socket's last message, wherever it waits; no other. */
Test(mailbox, a_closed_that_waits_is_forgotten)
{
    weir_mailbox *box = mailbox();
    weir_mailbox *second = mailbox();
    put(box, WEIR_MESSAGE_CLOSED, one, 1);
    put(box, WEIR_MESSAGE_ERROR, one, 2);
    put(box, WEIR_MESSAGE_CLOSED, other, 3);
    put(second, WEIR_MESSAGE_CLOSED, one, 4);
    put(second, WEIR_MESSAGE_CLOSED, one, 5);
    mailbox_forget_closed(one);
    cr_expect_eq(weir_mailbox_count(box), 2u);
    cr_expect_eq(first(box), 2);
    cr_expect_eq(first(box), 3);
    cr_expect_eq(weir_mailbox_count(second), 0u);
    cr_expect_eq(first(second), 0);
    end(box);
    end(second);
    cr_expect_eq(memory_live_count(), 0);
}

/* A message that the test frees, as the mailbox loses it. */
static struct mailbox_node *put_lost(weir_mailbox *box, enum weir_message_kind kind)
{
    const weir_message message = {.kind = kind, .socket = one, .error = 1};
    struct mailbox_node *node = mailbox_node_create(&message, NULL);
    struct list alone;
    list_init(&alone);
    list_append(&alone, &node->link);
    mailbox_put_all(box, &alone);
    return node;
}

/* In the child of a fork: its lists begin anew, and what was in them is the parent's. */
Test(mailbox, of_the_parent_process_begins_anew)
{
    weir_message message;
    struct mail_wait wait = {.state = MAIL_IDLE};
    weir_mailbox *box = mailbox();
    weir_mailbox *empty = mailbox();
    list_init(&wait.link);
    struct mailbox_node *lost[] = {put_lost(box, WEIR_MESSAGE_CLOSED),
                                   put_lost(box, WEIR_MESSAGE_ERROR)};
    (void)mailbox_take_or_listen(empty, &wait, &message);
    cr_expect_eq(wait.state, MAIL_LISTENS);
    mailboxes_forget();
    put(empty, WEIR_MESSAGE_ERROR, one, 4);
    cr_expect_eq(wait.state, MAIL_LISTENS, "it is the parent's, who is not called here");
    cr_expect_eq(weir_mailbox_count(box), 0u);
    cr_expect_eq(mailbox_check(box, WEIR_BADARG), WEIR_BADARG);
    cr_expect_eq(mailbox_receive_in_thread(box, 0, &message), WEIR_CLOSED);
    cr_expect_null(closed_messages_find(one, mailbox_keep));
    put(box, WEIR_MESSAGE_CLOSED, one, 3);
    mailbox_forget_closed(one);
    cr_expect_eq(weir_mailbox_count(box), 0u);
    end(box);
    end(empty);
    cr_expect_eq(memory_live_count(), 2, "they are the parent's");
    mailbox_free_node(lost[0]);
    mailbox_free_node(lost[1]);
}

/* Very many sockets share a list. */
Test(mailbox, of_many_that_are_closed_one_is_forgotten)
{
    enum { MANY = 10000 };
    weir_mailbox *box = mailbox();
    for (int i = 1; i <= MANY; i++)
        put(box, WEIR_MESSAGE_CLOSED, (weir_socket){0x100000000 + (uint64_t)i}, i);
    for (int i = 2; i <= MANY; i += 2)
        mailbox_forget_closed((weir_socket){0x100000000 + (uint64_t)i});
    for (int i = 1; i <= MANY; i += 2)
        cr_assert_eq(first(box), i);
    cr_expect_eq(first(box), 0);
    end(box);
    cr_expect_eq(memory_live_count(), 0);
}

Test(mailbox, a_sockets_messages_move_in_order)
{
    struct list moved;
    list_init(&moved);
    weir_mailbox *box = mailbox();
    weir_mailbox *next = mailbox();
    put(box, WEIR_MESSAGE_ERROR, one, 1);
    put(box, WEIR_MESSAGE_ERROR, other, 2);
    put(box, WEIR_MESSAGE_CLOSED, one, 3);
    cr_expect(mailbox_extract(box, one, &moved));
    cr_expect_eq(weir_mailbox_count(box), 1u);
    cr_expect_eq(first(box), 2);
    mailbox_put_all(next, &moved);
    cr_expect(list_is_empty(&moved));
    cr_expect_eq(first(next), 1);
    mailbox_forget_closed(one);
    cr_expect_eq(first(next), 0, "what has moved is known to be where it is");
    mailbox_end(box);
    cr_expect_not(mailbox_extract(box, one, &moved));
    mailbox_release(box);
    end(next);
    cr_expect_eq(memory_live_count(), 0);
}

static bool has_that_number(const weir_message *message, const weir_message *like)
{
    return message->error == like->error;
}

Test(mailbox, what_is_meant_is_dropped)
{
    const weir_message like = {.error = 2};
    weir_mailbox *box = mailbox();
    for (int i = 0; i < 6; i++)
        put(box, i % 2 ? WEIR_MESSAGE_CLOSED : WEIR_MESSAGE_ERROR, one, 1 + i / 2);
    mailbox_drop(box, has_that_number, &like);
    cr_expect_eq(weir_mailbox_count(box), 4u);
    cr_expect_eq(first(box), 1);
    cr_expect_eq(first(box), 1);
    cr_expect_eq(first(box), 3);
    cr_expect_eq(first(box), 3);
    end(box);
    cr_expect_eq(memory_live_count(), 0);
}

Test(mailbox, a_thread_waits_for_as_long_as_it_said)
{
    weir_message message;
    weir_mailbox *box = mailbox();
    uint64_t began_ns = clock_now_ns();
    cr_expect_eq(mailbox_receive_in_thread(box, 30, &message), WEIR_TIMEOUT);
    cr_expect_geq(clock_now_ns() - began_ns, 30000000u);
    end(box);
}

static atomic_bool done;

static void *make(void *place)
{
    *(weir_mailbox **)place = mailbox();
    atomic_store(&done, true);
    return NULL;
}

static void *finish(void *box)
{
    end(box);
    atomic_store(&done, true);
    return NULL;
}

/* Whether a thread does it, and not before the list of all mailboxes is free. */
static void expect_to_wait(void *(*work)(void *), void *data)
{
    enum { MS = 1000000 };
    pthread_t thread;
    atomic_store(&done, false);
    mailboxes_lock_list();
    cr_assert_eq(thread_create(&thread, work, data), 0);
    for (uint64_t began_ns = clock_now_ns(); clock_now_ns() - began_ns < 20 * MS;)
        cr_expect_not(atomic_load(&done));
    mailboxes_unlock_list();
    pthread_join(thread, NULL);
    cr_expect(atomic_load(&done));
}

/* A fork goes through it. */
Test(mailbox, the_list_of_all_is_one_threads_at_a_time)
{
    weir_mailbox *box;
    expect_to_wait(make, &box);
    expect_to_wait(finish, box);
    cr_expect_eq(memory_live_count(), 0);
}

static struct scheduler scheduler;
static int arrivals;

static void arrived(struct mail_wait *wait)
{
    (void)wait;
    arrivals++;
}

/* Whether its scheduler has been told to look. */
static bool is_called(void)
{
    struct inbox_node *node = inbox_take(&scheduler.inbox);
    if (!node)
        return false;
    cr_expect_null(node->next);
    node->run(&scheduler, node);
    return true;
}

/* Two processes that wait for one mailbox; one is called for each message. */
Test(mailbox, who_listens_is_called_to_its_scheduler)
{
    struct mail_wait wait;
    struct mail_wait second;
    weir_message message;
    weir_mailbox *box = mailbox();
    cr_assert_eq(inbox_open(&scheduler.inbox), 0);
    registry_publish(0, &scheduler);
    mail_wait_init(&wait, &scheduler, arrived);
    mail_wait_init(&second, &scheduler, arrived);
    cr_expect_not(mailbox_take_or_listen(box, &wait, &message));
    cr_expect_not(mailbox_take_or_listen(box, &second, &message));
    cr_expect_eq(wait.state, MAIL_LISTENS);
    put(box, WEIR_MESSAGE_ERROR, one, 1);
    cr_expect_eq(wait.state, MAIL_CALLED);
    cr_expect_eq(second.state, MAIL_LISTENS);
    cr_expect(is_called() && arrivals == 1);
    cr_expect_eq(wait.state, MAIL_IDLE);

    /* It leaves without its message, so the other is called. */
    mailbox_listen_no_more(box, &wait);
    cr_expect_eq(second.state, MAIL_CALLED);
    cr_expect(is_called() && arrivals == 2);
    cr_expect(mailbox_take_or_listen(box, &second, &message) && message.error == 1);

    /* Whoever listens no more is not called. */
    cr_expect_not(mailbox_take_or_listen(box, &second, &message));
    mailbox_listen_no_more(box, &second);
    cr_expect_eq(second.state, MAIL_IDLE);
    put(box, WEIR_MESSAGE_ERROR, one, 2);
    cr_expect_not(is_called());
    cr_expect(mailbox_take_or_listen(box, &wait, &message) && message.error == 2);
    registry_withdraw(0);
    end(box);
    cr_expect_eq(memory_live_count(), 0);
}

/* What a process owns is noted, and what was when it ended is looked for on every scheduler. */
Test(mailbox, a_round_goes_on_while_there_is_something_owned)
{
    weir_mailbox *box;
    bool unknown;
    cr_assert_eq(mailbox_create_for_process(&box, 3), 0);
    cr_expect_eq(mailbox_home(box), 3);
    cr_expect_null(mailbox_note_owned(box, one));
    cr_expect_null(mailbox_note_owned(box, other));
    mailbox_forget_owned(box, other);
    mailbox_end(box);
    cr_expect_eq(mailbox_round_step(box), 0);
    cr_expect_eq(mailbox_round_step(box), 1);
    cr_expect_null(mailbox_note_owned(box, other), "the round goes on already");
    cr_expect_eq(mailbox_round_step(box), 0, "and begins anew");
    cr_expect_eq(mailbox_take_owned(box, 1, &unknown).id, 0u);
    uint64_t taken = mailbox_take_owned(box, 0, &unknown).id;
    cr_expect_eq(taken + mailbox_take_owned(box, 0, &unknown).id, one.id + other.id);
    cr_expect_not(unknown);
    cr_expect_eq(mailbox_round_step(box), -1);
    struct mailbox_round *round = mailbox_note_owned(box, one);
    cr_expect_eq(round, mailbox_round_of(box), "of one that has ended");
    for (int i = 0; i < REGISTRY_CAPACITY; i++)
        cr_assert_eq(mailbox_round_step(box), i);
    cr_expect_eq(mailbox_round_step(box), -1, "round once");
    mailbox_release(box);
    mailbox_release(box);
    cr_expect_eq(memory_live_count(), 0);
}
