/* SPDX-License-Identifier: MIT */
#include "base/check.h"
#include "base/memory.h"
#include "message.h"
#include "owners.h"

#include <pthread.h>

struct owners {
    weir_mailbox *mailboxes[OWNER_COUNT]; /* NULL: it is gone */
};

struct thread_work {
    owners_work *work;
    void *data;
};

static void *run_thread(void *data)
{
    struct thread_work work = *(struct thread_work *)data;
    memory_free(data);
    work.work(work.data);
    return NULL;
}

static void begin(weir_runtime *runtime, owners_work *work, void *data)
{
    pthread_t thread;
    struct thread_work *own = memory_allocate(sizeof(*own));
    (void)runtime;
    CHECK(own);
    *own = (struct thread_work){work, data};
    CHECK_EQ(pthread_create(&thread, NULL, run_thread, own), 0);
    pthread_detach(thread);
}

static struct owners *open_owners(weir_runtime *runtime)
{
    struct owners *owners = memory_allocate_zeroed(1, sizeof(*owners));
    (void)runtime;
    CHECK(owners);
    for (int i = 0; i < OWNER_COUNT; i++)
        CHECK_EQ(weir_mailbox_create(&owners->mailboxes[i]), 0);
    return owners;
}

static void close_owners(struct owners *owners)
{
    for (int i = 0; i < OWNER_COUNT; i++)
        if (owners->mailboxes[i])
            weir_mailbox_destroy(owners->mailboxes[i]);
    memory_free(owners);
}

static weir_owner opener(const struct owners *owners)
{
    return weir_mailed_to(owners->mailboxes[OWNER_A]);
}

/* It is its already. */
static int adopt(const struct owners *owners, weir_socket socket)
{
    (void)owners;
    (void)socket;
    return 0;
}

static bool is_gone(const struct owners *owners, enum owner who)
{
    return !owners->mailboxes[who];
}

static int give(struct owners *owners, weir_socket socket, enum owner from, enum owner to)
{
    return weir_controlling_process(socket, weir_mailed_to(owners->mailboxes[from]),
                                    weir_mailed_to(owners->mailboxes[to]));
}

static void kill_b(struct owners *owners)
{
    weir_mailbox_destroy(owners->mailboxes[OWNER_B]);
    owners->mailboxes[OWNER_B] = NULL;
}

static void write_messages(struct owners *owners, enum owner who, FILE *to, bool with_mode)
{
    weir_message message;
    while (weir_mailbox_receive(owners->mailboxes[who], 0, &message) == 0)
        message_write(to, &message, with_mode);
}

static void await(owners_work *work, void *data)
{
    work(data);
}

const struct owners_kind owners_mailboxes = {
    .begin = begin,
    .open = open_owners,
    .close = close_owners,
    .opener = opener,
    .adopt = adopt,
    .is_gone = is_gone,
    .give = give,
    .kill_b = kill_b,
    .write_messages = write_messages,
    .await = await,
};
