/* SPDX-License-Identifier: MIT */
#include "lone_resolver.h"

#include <stdio.h>

#include "address/hostent.h"
#include "base/clock.h"
#include "runtime/runtime.h"
#include "support/dns_message.h"

enum { TURNS_MOST = 2000 };

struct scheduler *scheduler;
struct naming naming;
struct lone_question questions[QUESTIONS_MOST];
int question_count;
struct native *native;
int native_count;
int refreshes;
bool cannot_ask;
bool has_no_thread;
bool has_no_slot;

static uint64_t passed_ns; /* more than have passed */

uint64_t __real_clock_now_ns(void);
uint64_t __wrap_clock_now_ns(void);
void __real_scheduler_arm(struct scheduler *there, struct timer *timer, uint64_t ms);
void __wrap_scheduler_arm(struct scheduler *there, struct timer *timer, uint64_t ms);
struct slot *__real_slot_create(struct scheduler *there, enum kind_number kind, int fd,
                                enum weir_family family);
struct slot *__wrap_slot_create(struct scheduler *there, enum kind_number kind, int fd,
                                enum weir_family family);
int __wrap_channels_ask(struct channels *channels, const struct channel_key *key, const char *name,
                        ns_type type, const struct asking *asking, struct list *asker);
struct native *
__wrap_native_ask(struct natives *natives, struct scheduler *there, const struct lookup *lookup,
                  void *asker, void (*answered)(struct scheduler *there, struct inbox_node *node));

uint64_t __wrap_clock_now_ns(void)
{
    return __real_clock_now_ns() + passed_ns;
}

void __wrap_scheduler_arm(struct scheduler *there, struct timer *timer, uint64_t ms)
{
    refreshes += ms == REFRESH_MS;
    __real_scheduler_arm(there, timer, ms);
}

struct slot *__wrap_slot_create(struct scheduler *there, enum kind_number kind, int fd,
                                enum weir_family family)
{
    return has_no_slot && kind == KIND_RESOLVER ? NULL
                                                : __real_slot_create(there, kind, fd, family);
}

int __wrap_channels_ask(struct channels *channels, const struct channel_key *key, const char *name,
                        ns_type type, const struct asking *asking, struct list *asker)
{
    (void)channels, (void)type;
    struct asking *copy = cannot_ask ? NULL : memory_allocate(sizeof(*copy));
    if (!copy)
        return -ENOMEM;
    *copy = *asking;
    list_init(&copy->link);
    list_append(asker, &copy->link);
    cr_assert_lt(question_count, QUESTIONS_MOST);
    questions[question_count].asking = copy;
    questions[question_count].server = key->server.bytes[3];
    (void)snprintf(questions[question_count++].name, sizeof(questions[0].name), "%s", name);
    return 0;
}

struct native *__wrap_native_ask(struct natives *natives, struct scheduler *there,
                                 const struct lookup *lookup, void *asker,
                                 void (*answered)(struct scheduler *there, struct inbox_node *node))
{
    (void)there, (void)lookup;
    if (has_no_thread)
        return NULL;
    native = memory_allocate_zeroed(1, sizeof(*native) + 1);
    cr_assert_not_null(native);
    native->natives = natives;
    native->asker = asker;
    native->node.run = answered;
    native_count++;
    return native;
}

struct inet_config *lone_config_of(const char *terms)
{
    struct inet_config *config;
    int of_file;
    const struct inet_sources sources = {"", terms};
    cr_assert_eq(runtime_read_inet(&config, &sources, &of_file), 0, "%s", weir_last_error_text());
    return config;
}

void lone_begin(const char *terms)
{
    question_count = native_count = 0;
    naming = (struct naming){.inet = lone_config_of(terms)};
    cr_assert_eq(naming_open(&naming), 0);
    scheduler = own_turns_begin();
}

/* What the asker has forgotten is the channel's until it is over. */
void lone_end(void)
{
    own_turns_end(scheduler);
    for (int i = 0; i < question_count; i++)
        memory_free(questions[i].asking);
    naming_close(&naming);
}

void lone_make(struct asked *asked, struct look_up look_up)
{
    struct call *call = &asked->look_up.call;
    *asked = (struct asked){.look_up = look_up};
    asked->look_up.naming = &naming;
    call->kind = CALL_BLOCKING;
    call->timeout_ms = look_up.call.timeout_ms ? look_up.call.timeout_ms : WEIR_INFINITY;
    call->text = asked->text;
    call->operation = &operation_look_up;
    call->scheduler = scheduler;
    list_init(&call->link);
    int result = operation_look_up.run(scheduler, NULL, call);
    if (result != CALL_WAITS)
        call_complete(scheduler, call, result);
}

void lone_ask(struct asked *asked, const char *name)
{
    lone_make(asked, (struct look_up){.name = name, .family = WEIR_INET});
}

bool lone_is_done(struct asked *asked)
{
    return atomic_load(&asked->look_up.call.done) != 0;
}

int lone_result_of(struct asked *asked)
{
    for (int i = 0; !lone_is_done(asked); i++) {
        cr_assert_lt(i, TURNS_MOST);
        scheduler_turn(scheduler);
    }
    int result = asked->look_up.call.result;
    cr_expect_eq(asked->look_up.hostent != NULL, result == 0);
    weir_hostent_free(asked->look_up.hostent);
    asked->look_up.hostent = NULL;
    return result;
}

void lone_turn_until(const int *count, int most)
{
    for (int i = 0; *count < most; i++) {
        cr_assert_lt(i, TURNS_MOST);
        scheduler_turn(scheduler);
    }
}

void lone_turn_some(void)
{
    for (int i = 0; i < 5; i++)
        scheduler_turn(scheduler);
}

void lone_pass(uint64_t ms)
{
    passed_ns += ms * 1000000u;
    lone_turn_some();
}

/* Whether anybody wants to know of it any more. */
bool lone_is_wanted(int which)
{
    return questions[which].asking && questions[which].asking->told;
}

void lone_tell(int which, const void *bytes, size_t size, enum query_outcome outcome)
{
    struct asking *asking = questions[which].asking;
    questions[which].asking = NULL;
    list_remove(&asking->link);
    if (asking->told)
        asking->told(asking, bytes, size, outcome);
    memory_free(asking);
}

void lone_answer(int which, unsigned code, const char *address)
{
    static struct dns_message message;
    dns_answer_begin(&message, 1, questions[which].name, ns_t_a, code);
    if (address)
        dns_answer_add_a(&message, questions[which].name, 5, address);
    lone_tell(which, message.bytes, message.size, OUTCOME_TIMEOUT);
}
