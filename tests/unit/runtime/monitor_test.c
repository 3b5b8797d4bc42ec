/* SPDX-License-Identifier: MIT */
/* Who is told of a process's end: mailboxes of threads, here. */
#include "runtime/process/monitor.h"

#include <criterion/criterion.h>
#include <errno.h>

#include "base/memory.h"
#include "runtime/owner/mailbox.h"

static struct monitors monitors;

static weir_mailbox *mailbox(void)
{
    weir_mailbox *made;
    cr_assert_eq(weir_mailbox_create(&made), 0);
    return made;
}

static void end(weir_mailbox *one)
{
    mailbox_end(one);
    mailbox_release(one);
}

static void add(weir_mailbox *to, void *data)
{
    const weir_message message = {.kind = WEIR_MESSAGE_DOWN, .data = data};
    cr_assert_eq(monitors_add(&monitors, &message, to), 0);
}

/* The data of the next message, which says this reason. */
static void *told(weir_mailbox *to, int reason)
{
    weir_message message;
    cr_assert_eq(weir_mailbox_receive(to, 0, &message), 0);
    cr_expect_eq(message.kind, WEIR_MESSAGE_DOWN);
    cr_expect_eq(message.error, reason);
    return message.data;
}

Test(monitor, each_is_told_once_and_in_order)
{
    int a, b;
    weir_mailbox *one = mailbox();
    weir_mailbox *other = mailbox();
    monitors_init(&monitors);
    add(one, &a);
    add(other, &a);
    add(one, &b);
    monitors_tell(&monitors, 7);
    cr_expect_eq(told(one, 7), &a);
    cr_expect_eq(told(one, 7), &b);
    cr_expect_eq(told(other, 7), &a);
    monitors_tell(&monitors, 8);
    cr_expect_eq(weir_mailbox_count(one) + weir_mailbox_count(other), 0u);
    cr_expect_eq(monitors.count, 0u);
    end(one);
    end(other);
    cr_expect_eq(memory_live_count(), 0);
}

Test(monitor, that_is_removed_is_not_told)
{
    int a, b;
    weir_mailbox *one = mailbox();
    weir_mailbox *other = mailbox();
    monitors_init(&monitors);
    add(one, &a);
    add(one, &b);
    add(other, &a);
    add(one, &a);
    monitors_remove(&monitors, one, &a);
    cr_expect_eq(monitors.count, 2u);
    monitors_tell(&monitors, 0);
    cr_expect_eq(told(one, 0), &b);
    cr_expect_eq(told(other, 0), &a);
    cr_expect_eq(weir_mailbox_count(one) + weir_mailbox_count(other), 0u);
    end(one);
    end(other);
    cr_expect_eq(memory_live_count(), 0);
}

/* Those that end are looked for when there are twice as many as the last time, and eight. */
Test(monitor, those_of_mailboxes_that_ended_make_room)
{
    weir_mailbox *lasting[6];
    monitors_init(&monitors);
    for (int i = 0; i < 6; i++)
        add(lasting[i] = mailbox(), NULL);
    for (int i = 0; i < 1000; i++) {
        weir_mailbox *passing = mailbox();
        add(passing, NULL);
        end(passing);
        cr_assert_leq(monitors.count, 12u);
    }
    cr_expect_eq(monitors.looked_through, 6u);
    monitors_tell(&monitors, 0);
    for (int i = 0; i < 6; i++) {
        cr_expect_eq(weir_mailbox_count(lasting[i]), 1u);
        end(lasting[i]);
    }
    cr_expect_eq(memory_live_count(), 0);
}

Test(monitor, few_are_not_looked_through)
{
    weir_mailbox *passing[9];
    monitors_init(&monitors);
    for (uint32_t i = 0; i < 9; i++) {
        cr_expect_eq(monitors.count, i);
        add(passing[i] = mailbox(), NULL);
        end(passing[i]);
    }
    cr_expect_eq(monitors.count, 1u);
    monitors_tell(&monitors, 0);
    cr_expect_eq(memory_live_count(), 0);
}

Test(monitor, without_memory_there_is_none)
{
    const weir_message message = {.kind = WEIR_MESSAGE_DOWN};
    weir_mailbox *one = mailbox();
    monitors_init(&monitors);
    memory_fail_nth(1);
    cr_expect_eq(monitors_add(&monitors, &message, one), -ENOMEM);
    cr_expect_eq(monitors.count, 0u);
    end(one);
    cr_expect_eq(memory_live_count(), 0);
}
