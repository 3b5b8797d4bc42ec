/* SPDX-License-Identifier: MIT */
/*
 * `b` does what it is asked for by a mailbox of its own, and leaves alone the one that its sockets
 * tell. Who asks waits for it, so that what they both look at is one's at a time.
 */
#include "base/check.h"
#include "base/memory.h"
#include "message.h"
#include "owners.h"

#include <pthread.h>
#include <stdatomic.h>

enum { STACK_BYTES = 1 << 20 };

struct owners {
    weir_process processes[OWNER_COUNT];
    weir_mailbox *asked;    /* of b */
    weir_mailbox *answered; /* and that it has ended */
    bool b_is_gone;
};

struct process_work {
    owners_work *work;
    void *data;
};

static int run_process(void *data)
{
    struct process_work work = *(struct process_work *)data;
    memory_free(data);
    work.work(work.data);
    return 0;
}

static const weir_process_options options = {.stack_bytes = STACK_BYTES};

static void begin(weir_runtime *runtime, owners_work *work, void *data)
{
    struct process_work *own = memory_allocate(sizeof(*own));
    CHECK(own);
    *own = (struct process_work){work, data};
    CHECK_EQ(weir_spawn(runtime, WEIR_ANY_SCHEDULER, run_process, own, &options, NULL), 0);
}

static int be_b(void *data)
{
    const struct owners *owners = data;
    weir_message message;
    int result;
    while ((result = weir_mailbox_receive(owners->asked, WEIR_INFINITY, &message)) == 0) {
        const struct process_work *work = message.data;
        work->work(work->data);
        CHECK_EQ(weir_mailbox_post(owners->answered, NULL), 0);
    }
    return result;
}

static void wait_for_b(const struct owners *owners)
{
    weir_message message;
    CHECK_EQ(weir_mailbox_receive(owners->answered, WEIR_INFINITY, &message), 0);
}

static void ask_b(const struct owners *owners, owners_work *work, void *data)
{
    struct process_work asked = {work, data};
    CHECK_EQ(weir_mailbox_post(owners->asked, &asked), 0);
    wait_for_b(owners);
}

/* On each scheduler by turns: sockets are given to others of the same, and to another's. */
static int next_scheduler(weir_runtime *runtime)
{
    static atomic_uint next;
    return (int)(atomic_fetch_add(&next, 1) / 2 % weir_scheduler_count(runtime));
}

static struct owners *open_owners(weir_runtime *runtime)
{
    struct owners *owners = memory_allocate_zeroed(1, sizeof(*owners));
    CHECK(owners);
    CHECK_EQ(weir_mailbox_create(&owners->asked), 0);
    CHECK_EQ(weir_mailbox_create(&owners->answered), 0);
    owners->processes[OWNER_A] = weir_self();
    CHECK_EQ(weir_spawn(runtime, next_scheduler(runtime), be_b, owners, &options,
                        &owners->processes[OWNER_B]),
             0);
    CHECK_EQ(weir_monitor(owners->processes[OWNER_B], owners->answered, NULL), 0);
    return owners;
}

static void kill_b(struct owners *owners)
{
    CHECK_EQ(weir_kill(owners->processes[OWNER_B]), 0);
    wait_for_b(owners);
    owners->b_is_gone = true;
}

static void close_owners(struct owners *owners)
{
    if (!owners->b_is_gone)
        kill_b(owners);
    weir_mailbox_destroy(owners->asked);
    weir_mailbox_destroy(owners->answered);
    memory_free(owners);
}

static weir_owner opener(const struct owners *owners)
{
    (void)owners;
    return weir_owned_by_self();
}

static int adopt(const struct owners *owners, weir_socket socket)
{
    return weir_give(socket, weir_owned_by_self(), owners->processes[OWNER_A]);
}

static bool is_gone(const struct owners *owners, enum owner who)
{
    return who == OWNER_B && owners->b_is_gone;
}

struct giving {
    weir_socket socket;
    weir_process to;
    int result;
};

static void give_on(void *data)
{
    struct giving *giving = data;
    giving->result = weir_give(giving->socket, weir_owned_by_self(), giving->to);
}

static void let(const struct owners *owners, enum owner who, owners_work *work, void *data)
{
    if (who == OWNER_A)
        work(data);
    else
        ask_b(owners, work, data);
}

/* To the document a process that has ended is a wrong argument. */
static int give(struct owners *owners, weir_socket socket, enum owner from, enum owner to)
{
    struct giving giving = {.socket = socket, .to = owners->processes[to]};
    let(owners, from, give_on, &giving);
    return giving.result == WEIR_NOPROC ? WEIR_BADARG : giving.result;
}

struct writing {
    FILE *to;
    bool with_mode;
};

static void write_own(void *data)
{
    const struct writing *writing = data;
    weir_message message;
    while (weir_receive(0, &message) == 0)
        message_write(writing->to, &message, writing->with_mode);
}

static void write_messages(struct owners *owners, enum owner who, FILE *to, bool with_mode)
{
    struct writing writing = {.to = to, .with_mode = with_mode};
    let(owners, who, write_own, &writing);
}

struct aside {
    owners_work *work;
    void *data;
    weir_mailbox *done;
};

static void *run_aside(void *data)
{
    const struct aside *aside = data;
    aside->work(aside->data);
    CHECK_EQ(weir_mailbox_post(aside->done, NULL), 0);
    return NULL;
}

/* A thread that stops is not the scheduler's. */
static void await(owners_work *work, void *data)
{
    struct aside aside = {.work = work, .data = data};
    weir_message message;
    pthread_t thread;
    CHECK_EQ(weir_mailbox_create(&aside.done), 0);
    CHECK_EQ(pthread_create(&thread, NULL, run_aside, &aside), 0);
    CHECK_EQ(weir_mailbox_receive(aside.done, WEIR_INFINITY, &message), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    weir_mailbox_destroy(aside.done);
}

const struct owners_kind owners_processes = {
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
