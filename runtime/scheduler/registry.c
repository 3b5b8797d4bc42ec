/* SPDX-License-Identifier: MIT */
#include "runtime/scheduler/registry.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "runtime/ring/operation.h"
#include "runtime/scheduler/scheduler.h"

struct entry {
    _Atomic(struct scheduler *) scheduler;
    atomic_uint users;
    bool reserved;
    bool parents;
    uint32_t generation;
};

static bool has_parents;
static struct entry entries[REGISTRY_CAPACITY];
static pthread_mutex_t reservation = PTHREAD_MUTEX_INITIALIZER;

/* From the first again while there are still enough of them for every slot of the next. */
static uint32_t next_generation(uint32_t generation)
{
    return generation < GENERATION_MAX / 2 ? generation + 1 : 1;
}

int registry_reserve(uint32_t *generation)
{
    int index = 0;
    pthread_mutex_lock(&reservation);
    while (index < REGISTRY_CAPACITY && entries[index].reserved)
        index++;
    if (index < REGISTRY_CAPACITY) {
        entries[index].reserved = true;
        *generation = next_generation(entries[index].generation);
    }
    pthread_mutex_unlock(&reservation);
    if (index == REGISTRY_CAPACITY)
        return error_say(WEIR_SYSTEM_LIMIT, "a process has at most %d schedulers",
                         REGISTRY_CAPACITY);
    return index;
}

void registry_publish(uint32_t index, struct scheduler *scheduler)
{
    atomic_store(&entries[index].scheduler, scheduler);
}

void registry_withdraw(uint32_t index)
{
    atomic_store(&entries[index].scheduler, NULL);
}

uint32_t registry_user_count(uint32_t index)
{
    return atomic_load(&entries[index].users);
}

void registry_release(uint32_t index, uint32_t generation)
{
    pthread_mutex_lock(&reservation);
    entries[index].generation = generation;
    entries[index].reserved = false;
    pthread_mutex_unlock(&reservation);
}

/* Sequentially consistent: either the entrant sees that the scheduler has been withdrawn, or who
 * withdrew it sees the entrant. */
struct scheduler *registry_enter(uint32_t index)
{
    if (index >= REGISTRY_CAPACITY)
        return NULL;
    atomic_fetch_add(&entries[index].users, 1);
    struct scheduler *scheduler = atomic_load(&entries[index].scheduler);
    if (!scheduler)
        registry_leave(index);
    return scheduler;
}

void registry_hold(uint32_t index)
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
        atomic_store(&entries[index].users, 0);
    }
}

bool registry_is_parents(uint32_t index)
{
    return index < REGISTRY_CAPACITY && entries[index].parents;
}

bool registry_has_parents(void)
{
    return has_parents;
}

int registry_say_parents(int error)
{
    return error_say(error, "it belongs to the process that this one was forked from");
}
