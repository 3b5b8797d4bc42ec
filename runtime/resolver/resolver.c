/* SPDX-License-Identifier: MIT */
#include "runtime/resolver/resolver.h"

#include <errno.h>
#include <string.h>

#include "address/hostent.h"
#include "address/name.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "lookup/lookup.h"
#include "runtime/resolver/channel.h"
#include "runtime/resolver/files.h"
#include "runtime/resolver/native.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/scheduler/slot.h"

enum {
    BUCKET_COUNT = 1024,
    NATIVE_FACTOR = 4, /* the C library may take so many times the configuration's time-out */
    NS_PER_MS = 1000000,
};

struct resolver {
    struct scheduler *scheduler;
    struct inet_config *config;
    struct natives *natives;
    bool is_open; /* the parts that stand on the configuration; else memory was short */
    struct files files;
    struct cache cache;
    struct channels channels;
    struct list *buckets; /* of look-ups under way, by what they are for */
    struct list due;      /* those that can go on */
    struct list arrived;  /* calls that are to be looked at */
    struct task go_on;
    struct timer refresh; /* of the cache */
};

/* A look-up that is under way. */
struct resolving {
    struct list in_bucket;
    struct list due;
    struct resolver *resolver;
    struct lookup lookup;
    struct list calls;
    struct list askings;
    uint64_t serial; /* of what was asked last */
    bool asked;      /* the present question has been, and not come to anything yet */
    struct native *native;
    struct timer timer;
    char text[ERROR_TEXT_SIZE]; /* what was last said of it */
};

/* NULL: nothing has been looked up yet. */
static struct resolver *resolver_of(const struct scheduler *scheduler)
{
    return scheduler->states[KIND_RESOLVER];
}

static struct lookup_ground ground_of(struct resolver *resolver)
{
    return (struct lookup_ground){
        .config = resolver->config,
        .hosts_file = &resolver->files.hosts,
        .search = &resolver->files.search,
        .nameservers = &resolver->files.nameservers,
        .cache = &resolver->cache,
    };
}

uint32_t look_up_hash(const struct look_up *look_up)
{
    uint32_t hash = look_up->family;
    if (look_up->name)
        return hash + name_hash(look_up->name);
    for (size_t i = 0; i < sizeof(look_up->address.bytes); i++)
        hash = (hash ^ look_up->address.bytes[i]) * 16777619u;
    return hash;
}

static void go_on_soon(struct resolving *resolving)
{
    struct resolver *resolver = resolving->resolver;
    if (list_is_empty(&resolving->due))
        list_append(&resolver->due, &resolving->due);
    task_add(&resolver->scheduler->tasks, TASK_LAST, &resolver->go_on);
}

/* While anything is remembered. */
static void plan_refresh(struct resolver *resolver)
{
    if (resolver->cache.count > 0 && !resolver->refresh.armed)
        scheduler_arm(resolver->scheduler, &resolver->refresh,
                      (uint64_t)resolver->config->numbers[INET_CACHE_REFRESH_MS]);
}

static void refresh(struct timer *timer)
{
    struct resolver *resolver = list_entry(timer, struct resolver, refresh);
    cache_remove_expired(&resolver->cache, resolver->scheduler->now_ns);
    plan_refresh(resolver);
}

static void run_due(struct scheduler *scheduler, struct task *task);

/* What stands on the configuration. */
static int open_parts(struct resolver *resolver)
{
    struct inet_config *config = resolver->config;
    resolver->channels = (struct channels){.scheduler = resolver->scheduler, .config = config};
    list_init(&resolver->channels.list);
    int result = cache_open(&resolver->cache, (size_t)config->numbers[INET_CACHE_SIZE]);
    if (result == 0)
        result = files_open(&resolver->files, resolver->scheduler, config);
    if (result < 0)
        cache_close(&resolver->cache);
    resolver->is_open = result == 0;
    return result;
}

static void close_parts(struct resolver *resolver)
{
    if (!resolver->is_open)
        return;
    channels_close(&resolver->channels);
    files_close(&resolver->files);
    cache_close(&resolver->cache);
    timer_disarm(&resolver->scheduler->timers, &resolver->refresh);
    resolver->is_open = false;
}

static void free_resolver(struct resolver *resolver)
{
    close_parts(resolver);
    inet_config_free(resolver->config);
    memory_free(resolver->buckets);
    memory_free(resolver);
}

static struct resolver *new_resolver(struct scheduler *scheduler, struct naming *naming)
{
    struct resolver *resolver = memory_allocate_zeroed(1, sizeof(*resolver));
    if (!resolver)
        return NULL;
    resolver->scheduler = scheduler;
    resolver->config = naming_keep(naming);
    resolver->natives = naming->natives;
    list_init(&resolver->due);
    list_init(&resolver->arrived);
    task_init(&resolver->go_on, run_due);
    resolver->refresh.fire = refresh;
    resolver->buckets = memory_allocate(BUCKET_COUNT * sizeof(struct list));
    for (size_t i = 0; resolver->buckets && i < BUCKET_COUNT; i++)
        list_init(&resolver->buckets[i]);
    if (resolver->buckets && open_parts(resolver) == 0)
        return resolver;
    free_resolver(resolver);
    return NULL;
}

static int open_resolver(struct scheduler *scheduler, struct naming *naming)
{
    struct resolver *resolver = new_resolver(scheduler, naming);
    if (!resolver)
        return -ENOMEM;
    struct slot *slot = slot_create(scheduler, KIND_RESOLVER, -1, WEIR_ANY_FAMILY);
    if (!slot) {
        free_resolver(resolver);
        return -ENOMEM;
    }
    slot_move(slot, SOCKET_ESTABLISH);
    scheduler->states[KIND_RESOLVER] = resolver;
    return 0;
}

static void forget_askings(struct resolving *resolving)
{
    while (!list_is_empty(&resolving->askings))
        asking_forget(list_entry(resolving->askings.next, struct asking, link));
    resolving->asked = false;
}

static void free_resolving(struct resolving *resolving)
{
    struct scheduler *scheduler = resolving->resolver->scheduler;
    forget_askings(resolving);
    if (resolving->native)
        native_forget(resolving->native);
    timer_disarm(&scheduler->timers, &resolving->timer);
    list_remove(&resolving->due);
    list_remove(&resolving->in_bucket);
    lookup_close(&resolving->lookup);
    memory_free(resolving);
}

static struct look_up *look_up_of(struct call *call)
{
    return list_entry(call, struct look_up, call);
}

/* Each of those who asked gets a copy of its own, or is told what has been said last. */
static void answer(struct resolving *resolving, struct call *call, int result)
{
    if (result == 0) {
        struct look_up *look_up = look_up_of(call);
        look_up->hostent = hostent_copy(resolving->lookup.hostent);
        result = look_up->hostent ? 0 : -ENOMEM;
    }
    call_complete(resolving->resolver->scheduler, call, result);
}

static void finish(struct resolving *resolving, int result)
{
    struct list *link;
    while ((link = list_take(&resolving->calls)))
        answer(resolving, list_entry(link, struct call, link), result);
    free_resolving(resolving);
}

/* Which question a look-up is at, and to whom. */
static size_t present_question(const struct resolving *resolving)
{
    return 2 * resolving->lookup.question + resolving->lookup.alternative;
}

/* Anything that comes of what was asked last, and what answers the present question to a server
 * that has been given up in this round. */
static bool counts(const struct resolving *resolving, const struct asking *asking,
                   const uint8_t *bytes, size_t size)
{
    enum { CODE_AT = 3, CODE_MASK = 15 };
    if (asking->serial == resolving->serial)
        return true;
    return asking->question == present_question(resolving) && size > CODE_AT &&
           (bytes[CODE_AT] & CODE_MASK) == ns_r_noerror;
}

/* By c-ares's own will, or before channels_ask returns: what it came to is only noted, and the
 * look-up goes on from the turn. An answer to what was asked a round ago is an answer. */
static void told(struct asking *asking, const void *bytes, size_t size, enum query_outcome outcome)
{
    struct resolving *resolving = asking->asker;
    struct resolver *resolver = resolving->resolver;
    const struct lookup_ground ground = ground_of(resolver);
    if (!resolving->asked || !counts(resolving, asking, bytes, size))
        return;
    resolving->asked = false;
    error_clear_text();
    if (bytes)
        lookup_answered(&resolving->lookup, &ground, clock_now_ns(), bytes, size, asking->tcp);
    else
        lookup_failed(&resolving->lookup, &ground, clock_now_ns(), outcome);
    error_copy_text(resolving->text);
    go_on_soon(resolving);
}

static void ask(struct resolving *resolving, const struct query_ask *wanted)
{
    struct resolver *resolver = resolving->resolver;
    const struct channel_key key = {wanted->server, wanted->tcp, wanted->edns};
    const struct asking asking = {
        .told = told,
        .asker = resolving,
        .question = present_question(resolving),
        .serial = ++resolving->serial,
        .tcp = wanted->tcp,
    };
    resolving->asked = true;
    int result = channels_ask(&resolver->channels, &key, lookup_question(&resolving->lookup),
                              resolving->lookup.type, &asking, &resolving->askings);
    if (result < 0) {
        finish(resolving, error_say(result, "no memory to ask a name server"));
        return;
    }
    if (resolving->asked)
        scheduler_arm(resolver->scheduler, &resolving->timer, wanted->timeout_ms);
}

static void system_answered(struct scheduler *scheduler, struct inbox_node *node)
{
    struct native *native = list_entry(node, struct native, node);
    struct resolving *resolving = native->asker;
    (void)scheduler;
    if (resolving) {
        resolving->native = NULL;
        lookup_system_answered(&resolving->lookup, native->result, native->hostent);
        native->hostent = NULL;
        memcpy(resolving->text, native->text, sizeof(resolving->text));
        go_on_soon(resolving);
    }
    native_free(native);
}

static void ask_system(struct resolving *resolving)
{
    struct resolver *resolver = resolving->resolver;
    struct scheduler *scheduler = resolver->scheduler;
    resolving->native =
        native_ask(resolver->natives, scheduler, &resolving->lookup, resolving, system_answered);
    if (!resolving->native) {
        finish(resolving, error_say(-ENOMEM, "no memory or no thread to look a name up"));
        return;
    }
    scheduler_arm(scheduler, &resolving->timer,
                  (uint64_t)resolver->config->numbers[INET_TIMEOUT_MS] * NATIVE_FACTOR);
}

/* The present question has had its time, or the C library, or the wait is over. */
static void time_is_up(struct timer *timer)
{
    struct resolving *resolving = list_entry(timer, struct resolving, timer);
    const struct lookup_ground ground = ground_of(resolving->resolver);
    if (resolving->native) {
        native_forget(resolving->native);
        resolving->native = NULL;
        lookup_system_answered(&resolving->lookup, WEIR_NXDOMAIN, NULL);
    } else if (resolving->asked) {
        resolving->asked = false;
        lookup_failed(&resolving->lookup, &ground, clock_now_ns(), OUTCOME_TIMEOUT);
    }
    go_on_soon(resolving);
}

static void step(struct resolving *resolving)
{
    struct resolver *resolver = resolving->resolver;
    const struct lookup_ground ground = ground_of(resolver);
    struct query_ask wanted;
    uint64_t until_ns;
    uint64_t now_ns = clock_now_ns();
    error_set_text(resolving->text);
    timer_disarm(&resolver->scheduler->timers, &resolving->timer);
    enum lookup_step next = lookup_next(&resolving->lookup, &ground, now_ns, &wanted, &until_ns);
    error_copy_text(resolving->text);
    plan_refresh(resolver);
    switch (next) {
    case LOOKUP_ASK:
        ask(resolving, &wanted);
        break;
    case LOOKUP_WAIT:
        scheduler_arm(resolver->scheduler, &resolving->timer, (until_ns - now_ns) / NS_PER_MS);
        break;
    case LOOKUP_SYSTEM:
        ask_system(resolving);
        break;
    case LOOKUP_DONE:
        finish(resolving, resolving->lookup.result);
        break;
    }
}

static bool is_same(const struct resolving *resolving, const struct look_up *look_up)
{
    const struct lookup *lookup = &resolving->lookup;
    if (lookup->family != look_up->family || (lookup->name != NULL) != (look_up->name != NULL))
        return false;
    return look_up->name ? strcmp(lookup->name, look_up->name) == 0
                         : weir_address_equal(&lookup->address, &look_up->address);
}

static struct list *bucket_of(struct resolver *resolver, const struct look_up *look_up)
{
    return &resolver->buckets[look_up_hash(look_up) % BUCKET_COUNT];
}

static struct resolving *find(struct resolver *resolver, const struct look_up *look_up)
{
    struct list *bucket = bucket_of(resolver, look_up);
    for (struct list *link = bucket->next; link != bucket; link = link->next) {
        struct resolving *resolving = list_entry(link, struct resolving, in_bucket);
        if (is_same(resolving, look_up))
            return resolving;
    }
    return NULL;
}

static int open_lookup(struct resolver *resolver, struct lookup *lookup,
                       const struct look_up *look_up)
{
    if (look_up->name)
        return lookup_open_name(lookup, resolver->config, look_up->name, look_up->family);
    return lookup_open_address(lookup, resolver->config, &look_up->address);
}

static struct resolving *start(struct resolver *resolver, const struct look_up *look_up)
{
    struct resolving *resolving = memory_allocate_zeroed(1, sizeof(*resolving));
    if (!resolving)
        return NULL;
    if (open_lookup(resolver, &resolving->lookup, look_up) < 0) {
        memory_free(resolving);
        return NULL;
    }
    resolving->resolver = resolver;
    resolving->timer.fire = time_is_up;
    list_init(&resolving->calls);
    list_init(&resolving->askings);
    list_init(&resolving->due);
    list_append(bucket_of(resolver, look_up), &resolving->in_bucket);
    go_on_soon(resolving);
    return resolving;
}

static int update(struct resolver *resolver)
{
    bool other_servers;
    int result = resolver->is_open ? 0 : open_parts(resolver);
    if (result == 0)
        result = files_update(&resolver->files, &other_servers);
    if (result == 0 && other_servers)
        cache_clear(&resolver->cache);
    return result;
}

/* It joins those who ask the same, or is the first. */
static void join(struct resolver *resolver, struct call *call)
{
    struct resolving *resolving = NULL;
    if (update(resolver) == 0) {
        resolving = find(resolver, look_up_of(call));
        if (!resolving)
            resolving = start(resolver, look_up_of(call));
    }
    if (resolving)
        list_append(&resolving->calls, &call->link);
    else
        call_complete(resolver->scheduler, call, error_say(-ENOMEM, "no memory to look a name up"));
}

/* One step a turn: others have their turn too, and a name server's socket its room. A question to
 * loopback costs some 8 us. */
static void run_due(struct scheduler *scheduler, struct task *task)
{
    struct resolver *resolver = list_entry(task, struct resolver, go_on);
    struct list *link;
    if ((link = list_take(&resolver->due)))
        step(list_entry(link, struct resolving, due));
    else if ((link = list_take(&resolver->arrived)))
        join(resolver, list_entry(link, struct call, link));
    if (!list_is_empty(&resolver->due) || !list_is_empty(&resolver->arrived))
        task_add(&scheduler->tasks, TASK_LAST, task);
}

static int run_look_up(struct scheduler *scheduler, struct slot *unused, struct call *call)
{
    (void)unused;
    if (scheduler->state == SCHEDULER_STOPPING)
        return WEIR_CLOSED;
    int result = resolver_of(scheduler) ? 0 : open_resolver(scheduler, look_up_of(call)->naming);
    if (result < 0)
        return error_say(result, "no memory to look a name up");
    struct resolver *resolver = resolver_of(scheduler);
    list_append(&resolver->arrived, &call->link);
    call_set_timeout(scheduler, call);
    task_add(&scheduler->tasks, TASK_LAST, &resolver->go_on);
    return CALL_WAITS;
}

/* The look-up goes on without whoever leaves: its answer may be wanted soon. */
static void leave(struct scheduler *scheduler, struct call *call)
{
    (void)scheduler;
    list_remove(&call->link);
}

const struct call_operation operation_look_up = {
    .name = "a look-up",
    .run = run_look_up,
    .leave = leave,
    .dead_result = WEIR_CLOSED,
    .may_wait = true,
};

static void finish_all(struct resolver *resolver, int result)
{
    for (size_t i = 0; i < BUCKET_COUNT; i++)
        while (!list_is_empty(&resolver->buckets[i]))
            finish(list_entry(resolver->buckets[i].next, struct resolving, in_bucket), result);
}

static void begin_again(struct resolving *resolving)
{
    struct resolver *resolver = resolving->resolver;
    forget_askings(resolving);
    if (resolving->native)
        native_forget(resolving->native);
    resolving->native = NULL;
    timer_disarm(&resolver->scheduler->timers, &resolving->timer);
    lookup_begin_again(&resolving->lookup, resolver->config);
    error_clear_text();
    error_copy_text(resolving->text);
    go_on_soon(resolving);
}

static void all_begin_again(struct resolver *resolver)
{
    for (size_t i = 0; i < BUCKET_COUNT; i++) {
        struct list *bucket = &resolver->buckets[i];
        for (struct list *link = bucket->next; link != bucket; link = link->next)
            begin_again(list_entry(link, struct resolving, in_bucket));
    }
}

/* Nothing that was asked, read or remembered by the one before counts. */
static void take_config(struct resolver *resolver, struct inet_config *config)
{
    close_parts(resolver);
    inet_config_free(resolver->config);
    resolver->config = config;
    if (update(resolver) == 0)
        all_begin_again(resolver);
    else
        finish_all(resolver, error_say(-ENOMEM, "no memory to look a name up"));
}

static int run_take(struct scheduler *scheduler, struct slot *unused, struct call *call)
{
    struct resolver *resolver = resolver_of(scheduler);
    (void)unused;
    if (scheduler->state == SCHEDULER_STOPPING)
        return WEIR_CLOSED;
    if (!resolver)
        return 0;
    struct inet_config *config = naming_keep(list_entry(call, struct naming_call, call)->naming);
    if (config != resolver->config)
        take_config(resolver, config);
    else
        inet_config_free(config);
    return 0;
}

const struct call_operation operation_take_naming = {
    .name = "weir_load_rc", .run = run_take, .dead_result = WEIR_CLOSED};

static void stop(struct resolver *resolver)
{
    error_clear_text();
    call_complete_all(resolver->scheduler, &resolver->arrived, WEIR_CLOSED);
    finish_all(resolver, WEIR_CLOSED);
    close_parts(resolver);
    task_remove(&resolver->go_on);
}

/* Everybody who waits gets WEIR_CLOSED. */
static void end(struct scheduler *scheduler, struct slot *slot, enum ending ending)
{
    if (ending == END_DRAIN || slot->state != SOCKET_OPEN)
        return;
    slot_hold(slot);
    stop(resolver_of(scheduler));
    slot_move(slot, SOCKET_CLOSE);
    slot_unhold(scheduler, slot);
}

static void shut(void *state)
{
    free_resolver(state);
}

/* A slot without a descriptor, which keeps its scheduler until it is ended. */
const struct kind kind_resolver = {
    .name = "resolver",
    .is_inner = true,
    .shut = shut,
    .end = end,
};
