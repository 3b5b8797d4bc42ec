/* SPDX-License-Identifier: MIT */
#include "runtime/owner/owner.h"

#include "base/canary.h"
#include "base/check.h"
#include "base/error.h"
#include "base/probe.h"
#include "options/option_block.h"
#include "runtime/owner/mailbox.h"
#include "runtime/owner/msgq.h"
#include "runtime/scheduler/call.h"
#include "runtime/scheduler/registry.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/scheduler/slot.h"
#include "runtime/scheduler/slow.h"
#include "runtime/scheduler/waiter.h"

void owner_keep(weir_owner owner)
{
    if (owner.mailbox)
        mailbox_keep(owner.mailbox);
}

void owner_release(weir_owner owner)
{
    if (owner.mailbox)
        mailbox_release(owner.mailbox);
}

weir_owner owner_or_caller(weir_owner owner)
{
    const struct scheduler *here = scheduler_current();
    bool is_caller = owner_is_nobody(owner) && here && here->waiter;
    return is_caller ? weir_mailed_to(here->waiter->mailbox) : owner;
}

int owner_check(weir_owner owner)
{
    return owner.mailbox ? mailbox_check(owner.mailbox, WEIR_BADARG) : 0;
}

static struct msgq *msgq_of(const struct slot *slot)
{
    return slot->is_mailed ? slot->owner_data : NULL;
}

bool owner_is_full(const struct slot *slot)
{
    const struct msgq *msgq = msgq_of(slot);
    return msgq && msgq_is_full(msgq);
}

void owner_marks_changed(const struct slot *slot)
{
    struct msgq *msgq = msgq_of(slot);
    if (msgq)
        msgq_set_marks(msgq, &slot->options->values);
}

static void close_by_looking(struct scheduler *scheduler, weir_mailbox *mailbox)
{
    for (uint32_t index = 0; index < slot_table_size(&scheduler->slots); index++) {
        struct slot *slot = slot_table_at(&scheduler->slots, index);
        if (slot_mailbox(slot) == mailbox)
            slot_end(scheduler, slot, END_OWNER_DIED);
        else if (slot->state != SOCKET_FREE && scheduler->kinds[slot->kind]->lose_mailbox)
            scheduler->kinds[slot->kind]->lose_mailbox(scheduler, slot);
    }
}

static void close_noted(struct scheduler *scheduler, weir_mailbox *mailbox)
{
    weir_socket socket;
    bool unknown;
    while ((socket = mailbox_take_owned(mailbox, scheduler->index, &unknown)).id != 0) {
        struct slot *slot = slot_find_any(scheduler, socket);
        if (slot && slot_mailbox(slot) == mailbox)
            slot_end(scheduler, slot, END_OWNER_DIED);
    }
    if (unknown)
        close_by_looking(scheduler, mailbox);
}

static void go_round(struct mailbox_round *round);

static void arrive(struct scheduler *scheduler, struct inbox_node *node)
{
    struct mailbox_round *round = list_entry(node, struct mailbox_round, node);
    close_noted(scheduler, round->mailbox);
    go_round(round);
}

/* To the next scheduler that there is; nothing is left on those that have ended. */
static void go_round(struct mailbox_round *round)
{
    int index;
    while ((index = mailbox_round_step(round->mailbox)) >= 0) {
        struct scheduler *there = registry_enter((uint32_t)index);
        if (!there)
            continue;
        round->node.run = arrive;
        inbox_post(&there->inbox, &round->node);
        registry_leave((uint32_t)index);
        return;
    }
    mailbox_release(round->mailbox);
}

void owner_process_died(struct scheduler *scheduler, weir_mailbox *mailbox)
{
    mailbox_end(mailbox);
    if (!CANARY(ORPHANED))
        close_noted(scheduler, mailbox);
    go_round(mailbox_round_of(mailbox));
}

/* What waits in one mailbox moves to the next, and counts as before. */
void owner_set(struct slot *slot, weir_owner owner)
{
    struct msgq *msgq = msgq_of(slot);
    struct mailbox_round *round = NULL;
    if (slot->is_mailed)
        mailbox_forget_owned(slot->owner.mailbox, slot_handle(scheduler_current(), slot));
    if (owner.mailbox) {
        mailbox_keep(owner.mailbox);
        round = mailbox_note_owned(owner.mailbox, slot_handle(scheduler_current(), slot));
    }
    if (slot->is_mailed)
        mailbox_release(slot->owner.mailbox);
    if (msgq && !owner.mailbox)
        msgq_release(msgq);
    slot->is_mailed = owner.mailbox != NULL;
    slot->owner_data = owner.mailbox ? msgq : owner.data;
    if (owner.mailbox)
        slot->owner.mailbox = owner.mailbox;
    else
        slot->owner.handler = owner.handler;
    if (round)
        go_round(round);
}

static int post_packet(struct slot *slot, weir_socket handle, const weir_packet *packet)
{
    weir_message message = {.kind = WEIR_MESSAGE_DATA, .socket = handle};
    struct msgq *msgq = slot->owner_data;
    if (!msgq)
        msgq = slot->owner_data = msgq_create(handle);
    if (!msgq)
        return -ENOMEM;
    int result = weir_packet_keep(packet, &message.packet);
    if (result < 0)
        return result;
    size_t weight = msgq_weight(&message.packet);
    msgq_enter(msgq, weight, &slot->options->values);
    result = mailbox_put(slot->owner.mailbox, &message, msgq);
    if (result < 0) {
        msgq_leave(msgq, weight);
        weir_packet_release(&message.packet);
    }
    return result;
}

int owner_tell_packet(struct scheduler *scheduler, struct slot *slot, const weir_packet *packet)
{
    PROBE3(packet, scheduler->number, slot->index, packet->size);
    weir_socket handle = slot_handle(scheduler, slot);
    const weir_handler *handler = slot_handler(slot);
    if (handler) {
        uint64_t began_ns = slow_begin(scheduler);
        if (handler->packet)
            handler->packet(handle, packet, slot->owner_data);
        slow_end(scheduler, began_ns, (slow_function *)handler->packet);
        return 0;
    }
    return slot->is_mailed ? post_packet(slot, handle, packet) : 0;
}

void owner_call_handler(weir_owner owner, const weir_message *message)
{
    const weir_handler *handler = owner.handler;
    switch (message->kind) {
    case WEIR_MESSAGE_DATA:
        if (handler->packet)
            handler->packet(message->socket, &message->packet, owner.data);
        break;
    case WEIR_MESSAGE_ACCEPTED:
        if (handler->accepted)
            handler->accepted(message->socket, owner.data);
        break;
    case WEIR_MESSAGE_PASSIVE:
        if (handler->passive)
            handler->passive(message->socket, owner.data);
        break;
    case WEIR_MESSAGE_ERROR:
        if (handler->error)
            handler->error(message->socket, message->error, owner.data);
        break;
    case WEIR_MESSAGE_CLOSED:
        if (handler->closed)
            handler->closed(message->socket, owner.data);
        break;
    case WEIR_MESSAGE_USER: /* which mailboxes alone get */
    case WEIR_MESSAGE_DOWN:
        break;
    }
}

static slow_function *function_of(const weir_handler *handler, enum weir_message_kind kind)
{
    switch (kind) {
    case WEIR_MESSAGE_ACCEPTED:
        return (slow_function *)handler->accepted;
    case WEIR_MESSAGE_PASSIVE:
        return (slow_function *)handler->passive;
    case WEIR_MESSAGE_ERROR:
        return (slow_function *)handler->error;
    case WEIR_MESSAGE_CLOSED:
        return (slow_function *)handler->closed;
    case WEIR_MESSAGE_DATA:
    case WEIR_MESSAGE_USER:
    case WEIR_MESSAGE_DOWN:
        break;
    }
    return NULL;
}

/* A mailbox without memory for the smallest message loses it: the socket's state still says the
 * same to whoever asks. */
void owner_tell(struct scheduler *scheduler, struct slot *slot, enum weir_message_kind kind,
                int error)
{
    weir_message message = {
        .kind = kind,
        .socket = slot_handle(scheduler, slot),
        .error = error,
    };
    const weir_handler *handler = slot_handler(slot);
    uint64_t began_ns = slow_begin(scheduler);
    if (handler) {
        owner_call_handler(slot_owner(slot), &message);
        slow_end(scheduler, began_ns, function_of(handler, kind));
    } else if (slot->is_mailed)
        (void)mailbox_put(slot->owner.mailbox, &message, NULL);
}

void owner_tell_unbusy(struct scheduler *scheduler, struct slot *slot)
{
    const weir_handler *handler = slot_handler(slot);
    uint64_t began_ns = slow_begin(scheduler);
    if (!handler || !handler->unbusy)
        return;
    handler->unbusy(slot_handle(scheduler, slot), slot->owner_data);
    slow_end(scheduler, began_ns, (slow_function *)handler->unbusy);
}

/* What a mailbox that is gone was to be told is lost, and so its sockets end with it. */
static bool take_messages(struct scheduler *scheduler, const struct slot *slot,
                          struct list *messages)
{
    return !slot->is_mailed || CANARY(LEFT_BEHIND) ||
           mailbox_extract(slot->owner.mailbox, slot_handle(scheduler, slot), messages);
}

int owner_change(struct scheduler *scheduler, struct slot *slot, weir_owner next,
                 struct list *messages)
{
    if (!take_messages(scheduler, slot, messages))
        return error_say(WEIR_CLOSED, "controlling_process: the socket's owner is gone");
    owner_set(slot, next);
    if (next.mailbox)
        mailbox_put_all(next.mailbox, messages);
    return 0;
}

struct death {
    struct call call;
    weir_mailbox *mailbox;
};

static int close_owned(struct scheduler *scheduler, struct slot *unused, struct call *call)
{
    (void)unused;
    close_by_looking(scheduler, list_entry(call, struct death, call)->mailbox);
    return 0;
}

static const struct call_operation operation_owner_died = {
    .name = "weir_mailbox_destroy",
    .run = close_owned,
};

static void close_everywhere(weir_mailbox *mailbox)
{
    for (uint32_t index = 0; index < REGISTRY_CAPACITY; index++) {
        struct death death = {.mailbox = mailbox};
        (void)call_make_on(&operation_owner_died, index, &death.call);
    }
}

int weir_mailbox_destroy(weir_mailbox *mailbox)
{
    if (!call_may_wait())
        return error_say(-EDEADLK, "a mailbox cannot be destroyed by a callback");
    mailbox_end(mailbox);
    close_everywhere(mailbox);
    mailbox_release(mailbox);
    return 0;
}
