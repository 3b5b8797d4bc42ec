/* SPDX-License-Identifier: MIT */
#include "runtime/runtime.h"

#include <errno.h>
#include <time.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/thread.h"
#include "runtime/fit.h"
#include "runtime/kinds.h"
#include "runtime/runtimes.h"
#include "runtime/scheduler/call.h"
#include "runtime/scheduler/registry.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/scheduler/slot.h"
#include "runtime/scheduler/slow.h"
#include "runtime/scheduler/totals.h"
#include "runtime/stream/shelf.h"

static void note_started(struct weir_runtime *runtime)
{
    pthread_mutex_lock(&runtime->lock);
    runtime->started_count++;
    pthread_cond_signal(&runtime->started);
    pthread_mutex_unlock(&runtime->lock);
}

static const struct scheduler_host host = {
    .started = note_started,
    .next_scheduler = runtime_next_scheduler,
};

static void wait_until_started(struct weir_runtime *runtime, uint32_t count)
{
    pthread_mutex_lock(&runtime->lock);
    while (runtime->started_count < count)
        pthread_cond_wait(&runtime->started, &runtime->lock);
    pthread_mutex_unlock(&runtime->lock);
}

static int create_scheduler(struct weir_runtime *runtime, uint32_t number)
{
    struct registry_handles handles;
    struct scheduler *scheduler = memory_allocate_zeroed(1, sizeof(*scheduler));
    if (!scheduler)
        return error_say(-ENOMEM, "no memory for a scheduler");
    int index = registry_reserve(&handles);
    if (index < 0) {
        memory_free(scheduler);
        return index;
    }
    scheduler->index = (uint32_t)index;
    scheduler->first_index = handles.first_index;
    scheduler->last_generation = handles.generation;
    scheduler->number = number;
    scheduler->runtime = runtime;
    scheduler->limits = &runtime->limits;
    scheduler->host = &host;
    scheduler->kinds = runtime_kinds;
    scheduler->cpu = runtime->cpus[number];
    lease_init(scheduler, &runtime->lease_pool);
    slot_table_init(&scheduler->slots, handles.generation);
    timer_table_open(&scheduler->timer_table, handles.generation);
    runtime->schedulers[number] = scheduler;
    return 0;
}

static void free_scheduler(struct weir_runtime *runtime, uint32_t number)
{
    struct scheduler *scheduler = runtime->schedulers[number];
    if (!scheduler)
        return;
    registry_release(scheduler->index, scheduler->last_generation, scheduler->slot_count);
    memory_free(scheduler);
}

void runtime_free(struct weir_runtime *runtime)
{
    (void)runtimes_withdraw(runtime);
    for (uint32_t i = 0; i < runtime->scheduler_count; i++)
        free_scheduler(runtime, i);
    naming_close(&runtime->naming);
    weir_options_free(runtime->default_connect);
    weir_options_free(runtime->default_listen);
    thread_end_lock(&runtime->lock);
    pthread_cond_destroy(&runtime->started);
    memory_free(runtime);
}

static void post_stop(struct scheduler *scheduler, struct inbox_node *node)
{
    (void)node;
    scheduler_stop(scheduler);
}

/* Nobody finds the schedulers any more; those who are inside one are answered before it ends, and
 * nobody looks at its thread any more when that is joined. */
static void stop_schedulers(struct weir_runtime *runtime, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        registry_withdraw(runtime->schedulers[i]->index);
    for (uint32_t i = 0; i < count; i++) {
        struct scheduler *scheduler = runtime->schedulers[i];
        scheduler->stop.run = post_stop;
        if (scheduler->start_result < 0)
            continue;
        registry_enter_living(
            scheduler->index); /* it may see the node and end before its bell is rung */
        inbox_post(&scheduler->inbox, &scheduler->stop);
        registry_leave(scheduler->index);
    }
    runtimes_wait_until_left(runtime);
    for (uint32_t i = 0; i < count; i++)
        pthread_join(runtime->schedulers[i]->thread, NULL);
}

static int start_scheduler(struct scheduler *scheduler)
{
    int result = thread_create(&scheduler->thread, scheduler_main, scheduler);
    return result < 0 ? error_say(result, "no thread for a scheduler: memory is short (ulimit "
                                          "-v), or processes are (ulimit -u, TasksMax)")
                      : 0;
}

static int first_failure(struct weir_runtime *runtime, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct scheduler *scheduler = runtime->schedulers[i];
        if (scheduler->start_result < 0) {
            error_set_text(scheduler->start_text);
            return scheduler->start_result;
        }
    }
    return 0;
}

static int start_schedulers(struct weir_runtime *runtime)
{
    uint32_t count = 0;
    int result = 0;
    while (count < runtime->scheduler_count) {
        result = start_scheduler(runtime->schedulers[count]);
        if (result < 0)
            break;
        count++;
    }
    wait_until_started(runtime, count);
    if (result >= 0)
        result = first_failure(runtime, count);
    if (result < 0) {
        stop_schedulers(runtime, count);
        return result;
    }
    for (uint32_t i = 0; i < count; i++)
        registry_publish(runtime->schedulers[i]->index, runtime->schedulers[i]);
    return 0;
}

static int create_schedulers(struct weir_runtime *runtime)
{
    int result = 0;
    lease_pool_init(&runtime->lease_pool, runtime->limits.queued_bytes, runtime->scheduler_count);
    for (uint32_t i = 0; i < runtime->scheduler_count && result >= 0; i++)
        result = create_scheduler(runtime, i);
    return result;
}

int runtime_create(struct weir_runtime **out, const weir_config *config)
{
    struct weir_runtime *runtime = memory_allocate_zeroed(1, sizeof(*runtime));
    if (!runtime)
        return error_say(-ENOMEM, "no memory for a runtime");
    runtimes_add(runtime);
    pthread_mutex_init(&runtime->lock, NULL);
    pthread_cond_init(&runtime->started, NULL);
    int result = runtime_configure(runtime, config);
    if (result >= 0)
        result = naming_open(&runtime->naming);
    if (result >= 0)
        result = create_schedulers(runtime);
    if (result < 0) {
        runtime_free(runtime);
        return result;
    }
    *out = runtime;
    return 0;
}

enum { TRY_AGAIN = 1 };

static int start_once(struct weir_runtime **out, const weir_config *config, struct fit *fit)
{
    struct weir_runtime *runtime;
    int result = runtime_create(&runtime, config);
    if (result < 0)
        return result;
    fit_apply(fit, &runtime->limits.ring);
    result = start_schedulers(runtime);
    if (result >= 0) {
        *out = runtime;
        return 0;
    }
    bool again = result == RING_LACKS_MEMORY &&
                 fit_again(fit, &runtime->limits.ring, runtime->scheduler_count);
    runtime_free(runtime);
    return again ? TRY_AGAIN : result;
}

static int start(struct weir_runtime **out, const weir_config *config)
{
    struct fit fit = {0};
    int result = start_once(out, config, &fit);
    while (result == TRY_AGAIN)
        result = start_once(out, config, &fit);
    return result == RING_LACKS_MEMORY ? -ENOMEM : result;
}

int weir_start(weir_runtime **runtime, const weir_config *config)
{
    if (scheduler_current())
        return error_say(-EDEADLK, "a runtime cannot be started on a scheduler");
    error_clear_text();
    int before = thread_put_off_cancel();
    int result = start(runtime, config);
    thread_allow_cancel(before);
    return error_from("weir_start", result);
}

/* 0: it is the caller's to stop. */
static int withdraw(weir_runtime *runtime)
{
    int result = runtimes_enter(runtime);
    if (result < 0)
        return result;
    bool withdrawn = runtimes_withdraw(runtime);
    runtimes_leave(runtime);
    return withdrawn ? 0 : error_say(WEIR_CLOSED, "somebody else stops the runtime");
}

static void stop(weir_runtime *runtime)
{
    stop_schedulers(runtime, runtime->scheduler_count);
    runtime_free(runtime);
}

int weir_stop(weir_runtime *runtime)
{
    if (scheduler_current())
        return error_say(-EDEADLK, "a runtime cannot be stopped on a scheduler");
    error_clear_text();
    int result = withdraw(runtime);
    if (result < 0)
        return result;
    int before = thread_put_off_cancel();
    stop(runtime);
    thread_allow_cancel(before);
    shelf_forget_all();
    return 0;
}

/* A handle alone: its owner may keep it for ever. Or what has no end, or is nobody's socket. */
static bool is_remnant(const struct scheduler *scheduler, const struct slot *slot)
{
    if (slot->state == SOCKET_FREE)
        return false;
    const struct kind *kind = scheduler->kinds[slot->kind];
    return kind->is_inner || (kind->outlasts_drain && kind->outlasts_drain(slot)) ||
           (slot->state == SOCKET_GONE && slot->fd < 0);
}

/* Closes the listeners. How many sockets there still are, those included that have something to
 * send before their end. */
static int run_drain(struct scheduler *scheduler, struct slot *unused, struct call *call)
{
    int remnants = 0;
    (void)unused;
    (void)call;
    slot_end_all(scheduler, END_DRAIN);
    for (uint32_t i = 0; i < slot_table_size(&scheduler->slots); i++)
        remnants += is_remnant(scheduler, slot_table_at(&scheduler->slots, i));
    return (int)scheduler->slots.used_count - remnants;
}

static const struct call_operation operation_drain = {.name = "weir_drain", .run = run_drain};

static int count_remaining(const weir_runtime *runtime)
{
    int count = 0;
    for (uint32_t i = 0; i < runtime->scheduler_count; i++) {
        struct call call = {0};
        count += call_make_on(&operation_drain, runtime->schedulers[i]->index, &call);
    }
    return count;
}

static uint64_t now_ms(void)
{
    return clock_now_ns() / 1000000;
}

static int drain(const weir_runtime *runtime, int64_t timeout_ms)
{
    const struct timespec look_again = {.tv_nsec = 5000000};
    uint64_t until_ms =
        timeout_ms < 0 ? UINT64_MAX : now_ms() + (uint64_t)timeout_ms + (timeout_ms > 0);
    for (;;) {
        int count = count_remaining(runtime);
        if (count == 0) /* a listener may have handed one to a scheduler that was asked before */
            count = count_remaining(runtime);
        if (runtimes_is_withdrawn(runtime))
            return error_say(WEIR_CLOSED, "the runtime is being stopped");
        if (count == 0)
            return 0;
        if (now_ms() >= until_ms)
            return error_say(WEIR_TIMEOUT, "there are connections left");
        nanosleep(&look_again, NULL);
    }
}

int weir_drain(weir_runtime *runtime, int64_t timeout_ms)
{
    if (scheduler_current())
        return error_say(-EDEADLK, "a runtime cannot be drained on a scheduler");
    error_clear_text();
    int result = runtimes_enter(runtime);
    if (result < 0)
        return result;
    int before = thread_put_off_cancel();
    result = drain(runtime, timeout_ms);
    thread_allow_cancel(before);
    runtimes_leave(runtime);
    return result;
}

uint32_t weir_scheduler_count(const weir_runtime *runtime)
{
    error_clear_text();
    if (runtimes_enter(runtime) < 0)
        return 0;
    uint32_t count = runtime->scheduler_count;
    runtimes_leave(runtime);
    return count;
}

uint32_t runtime_home(const struct weir_runtime *runtime, const struct look_up *look_up)
{
    return runtime->schedulers[look_up_hash(look_up) / 1024 % runtime->scheduler_count]->index;
}

uint32_t runtime_next_scheduler(struct weir_runtime *runtime)
{
    uint32_t next = atomic_fetch_add_explicit(&runtime->next, 1, memory_order_relaxed);
    return runtime->schedulers[next % runtime->scheduler_count]->index;
}

static int get_totals(const weir_runtime *runtime, int scheduler, weir_totals *totals)
{
    int count = (int)runtime->scheduler_count;
    if (scheduler < -1 || scheduler >= count)
        return error_say(-EINVAL, "scheduler %d: there are %d", scheduler, count);
    *totals = (weir_totals){0};
    for (int i = 0; i < count; i++)
        if (scheduler < 0 || scheduler == i) {
            totals_add(totals, &runtime->schedulers[i]->published);
            totals->busy_ns += clock_thread_ns(runtime->schedulers[i]->thread);
        }
    return 0;
}

int weir_get_totals(const weir_runtime *runtime, int scheduler, weir_totals *totals)
{
    error_clear_text();
    int result = runtimes_enter(runtime);
    if (result < 0)
        return result;
    result = get_totals(runtime, scheduler, totals);
    runtimes_leave(runtime);
    return result;
}

struct work {
    struct inbox_node node;
    void (*run)(void *data);
    void *data;
};

static void do_work(struct scheduler *scheduler, struct inbox_node *node)
{
    struct work *work = list_entry(node, struct work, node);
    uint64_t began_ns = slow_begin(scheduler);
    error_clear_text();
    work->run(work->data);
    slow_end(scheduler, began_ns, (slow_function *)work->run);
    memory_free(work);
}

static int post_work(struct inbox_node *node, uint32_t index)
{
    struct scheduler *scheduler = registry_enter(index);
    if (!scheduler)
        return error_say(WEIR_CLOSED, "the runtime is being stopped");
    inbox_post(&scheduler->inbox, node);
    registry_leave(index);
    return 0;
}

static int run_on(const weir_runtime *runtime, uint32_t scheduler, void (*run)(void *data),
                  void *data)
{
    if (scheduler >= runtime->scheduler_count)
        return error_say(-EINVAL, "scheduler %u: there are %u", scheduler,
                         runtime->scheduler_count);
    if (!run)
        return error_say(-EINVAL, "run_on: no function was given");
    struct work *work = memory_allocate(sizeof(*work));
    if (!work)
        return error_say(-ENOMEM, "no memory to run something on a scheduler");
    *work = (struct work){{NULL, do_work}, run, data};
    int result = post_work(&work->node, runtime->schedulers[scheduler]->index);
    if (result < 0)
        memory_free(work);
    return result;
}

int weir_run_on(weir_runtime *runtime, uint32_t scheduler, void (*run)(void *data), void *data)
{
    error_clear_text();
    int result = runtimes_enter(runtime);
    if (result < 0)
        return result;
    result = run_on(runtime, scheduler, run, data);
    runtimes_leave(runtime);
    return result;
}

int weir_current_scheduler(void)
{
    const struct scheduler *scheduler = scheduler_current();
    return scheduler ? (int)scheduler->number : -1;
}
