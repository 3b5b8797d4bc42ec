/* SPDX-License-Identifier: MIT */
#include "runtime/scheduler/quota.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/canary.h"
#include "base/check.h"
#include "base/memory.h"
#include "base/thread.h"
#include "runtime/scheduler/registry.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/scheduler/slot_notes.h"

struct quota {
    atomic_uint shares;
    atomic_uint count; /* places that are taken */
    atomic_uint queued;
    uint32_t limit;
    pthread_mutex_t lock; /* of what follows, and of the queuers' `queueing` */
    struct list queue;
};

struct quota *quota_create(uint32_t limit)
{
    struct quota *quota = memory_allocate_zeroed(1, sizeof(*quota));
    if (!quota)
        return NULL;
    quota->limit = limit;
    atomic_init(&quota->shares, 1);
    pthread_mutex_init(&quota->lock, NULL);
    list_init(&quota->queue);
    return quota;
}

static struct quota *share(struct quota *quota)
{
    atomic_fetch_add_explicit(&quota->shares, 1, memory_order_relaxed);
    return quota;
}

void quota_drop(struct quota *quota)
{
    if (atomic_fetch_sub_explicit(&quota->shares, 1, memory_order_acq_rel) > 1)
        return;
    thread_end_lock(&quota->lock);
    memory_free(quota);
}

bool quota_take(struct quota *quota)
{
    unsigned count = atomic_load(&quota->count);
    while (count < quota->limit)
        if (atomic_compare_exchange_weak(&quota->count, &count, count + 1)) {
            (void)share(quota);
            return true;
        }
    return false;
}

void quota_take_beyond(struct quota *quota)
{
    atomic_fetch_add(&quota->count, 1);
    (void)share(quota);
}

bool quota_has_room(struct quota *quota)
{
    return atomic_load(&quota->count) < quota->limit;
}

/* Of a queuer that is still queued the scheduler lives, and does so while somebody is inside. */
static struct quota_queuer *call_next(struct quota *quota)
{
    struct quota_queuer *queuer = NULL;
    pthread_mutex_lock(&quota->lock);
    if (!list_is_empty(&quota->queue) && quota_take(quota)) {
        queuer = list_entry(list_take(&quota->queue), struct quota_queuer, link);
        queuer->queueing = QUOTA_CALLED;
        atomic_fetch_sub(&quota->queued, 1);
        registry_enter_living(slot_scheduler(queuer->listener));
    }
    pthread_mutex_unlock(&quota->lock);
    return queuer;
}

static void call_queued(struct quota *quota)
{
    struct quota_queuer *queuer;
    while (atomic_load(&quota->queued) > 0 && (queuer = call_next(quota))) {
        uint32_t index = slot_scheduler(queuer->listener);
        inbox_post(&queuer->scheduler->inbox, &queuer->node);
        registry_leave(index);
    }
}

void quota_give_back(struct quota *quota)
{
    unsigned count = atomic_fetch_sub(&quota->count, 1);
    CHECK_GT(count, 0u);
    if (!CANARY(FORGOTTEN_PLACE))
        call_queued(quota);
    quota_drop(quota);
}

int quota_occupy(struct scheduler *scheduler, const struct slot *slot, struct quota *quota)
{
    return slot_notes_set(&scheduler->places, slot, quota);
}

struct quota *quota_vacate(struct scheduler *scheduler, const struct slot *slot)
{
    struct quota *quota = slot_note(&scheduler->places, slot);
    (void)slot_notes_set(&scheduler->places, slot, NULL);
    return quota;
}

void quota_leave(struct scheduler *scheduler, const struct slot *slot)
{
    struct quota *quota = quota_vacate(scheduler, slot);
    if (quota)
        quota_give_back(quota);
}

struct quota_queuer *quota_queuer_create(struct quota *quota, struct scheduler *scheduler,
                                         weir_socket listener)
{
    struct quota_queuer *queuer = memory_allocate_zeroed(1, sizeof(*queuer));
    if (!queuer)
        return NULL;
    queuer->quota = share(quota);
    queuer->scheduler = scheduler;
    queuer->listener = listener;
    return queuer;
}

void quota_queue(struct quota_queuer *queuer)
{
    struct quota *quota = queuer->quota;
    pthread_mutex_lock(&quota->lock);
    CHECK(queuer->queueing == QUOTA_NOT_QUEUED);
    queuer->queueing = QUOTA_QUEUED;
    list_append(&quota->queue, &queuer->link);
    atomic_fetch_add(&quota->queued, 1);
    pthread_mutex_unlock(&quota->lock);
    call_queued(quota);
}

void quota_arrived(struct quota_queuer *queuer)
{
    pthread_mutex_lock(&queuer->quota->lock);
    CHECK(queuer->queueing == QUOTA_CALLED);
    queuer->queueing = QUOTA_NOT_QUEUED;
    pthread_mutex_unlock(&queuer->quota->lock);
}

void quota_queuer_free(struct quota_queuer *queuer)
{
    struct quota *quota = queuer->quota;
    pthread_mutex_lock(&quota->lock);
    bool is_called = queuer->queueing == QUOTA_CALLED;
    if (queuer->queueing == QUOTA_QUEUED) {
        list_remove(&queuer->link);
        atomic_fetch_sub(&quota->queued, 1);
    }
    pthread_mutex_unlock(&quota->lock);
    if (is_called)
        return;
    memory_free(queuer);
    quota_drop(quota);
}
