/* SPDX-License-Identifier: MIT */
/* weir_mailbox_receive: a thread sleeps for a message, a process is suspended. */
#include <errno.h>

#include "base/error.h"
#include "runtime/owner/mailbox.h"
#include "runtime/scheduler/call.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/scheduler/waiter.h"

struct mail_call {
    struct call call;
    struct mail_wait *wait;
    weir_mailbox *mailbox;
    weir_message *message;
};

static struct mail_call *mail_call_of(struct call *call)
{
    return list_entry(call, struct mail_call, call);
}

static bool take_or_listen(struct call *call)
{
    const struct mail_call *receive = mail_call_of(call);
    return mailbox_take_or_listen(receive->mailbox, receive->wait, receive->message);
}

/* Who is to end would wait, if he were not only looking. */
static int poll(const struct call *call)
{
    const struct mail_call *receive = list_entry(call, struct mail_call, call);
    int result = mailbox_receive_in_thread(receive->mailbox, 0, receive->message);
    return result == WEIR_TIMEOUT && call->waiter->order != WAITER_GOES_ON ? WEIR_KILLED : result;
}

static int run_receive(struct scheduler *scheduler, struct slot *unused, struct call *call)
{
    (void)unused;
    if (call->timeout_ms == 0)
        return poll(call);
    if (take_or_listen(call))
        return 0;
    mail_call_of(call)->wait->call = call;
    call_set_timeout(scheduler, call);
    return CALL_WAITS;
}

static void leave_receive(struct scheduler *scheduler, struct call *call)
{
    const struct mail_call *receive = mail_call_of(call);
    (void)scheduler;
    receive->wait->call = NULL;
    mailbox_listen_no_more(receive->mailbox, receive->wait);
}

static const struct call_operation operation_receive = {
    .name = "weir_mailbox_receive",
    .run = run_receive,
    .leave = leave_receive,
    .dead_result = WEIR_CLOSED,
    .may_wait = true,
};

/* On the scheduler's own way here, or under the call that has put a message into the mailbox. */
static void arrive(struct scheduler *scheduler, struct inbox_node *node)
{
    struct mail_wait *wait = list_entry(node, struct mail_wait, node);
    struct call *call = wait->call;
    wait->state = MAIL_IDLE;
    if (call && take_or_listen(call)) {
        wait->call = NULL;
        call_complete(scheduler, call, 0);
    }
    wait->arrived(wait);
}

void mail_wait_init(struct mail_wait *wait, struct scheduler *scheduler,
                    void (*arrived)(struct mail_wait *wait))
{
    *wait = (struct mail_wait){.scheduler = scheduler, .arrived = arrived};
    list_init(&wait->link);
    wait->node.run = arrive;
}

static int receive_in_process(struct scheduler *here, weir_mailbox *mailbox, int64_t timeout_ms,
                              weir_message *message)
{
    struct mail_call receive = {
        .call.timeout_ms = timeout_ms,
        .wait = here->waiter->mail,
        .mailbox = mailbox,
        .message = message,
    };
    return call_make_on(&operation_receive, here->index, &receive.call);
}

int weir_mailbox_receive(weir_mailbox *mailbox, int64_t timeout_ms, weir_message *message)
{
    struct scheduler *here = scheduler_current();
    call_begin();
    error_clear_text();
    if (here && here->waiter)
        return receive_in_process(here, mailbox, timeout_ms, message);
    if (here && timeout_ms != 0)
        return error_say(-EDEADLK, "waiting for a mailbox would hold up a scheduler");
    return error_from("weir_mailbox_receive",
                      mailbox_receive_in_thread(mailbox, timeout_ms, message));
}
