/* SPDX-License-Identifier: MIT */
#include "runtime/owner/closed_messages.h"

#include <pthread.h>
#include <stdint.h>

#include "runtime/owner/mailbox.h"

enum { SHELVES = 64, LISTS_PER_SHELF = 64 };

/* Lists that share a lock. One that was never used is all zero. */
struct shelf {
    pthread_mutex_t lock;
    struct list lists[LISTS_PER_SHELF];
};

static struct shelf shelves[SHELVES] = {
    [0 ... SHELVES - 1] = {.lock = PTHREAD_MUTEX_INITIALIZER},
};

/* Slots follow each other; generations tell those of one slot apart. */
static uint64_t hash(weir_socket socket)
{
    return socket.id * 0x9E3779B97F4A7C15u >> 52;
}

static struct shelf *lock_shelf(weir_socket socket)
{
    struct shelf *shelf = &shelves[hash(socket) % SHELVES];
    pthread_mutex_lock(&shelf->lock);
    return shelf;
}

/* With the shelf's lock. */
static struct list *list_of(struct shelf *shelf, weir_socket socket)
{
    struct list *list = &shelf->lists[hash(socket) / SHELVES];
    if (!list->next)
        list_init(list);
    return list;
}

/* With the shelf's lock; `mailbox` NULL: in any. */
static struct mailbox_node *find(struct shelf *shelf, const weir_mailbox *mailbox,
                                 weir_socket socket)
{
    const struct list *list = list_of(shelf, socket);
    for (struct list *link = list->next; link != list; link = link->next) {
        struct mailbox_node *node = list_entry(link, struct mailbox_node, closed);
        if (weir_same_socket(node->message.socket, socket) &&
            (!mailbox || node->mailbox == mailbox))
            return node;
    }
    return NULL;
}

void closed_messages_add(struct mailbox_node *node)
{
    struct shelf *shelf = lock_shelf(node->message.socket);
    list_append(list_of(shelf, node->message.socket), &node->closed);
    pthread_mutex_unlock(&shelf->lock);
}

void closed_messages_remove(struct mailbox_node *node)
{
    struct shelf *shelf = lock_shelf(node->message.socket);
    list_remove(&node->closed);
    pthread_mutex_unlock(&shelf->lock);
}

weir_mailbox *closed_messages_find(weir_socket socket, void (*keep)(weir_mailbox *mailbox))
{
    struct shelf *shelf = lock_shelf(socket);
    const struct mailbox_node *node = find(shelf, NULL, socket);
    weir_mailbox *mailbox = node ? node->mailbox : NULL;
    if (mailbox) /* which keeps its messages for as long as it lives */
        keep(mailbox);
    pthread_mutex_unlock(&shelf->lock);
    return mailbox;
}

struct mailbox_node *closed_messages_take(const weir_mailbox *mailbox, weir_socket socket)
{
    struct shelf *shelf = lock_shelf(socket);
    struct mailbox_node *node = find(shelf, mailbox, socket);
    if (node)
        list_remove(&node->closed);
    pthread_mutex_unlock(&shelf->lock);
    return node;
}

void closed_messages_forget(void)
{
    for (int i = 0; i < SHELVES; i++)
        shelves[i] = (struct shelf){.lock = PTHREAD_MUTEX_INITIALIZER};
}
