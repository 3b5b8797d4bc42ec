/* SPDX-License-Identifier: MIT */
#include "runtime/scheduler/registry.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "runtime/ring/operation.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/scheduler/slot.h"
#include "runtime/scheduler/slot_table.h"

_Static_assert(REGISTRY_CAPACITY == 1 << (64 - HANDLE_INDEX_SHIFT), "a handle's index is one");

struct entry {
    _Atomic(struct scheduler *) scheduler;
    _Atomic(struct scheduler *) stopping; /* the same, until it has ended */
    atomic_uint users;
    bool reserved;
    bool parents;
    uint32_t generation; /* the highest that was given of the slots from here on */
    uint32_t first_index;
    uint32_t slot_count;
};

static bool has_parents;
static struct entry entries[REGISTRY_CAPACITY];
static pthread_mutex_t reservation = PTHREAD_MUTEX_INITIALIZER;

int registry_reserve(struct registry_handles *handles)
{
    int index = 0;
    pthread_mutex_lock(&reservation);
    while (index < REGISTRY_CAPACITY && entries[index].reserved)
        index++;
    bool found = index < REGISTRY_CAPACITY;
    if (found) {
        entries[index].reserved = true;
        *handles =
            (struct registry_handles){entries[index].generation + 1, entries[index].first_index};
    }
    pthread_mutex_unlock(&reservation);
    return found ? index
                 : error_say(WEIR_SYSTEM_LIMIT, "a process has at most %d schedulers",
                             REGISTRY_CAPACITY);
}

void registry_publish(uint32_t index, struct scheduler *scheduler)
{
    atomic_store(&entries[index].stopping, scheduler);
    atomic_store(&entries[index].scheduler, scheduler);
}

void registry_withdraw(uint32_t index)
{
    atomic_store(&entries[index].scheduler, NULL);
}

void registry_end(uint32_t index)
{
    atomic_store(&entries[index].stopping, NULL);
    while (atomic_load(&entries[index].users) > 0)
        sched_yield();
}

uint32_t registry_user_count(uint32_t index)
{
    return atomic_load(&entries[index].users);
}

/* Half of the generations are few enough for a slot to be given up by and by. */
static bool has_more(struct entry *entry)
{
    if (entry->generation < GENERATION_MAX / 2)
        return true;
    if (entry->slot_count > UINT32_MAX - SLOTS_MAX - entry->first_index)
        return false;
    entry->first_index += entry->slot_count;
    entry->slot_count = 0;
    entry->generation = 0;
    return true;
}

void registry_release(uint32_t index, uint32_t generation, uint32_t slot_count)
{
    struct entry *entry = &entries[index];
    pthread_mutex_lock(&reservation);
    entry->generation = generation;
    if (slot_count > entry->slot_count)
        entry->slot_count = slot_count;
    entry->reserved = !has_more(entry);
    pthread_mutex_unlock(&reservation);
}

/* Sequentially consistent: either the entrant sees that the scheduler has been withdrawn, or who
 * withdrew it sees the entrant. */
static struct scheduler *enter(uint32_t index, _Atomic(struct scheduler *) *found)
{
    atomic_fetch_add(&entries[index].users, 1);
    struct scheduler *scheduler = atomic_load(found);
    if (!scheduler)
        registry_leave(index);
    return scheduler;
}

struct scheduler *registry_enter(uint32_t index)
{
    return enter(index, &entries[index].scheduler);
}

struct scheduler *registry_enter_stopping(uint32_t index)
{
    return enter(index, &entries[index].stopping);
}

void registry_enter_living(uint32_t index)
{
    atomic_fetch_add(&entries[index].users, 1);
}

void registry_leave(uint32_t index)
{
    atomic_fetch_sub(&entries[index].users, 1);
}

void registry_wake(uint32_t index)
{
    struct scheduler *scheduler = registry_enter(index);
    if (!scheduler)
        return;
    inbox_wake(&scheduler->inbox);
    registry_leave(index);
}

void registry_lock(void)
{
    pthread_mutex_lock(&reservation);
}

void registry_unlock(void)
{
    pthread_mutex_unlock(&reservation);
}

/* Their numbers stay reserved, so that their handles are nobody's. */
void registry_forget(void)
{
    has_parents = true;
    for (uint32_t index = 0; index < REGISTRY_CAPACITY; index++) {
        entries[index].parents = entries[index].reserved;
        atomic_store(&entries[index].scheduler, NULL);
        atomic_store(&entries[index].stopping, NULL);
        atomic_store(&entries[index].users, 0);
    }
}

bool registry_is_parents(uint32_t index)
{
    return entries[index].parents;
}

bool registry_has_parents(void)
{
    return has_parents;
}

int registry_say_parents(int error)
{
    return error_say(error, "it belongs to the process that this one was forked from");
}
