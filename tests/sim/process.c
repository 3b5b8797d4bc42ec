/* SPDX-License-Identifier: MIT */
/*
 * A few processes that sleep, post to each other, watch, kill and spawn, take what comes, and use
 * sockets, their own among them. The model holds that a wait is as long as it should be, that what
 * one sends another comes in order and whole, that whoever watches is told once, and that each
 * ends, once, soon when it was killed, and does not come back from a wait more than once when it is
 * to.
 */
#include "sim/process.h"

#include <errno.h>
#include <stddef.h>

#include "runtime/process/process.h"
#include "runtime/scheduler/scheduler.h"
#include "sim/dice.h"
#include "sim/kept.h"
#include "sim/kernel.h"
#include "sim/model.h"
#include "sim/post.h"
#include "sim/process_act.h"
#include "sim/program.h"
#include "sim/slow.h"
#include "sim/trace.h"
#include <weir/weir.h>

enum { MOST = POST_PROCESSES_MOST, ACTS_MOST = 40, STACK_BYTES = 512 << 10 };

struct sender {
    uint32_t serial;
    uint32_t taken; /* of what it has posted */
};

struct member {
    bool lives;
    weir_process process;
    uint32_t serial;     /* of those that have been this member */
    uint32_t sent[MOST]; /* to each of the others, as they are now */
    uint32_t to[MOST];   /* whose serial that was */
    /* Also those who have ended: what they posted from another scheduler may come after what the
     * next of the same place posts on this one. An act takes one message at most. */
    struct sender senders[ACTS_MOST];
    uint32_t watched;   /* whose end it has yet to be told of */
    bool knows;         /* that it is to end */
    uint64_t killed_ns; /* by another, since when; 0: not */
    uint32_t owner;     /* of sockets */
    const weir_mailbox *mailbox;
};

static struct member members[MOST];
static uint32_t serials;

static void spawn_some(weir_runtime *runtime);

void process_reset(void)
{
    for (uint32_t i = 0; i < MOST; i++)
        members[i] = (struct member){0};
    serials = 0;
}

static struct member *some_member(void)
{
    return &members[dice_below(MOST)];
}

static uint32_t index_of(const struct member *member)
{
    return (uint32_t)(member - members);
}

/* Once: the next wait does not come back. */
static int note_result(struct member *self, int result)
{
    SIM_CHECK(!self->knows, "a process that knows that it is to end has come back");
    self->knows = result == WEIR_KILLED;
    return result;
}

bool process_current(void)
{
    return weir_self().id != 0;
}

static struct member *self_member(void)
{
    weir_process self = weir_self();
    for (uint32_t i = 0; i < MOST && self.id != 0; i++)
        if (members[i].lives && members[i].process.id == self.id)
            return &members[i];
    return NULL;
}

uint32_t process_owner(void)
{
    const struct member *self = self_member();
    return self ? self->owner : 0;
}

void process_waited(int result)
{
    struct member *self = self_member();
    if (self)
        note_result(self, result);
    else
        SIM_CHECK(result != WEIR_KILLED, "a call is killed that no process has made");
}

static void check_waited(uint64_t since_ns, int64_t timeout_ms)
{
    SIM_CHECK(kernel.now_ns >= since_ns + (uint64_t)timeout_ms * 1000000u,
              "a process has waited less than %lld ms", (long long)timeout_ms);
}

static void act_sleep(struct member *self)
{
    int64_t time_ms = dice_chance(300) ? 0 : dice_size(30);
    uint64_t since_ns = kernel.now_ns;
    int result = note_result(self, weir_sleep(time_ms));
    SIM_CHECK(result == 0 || result == WEIR_KILLED, "a sleep gives %s", weir_error_name(result));
    if (result == 0)
        check_waited(since_ns, time_ms);
}

/* Of which serial, and the how manyeth of his. */
static void *make_data(const struct member *from, uint32_t number)
{
    return (void *)((uintptr_t)from->serial << 32 | number); /* NOLINT(performance-no-int-to-ptr) */
}

/* A new one has sent nothing yet. */
static struct sender *find_sender(struct member *self, uint32_t serial)
{
    struct sender *sender = self->senders;
    while (sender->serial != 0 && sender->serial != serial)
        sender++;
    sender->serial = serial;
    return sender;
}

static void take_user(struct member *self, uintptr_t data)
{
    struct sender *sender = find_sender(self, (uint32_t)(data >> 32));
    uint32_t number = (uint32_t)data;
    SIM_CHECK(number > sender->taken && (model_lenient || number == sender->taken + 1),
              "process %u gets message %u of the process of serial %u after %u", index_of(self),
              number, sender->serial, sender->taken);
    sender->taken = number;
}

static void take_message(struct member *self, weir_message *message)
{
    trace("process %lld takes a message of kind %lld", index_of(self), message->kind, 0, 0);
    if (message->kind == WEIR_MESSAGE_USER) {
        take_user(self, (uintptr_t)message->data);
        return;
    }
    if (message->socket.id != 0) {
        if (message->kind == WEIR_MESSAGE_DATA)
            kept_take(&message->packet);
        return;
    }
    SIM_CHECK(message->kind == WEIR_MESSAGE_DOWN && self->watched > 0,
              "a process gets a message of kind %d", message->kind);
    self->watched--;
}

static void act_receive(struct member *self)
{
    weir_message message;
    int64_t timeout_ms = dice_chance(300) ? 0 : dice_size(50);
    uint64_t since_ns = kernel.now_ns;
    int result = note_result(self, weir_receive(timeout_ms, &message));
    if (result == 0)
        take_message(self, &message);
    else if (result == WEIR_TIMEOUT)
        check_waited(since_ns, timeout_ms);
    else
        SIM_CHECK(result == WEIR_KILLED, "a receive gives %s", weir_error_name(result));
}

static bool may_fail(int result)
{
    return result == WEIR_CLOSED || (result == -ENOMEM && model_lenient);
}

/* One that has failed is not counted: the next has its number. */
static void act_post(struct member *self)
{
    struct member *to = some_member();
    uint32_t index = index_of(to);
    if (!to->lives)
        return;
    if (self->to[index] != to->serial)
        self->sent[index] = 0;
    self->to[index] = to->serial;
    int result = weir_post(to->process, make_data(self, self->sent[index] + 1));
    self->sent[index] += result == 0;
    SIM_CHECK(result == 0 || may_fail(result), "a post gives %s", weir_error_name(result));
}

static void act_kill(struct member *self)
{
    struct member *whom = some_member();
    if (whom->lives && whom->killed_ns == 0)
        whom->killed_ns = kernel.now_ns;
    int result = weir_kill(whom->process);
    (void)self;
    SIM_CHECK(result == 0 || may_fail(result), "a kill gives %s", weir_error_name(result));
}

/* It may wait for another scheduler, and be killed meanwhile. */
static void act_watch(struct member *self)
{
    struct member *whom = some_member();
    self->watched++;
    int result = note_result(self, weir_monitor(whom->process, NULL, NULL));
    if (result == 0)
        return;
    SIM_CHECK(result == WEIR_KILLED || may_fail(result), "monitor gives %s",
              weir_error_name(result));
    if (result != WEIR_KILLED) /* else it may have got there */
        self->watched--;
}

static void act_look_up(struct member *self)
{
    weir_hostent *hostent;
    int result = note_result(
        self, weir_gethostbyname(scheduler_current()->runtime, "host1", dice_size(100), &hostent));
    if (result == 0)
        weir_hostent_free(hostent);
}

static bool makes_calls(const struct member *self)
{
    return !self->knows && !program_winds_down() && dice_chance(program_style.calls);
}

static void act_once(struct member *self)
{
    if (makes_calls(self)) {
        process_act(self->owner);
        return;
    }
    static void (*const acts[])(struct member * self) = {
        act_sleep, act_receive, act_receive, act_receive, act_post,
        act_post,  act_post,    act_kill,    act_watch,   act_look_up,
    };
    uint32_t what = dice_below(sizeof(acts) / sizeof(acts[0]) + 1);
    if (what < sizeof(acts) / sizeof(acts[0]))
        acts[what](self);
    else if (!self->knows) /* a spawn may wait, so it would not come back */
        spawn_some(scheduler_current()->runtime);
}

static int act_for_a_while(struct member *self)
{
    uint32_t acts = dice_size(ACTS_MOST);
    while (acts-- > 0 && !(self->knows && dice_chance(800)))
        act_once(self);
    return dice_chance(500) ? 0 : weir_exit(0);
}

static void begin_owning(struct member *self, weir_owner owner)
{
    self->mailbox = owner.mailbox;
    self->owner = post_begin_process(index_of(self), owner);
}

static int be_process(void *data)
{
    struct member *self = data;
    SIM_CHECK(weir_self().id != 0, "a process does not know itself");
    begin_owning(self, weir_owned_by_self());
    return act_for_a_while(self);
}

static void note_end(weir_process process, int reason, void *data)
{
    struct member *member = data;
    trace("process %lld ends by %lld", index_of(member), reason, 0, 0);
    SIM_CHECK(member->lives, "a process ends twice");
    SIM_CHECK(member->process.id == process.id, "another process has ended");
    SIM_CHECK(reason == 0 || reason == WEIR_KILLED, "a process ends by %s",
              weir_error_name(reason));
    member->lives = false;
    if (member->mailbox)
        process_check_owned(member->mailbox);
}

static struct member *free_member(void)
{
    for (uint32_t i = 0; i < MOST; i++)
        if (!members[i].lives)
            return &members[i];
    return NULL;
}

/* One of a service's, which is too many to be looked at, does nothing. */
static int be_server(weir_socket socket, void *unused)
{
    struct member *self = self_member();
    (void)unused;
    SIM_CHECK(weir_self().id != 0, "a process of a service does not know itself");
    if (!self)
        return weir_sleep(dice_size(10)) == WEIR_KILLED ? WEIR_KILLED : 0;
    process_begin_serving(socket, self->owner, self->mailbox);
    return act_for_a_while(self);
}

static void note_server_end(weir_process process, int reason, void *unused)
{
    (void)unused;
    for (uint32_t i = 0; i < MOST; i++)
        if (members[i].lives && members[i].process.id == process.id) {
            note_end(process, reason, &members[i]);
            return;
        }
}

static const weir_spawner spawner = {
    .serve = be_server, .options = {.ended = note_server_end, .stack_bytes = STACK_BYTES}};

weir_owner process_spawning(void)
{
    return weir_spawning(&spawner);
}

int __real_process_spawn(struct scheduler *scheduler, const struct process_plan *plan,
                         struct process **process);
int __wrap_process_spawn(struct scheduler *scheduler, const struct process_plan *plan,
                         struct process **process);

/* It may get messages before it runs. */
int __wrap_process_spawn(struct scheduler *scheduler, const struct process_plan *plan,
                         struct process **process)
{
    int result = __real_process_spawn(scheduler, plan, process);
    struct member *member = result == 0 && plan->serve == be_server ? free_member() : NULL;
    if (!member)
        return result;
    *member = (struct member){.lives = true, .serial = ++serials, .process = (*process)->handle};
    begin_owning(member, weir_mailed_to((*process)->mailbox));
    trace("process %lld is begun for a connection", index_of(member), 0, 0, 0);
    return result;
}

bool process_some(weir_process *process, uint32_t *owner)
{
    const struct member *member = some_member();
    if (!member->lives || !member->mailbox || !post_is_alive(member->owner))
        return false;
    *process = member->process;
    *owner = member->owner;
    return true;
}

/* What it is is known before it can run, or end. */
static void spawn_some(weir_runtime *runtime)
{
    const weir_process_options options = {.ended = note_end, .stack_bytes = STACK_BYTES};
    struct member *member = free_member();
    if (!member)
        return;
    *member = (struct member){.lives = true, .serial = ++serials};
    int result =
        weir_spawn(runtime, WEIR_ANY_SCHEDULER, be_process, member, &options, &member->process);
    trace("process %lld is begun: %lld", index_of(member), result, 0, 0);
    SIM_CHECK(result == 0 || may_fail(result), "a spawn gives %s", weir_error_name(result));
    if (result < 0)
        member->lives = false;
}

void process_maybe_spawn(weir_runtime *runtime)
{
    if (dice_chance(program_style.processes))
        spawn_some(runtime);
}

void process_check_asleep(void)
{
    enum { MS = 1000000, MOST_MS = 30 };
    for (uint32_t i = 0; i < MOST && !model_stopping && !model_lenient; i++) {
        const struct member *member = &members[i];
        if (!member->lives || member->killed_ns == 0)
            continue;
        uint64_t end_ns = member->killed_ns + MOST_MS * MS + slow_since_ns(member->killed_ns);
        SIM_CHECK(kernel.now_ns <= end_ns, "process %u goes on though it was killed", i);
    }
}

void process_check_end(void)
{
    for (uint32_t i = 0; i < MOST; i++)
        SIM_CHECK(!members[i].lives, "process %u has never ended", i);
}
