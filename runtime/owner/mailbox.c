/* SPDX-License-Identifier: MIT */
/*
 * Any thread may put, take and look: `lock` covers the messages, the listeners, the owned sockets
 * and the round. With it held nothing of the program's runs and no other lock is waited for, but
 * that of closed_messages.c: who is to be called is called when it is free again, and messages are
 * freed then, whose buffers wake the scheduler that they come from. A message wakes one thread or
 * one process, and who was woken and leaves without it wakes another. `refs` counts the sockets,
 * nodes and calls that name the mailbox; it outlives its end, which drops what is in it, for as
 * long as there are any.
 */
#include "runtime/owner/mailbox.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "base/canary.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/thread.h"
#include "runtime/owner/closed_messages.h"
#include "runtime/owner/msgq.h"
#include "runtime/owner/owned.h"
#include "runtime/scheduler/registry.h"
#include "runtime/scheduler/scheduler.h"

/* All that live, for a fork. */
static pthread_mutex_t mailboxes_lock = PTHREAD_MUTEX_INITIALIZER;
static struct list mailboxes = {&mailboxes, &mailboxes};

enum { NO_HOME = -1 };

struct weir_mailbox {
    struct list link; /* in `mailboxes` */
    pthread_mutex_t lock;
    pthread_cond_t arrived;
    struct list messages;
    struct list listeners; /* processes that wait; threads sleep on `arrived` */
    size_t count;
    int home; /* NO_HOME: it is no process's own */
    struct owned owned;
    struct mailbox_round round;
    bool dead;
    bool parents; /* of the process that this one was forked from */
    atomic_uint refs;
};

static void init_arrived(weir_mailbox *mailbox)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&mailbox->arrived, &attributes);
    pthread_condattr_destroy(&attributes);
}

static int create(weir_mailbox **out, int home)
{
    weir_mailbox *mailbox = memory_allocate_zeroed(1, sizeof(*mailbox));
    if (!mailbox)
        return error_say(-ENOMEM, "no memory for a mailbox");
    pthread_mutex_init(&mailbox->lock, NULL);
    init_arrived(mailbox);
    list_init(&mailbox->messages);
    list_init(&mailbox->listeners);
    mailbox->home = home;
    mailbox->round.mailbox = mailbox;
    atomic_init(&mailbox->refs, 1);
    pthread_mutex_lock(&mailboxes_lock);
    list_append(&mailboxes, &mailbox->link);
    pthread_mutex_unlock(&mailboxes_lock);
    *out = mailbox;
    return 0;
}

int weir_mailbox_create(weir_mailbox **mailbox)
{
    return create(mailbox, NO_HOME);
}

int mailbox_create_for_process(weir_mailbox **mailbox, uint32_t home)
{
    return create(mailbox, (int)home);
}

int mailbox_home(const weir_mailbox *mailbox)
{
    return mailbox->home;
}

void mailbox_keep(weir_mailbox *mailbox)
{
    atomic_fetch_add_explicit(&mailbox->refs, 1, memory_order_relaxed);
}

void mailbox_release(weir_mailbox *mailbox)
{
    if (atomic_fetch_sub_explicit(&mailbox->refs, 1, memory_order_acq_rel) != 1)
        return;
    CHECK(list_is_empty(&mailbox->messages));
    thread_end_lock(&mailbox->lock);
    pthread_cond_destroy(&mailbox->arrived);
    owned_free(&mailbox->owned);
    memory_free(mailbox);
}

bool mailbox_is_dead(weir_mailbox *mailbox)
{
    pthread_mutex_lock(&mailbox->lock);
    bool dead = mailbox->dead;
    pthread_mutex_unlock(&mailbox->lock);
    return dead;
}

/* The packet is whoever's it was given to. */
static void drop_node(struct mailbox_node *node, size_t weight)
{
    if (node->msgq)
        msgq_leave(node->msgq, weight);
    memory_free(node);
}

void mailbox_free_node(struct mailbox_node *node)
{
    size_t weight = msgq_weight(&node->message.packet);
    weir_packet_release(&node->message.packet);
    drop_node(node, weight);
}

struct mailbox_node *mailbox_node_create(const weir_message *message, struct msgq *msgq)
{
    struct mailbox_node *node = memory_allocate(sizeof(*node));
    if (!node)
        return NULL;
    node->message = *message;
    node->msgq = msgq;
    return node;
}

int mailbox_put(weir_mailbox *mailbox, const weir_message *message, struct msgq *msgq)
{
    struct mailbox_node *node = mailbox_node_create(message, msgq);
    if (!node)
        return -ENOMEM;
    struct list one;
    list_init(&one);
    list_append(&one, &node->link);
    mailbox_put_all(mailbox, &one);
    return 0;
}

/* With the lock held, as take_node. */
static void add_node(weir_mailbox *mailbox, struct mailbox_node *node)
{
    list_append(&mailbox->messages, &node->link);
    node->mailbox = mailbox;
    if (node->message.kind == WEIR_MESSAGE_CLOSED)
        closed_messages_add(node);
    mailbox->count++;
}

static struct mailbox_node *take_node(weir_mailbox *mailbox, struct mailbox_node *node)
{
    list_remove(&node->link);
    if (node->message.kind == WEIR_MESSAGE_CLOSED)
        closed_messages_remove(node);
    mailbox->count--;
    return node;
}

/* With the lock held: a message has come, for one of those who wait. A process is to be called by
 * `called`, when the lock is not held any more. */
static void choose_receiver(weir_mailbox *mailbox, struct list *called)
{
    struct list *link = list_take(&mailbox->listeners);
    if (!link) {
        pthread_cond_signal(&mailbox->arrived); /* one thread each */
        return;
    }
    list_entry(link, struct mail_wait, link)->state = MAIL_CALLED;
    list_append(called, link);
}

/* Its scheduler does not end before it has been there. */
static void call_to_scheduler(struct mail_wait *wait)
{
    if (CANARY(DEAF_PROCESS))
        return;
    struct scheduler *here = scheduler_current();
    uint32_t index = wait->scheduler->index;
    if (here == wait->scheduler) {
        wait->node.run(here, &wait->node);
        return;
    }
    registry_enter_living(index);
    inbox_post(&wait->scheduler->inbox, &wait->node);
    registry_leave(index);
}

static void call_all(struct list *called)
{
    struct list *link;
    while ((link = list_take(called)))
        call_to_scheduler(list_entry(link, struct mail_wait, link));
}

void mailbox_put_all(weir_mailbox *mailbox, struct list *list)
{
    struct list called;
    list_init(&called);
    pthread_mutex_lock(&mailbox->lock);
    struct list *node;
    while (!mailbox->dead && (node = list_take(list))) {
        add_node(mailbox, list_entry(node, struct mailbox_node, link));
        choose_receiver(mailbox, &called);
    }
    pthread_mutex_unlock(&mailbox->lock);
    call_all(&called);
    mailbox_free_nodes(list);
}

bool mailbox_extract(weir_mailbox *mailbox, weir_socket socket, struct list *list)
{
    pthread_mutex_lock(&mailbox->lock);
    bool dead = mailbox->dead;
    struct list *link = mailbox->messages.next;
    while (link != &mailbox->messages) {
        struct mailbox_node *node = list_entry(link, struct mailbox_node, link);
        link = link->next;
        if (weir_same_socket(node->message.socket, socket))
            list_append(list, &take_node(mailbox, node)->link);
    }
    pthread_mutex_unlock(&mailbox->lock);
    return !dead;
}

void mailbox_free_nodes(struct list *list)
{
    struct list *node;
    while ((node = list_take(list)))
        mailbox_free_node(list_entry(node, struct mailbox_node, link));
}

static void forget_closed_of(weir_mailbox *mailbox, weir_socket socket)
{
    struct mailbox_node *node;
    struct list forgotten;
    list_init(&forgotten);
    pthread_mutex_lock(&mailbox->lock);
    while ((node = closed_messages_take(mailbox, socket))) {
        list_remove(&node->link);
        mailbox->count--;
        list_append(&forgotten, &node->link);
    }
    pthread_mutex_unlock(&mailbox->lock);
    mailbox_free_nodes(&forgotten);
}

void mailbox_forget_closed(weir_socket socket)
{
    weir_mailbox *mailbox;
    while ((mailbox = closed_messages_find(socket, mailbox_keep))) {
        forget_closed_of(mailbox, socket);
        mailbox_release(mailbox);
    }
}

void mailbox_drop(weir_mailbox *mailbox,
                  bool (*is_it)(const weir_message *message, const weir_message *like),
                  const weir_message *like)
{
    struct list dropped;
    list_init(&dropped);
    pthread_mutex_lock(&mailbox->lock);
    struct list *link = mailbox->messages.next;
    while (link != &mailbox->messages) {
        struct mailbox_node *node = list_entry(link, struct mailbox_node, link);
        link = link->next;
        if (is_it(&node->message, like))
            list_append(&dropped, &take_node(mailbox, node)->link);
    }
    pthread_mutex_unlock(&mailbox->lock);
    mailbox_free_nodes(&dropped);
}

void mailbox_end(weir_mailbox *mailbox)
{
    struct list dropped;
    list_init(&dropped);
    pthread_mutex_lock(&mailboxes_lock);
    list_remove(&mailbox->link);
    pthread_mutex_unlock(&mailboxes_lock);
    pthread_mutex_lock(&mailbox->lock);
    mailbox->dead = true;
    mailbox->round.goes_on = mailbox->home != NO_HOME;
    while (!list_is_empty(&mailbox->messages)) {
        struct list *first = mailbox->messages.next;
        (void)take_node(mailbox, list_entry(first, struct mailbox_node, link));
        list_append(&dropped, first);
    }
    pthread_mutex_unlock(&mailbox->lock);
    mailbox_free_nodes(&dropped);
}

/* With the lock held: whether a round is to begin. */
static bool needs_round(weir_mailbox *mailbox)
{
    bool begins = mailbox->dead && !mailbox->round.goes_on;
    mailbox->round.next = 0;
    mailbox->round.goes_on |= mailbox->dead;
    return begins;
}

struct mailbox_round *mailbox_note_owned(weir_mailbox *mailbox, weir_socket socket)
{
    if (mailbox->home == NO_HOME)
        return NULL;
    pthread_mutex_lock(&mailbox->lock);
    owned_add(&mailbox->owned, socket.id);
    bool begins = needs_round(mailbox);
    pthread_mutex_unlock(&mailbox->lock);
    if (!begins)
        return NULL;
    mailbox_keep(mailbox);
    return &mailbox->round;
}

void mailbox_forget_owned(weir_mailbox *mailbox, weir_socket socket)
{
    if (mailbox->home == NO_HOME)
        return;
    pthread_mutex_lock(&mailbox->lock);
    owned_remove(&mailbox->owned, socket.id);
    pthread_mutex_unlock(&mailbox->lock);
}

weir_socket mailbox_take_owned(weir_mailbox *mailbox, uint32_t scheduler, bool *unknown)
{
    pthread_mutex_lock(&mailbox->lock);
    weir_socket socket = {owned_take(&mailbox->owned, scheduler)};
    *unknown = mailbox->owned.incomplete;
    pthread_mutex_unlock(&mailbox->lock);
    return socket;
}

int mailbox_round_step(weir_mailbox *mailbox)
{
    struct mailbox_round *round = &mailbox->round;
    pthread_mutex_lock(&mailbox->lock);
    bool any = mailbox->owned.count > 0 || mailbox->owned.incomplete;
    int index = any && round->next < REGISTRY_CAPACITY ? (int)round->next++ : -1;
    round->goes_on = index >= 0;
    pthread_mutex_unlock(&mailbox->lock);
    return index;
}

struct mailbox_round *mailbox_round_of(weir_mailbox *mailbox)
{
    return &mailbox->round;
}

static struct timespec deadline_after(int64_t timeout_ms)
{
    const int64_t second_ns = 1000000000;
    int64_t now_ns = (int64_t)clock_now_ns();
    int64_t ns = now_ns % second_ns + timeout_ms % 1000 * 1000000;
    return (struct timespec){
        .tv_sec = now_ns / second_ns + timeout_ms / 1000 + ns / second_ns,
        .tv_nsec = ns % second_ns,
    };
}

/* With the lock held. 0 when there is a message. */
static int wait_for_message(weir_mailbox *mailbox, int64_t timeout_ms)
{
    struct timespec deadline = deadline_after(timeout_ms > 0 ? timeout_ms : 0);
    while (list_is_empty(&mailbox->messages)) {
        if (timeout_ms == 0)
            return WEIR_TIMEOUT;
        if (timeout_ms < 0)
            pthread_cond_wait(&mailbox->arrived, &mailbox->lock);
        else if (pthread_cond_timedwait(&mailbox->arrived, &mailbox->lock, &deadline) == ETIMEDOUT)
            timeout_ms = 0;
    }
    return 0;
}

/* The thread was cancelled while it waited. Another may have to take the message that was to be
 * this one's. */
static void leave_to_others(void *data)
{
    weir_mailbox *mailbox = data;
    if (!list_is_empty(&mailbox->messages))
        pthread_cond_signal(&mailbox->arrived);
    pthread_mutex_unlock(&mailbox->lock);
}

/* With the lock held, unless the thread is cancelled. 0 when there is a message. */
static int wait_or_be_cancelled(weir_mailbox *mailbox, int64_t timeout_ms)
{
    int result;
    pthread_cleanup_push(leave_to_others, mailbox);
    result = mailbox->parents ? registry_say_parents(WEIR_CLOSED)
                              : wait_for_message(mailbox, timeout_ms);
    pthread_cleanup_pop(0);
    return result;
}

/* With the lock held; NULL: there is none. */
static struct mailbox_node *take_first(weir_mailbox *mailbox)
{
    if (list_is_empty(&mailbox->messages))
        return NULL;
    return take_node(mailbox, list_entry(mailbox->messages.next, struct mailbox_node, link));
}

static void hand_out(struct mailbox_node *node, weir_message *message)
{
    *message = node->message;
    drop_node(node, msgq_weight(&node->message.packet));
}

bool mailbox_take_or_listen(weir_mailbox *mailbox, struct mail_wait *wait, weir_message *message)
{
    pthread_mutex_lock(&mailbox->lock);
    struct mailbox_node *node = take_first(mailbox);
    if (!node && wait->state == MAIL_IDLE) {
        wait->state = MAIL_LISTENS;
        list_append(&mailbox->listeners, &wait->link);
    }
    pthread_mutex_unlock(&mailbox->lock);
    if (node)
        hand_out(node, message);
    return node != NULL;
}

/* Another may have to take the message that it was called for. */
void mailbox_listen_no_more(weir_mailbox *mailbox, struct mail_wait *wait)
{
    struct list called;
    list_init(&called);
    pthread_mutex_lock(&mailbox->lock);
    if (wait->state == MAIL_LISTENS) {
        list_remove(&wait->link);
        wait->state = MAIL_IDLE;
    } else if (!list_is_empty(&mailbox->messages)) {
        choose_receiver(mailbox, &called);
    }
    pthread_mutex_unlock(&mailbox->lock);
    call_all(&called);
}

int mailbox_receive_in_thread(weir_mailbox *mailbox, int64_t timeout_ms, weir_message *message)
{
    struct mailbox_node *node = NULL;
    pthread_mutex_lock(&mailbox->lock);
    int result = wait_or_be_cancelled(mailbox, timeout_ms);
    if (result == 0)
        node = take_first(mailbox);
    pthread_mutex_unlock(&mailbox->lock);
    if (node)
        hand_out(node, message);
    return result;
}

int mailbox_check(weir_mailbox *mailbox, int error)
{
    pthread_mutex_lock(&mailbox->lock);
    bool dead = mailbox->dead;
    bool parents = mailbox->parents;
    pthread_mutex_unlock(&mailbox->lock);
    if (parents)
        return registry_say_parents(error);
    return dead ? error_say(error, "the mailbox is gone") : 0;
}

int weir_mailbox_post(weir_mailbox *mailbox, void *data)
{
    const weir_message message = {.kind = WEIR_MESSAGE_USER, .data = data};
    error_clear_text();
    int result = mailbox_check(mailbox, WEIR_CLOSED);
    if (result == 0)
        result = mailbox_put(mailbox, &message, NULL);
    return result == -ENOMEM ? error_say(result, "no memory for a message") : result;
}

void mailboxes_lock_list(void)
{
    pthread_mutex_lock(&mailboxes_lock);
}

void mailboxes_unlock_list(void)
{
    pthread_mutex_unlock(&mailboxes_lock);
}

/* Any of them may have been in the middle of a change, and those who waited are the parent's
 * threads: locks and lists begin anew. The messages are the parent's. */
void mailboxes_forget(void)
{
    closed_messages_forget();
    for (struct list *link = mailboxes.next; link != &mailboxes; link = link->next) {
        weir_mailbox *mailbox = list_entry(link, struct weir_mailbox, link);
        pthread_mutex_init(&mailbox->lock, NULL);
        init_arrived(mailbox);
        list_init(&mailbox->messages);
        list_init(&mailbox->listeners);
        mailbox->count = 0;
        mailbox->parents = true;
    }
}

size_t weir_mailbox_count(weir_mailbox *mailbox)
{
    pthread_mutex_lock(&mailbox->lock);
    size_t count = mailbox->count;
    pthread_mutex_unlock(&mailbox->lock);
    return count;
}
