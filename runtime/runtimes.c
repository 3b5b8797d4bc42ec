/* SPDX-License-Identifier: MIT */
#include "runtime/runtimes.h"

#include <pthread.h>

#include "base/check.h"
#include "base/error.h"
#include "base/list.h"
#include "runtime/runtime.h"
#include "runtime/scheduler/registry.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t left = PTHREAD_COND_INITIALIZER;
static struct list runtimes = {&runtimes, &runtimes};
static uint64_t last_id;

void runtimes_add(struct weir_runtime *runtime)
{
    pthread_mutex_lock(&lock);
    runtime->id = ++last_id;
    list_append(&runtimes, &runtime->link);
    pthread_mutex_unlock(&lock);
}

/* With the lock held. NULL: it is none of them. */
static struct weir_runtime *find(const struct weir_runtime *wanted)
{
    for (struct list *link = runtimes.next; link != &runtimes; link = link->next) {
        struct weir_runtime *runtime = list_entry(link, struct weir_runtime, link);
        if (runtime == wanted)
            return runtime;
    }
    return NULL;
}

enum { ANY_ID = 0 };

static int enter(const struct weir_runtime *wanted, uint64_t id)
{
    pthread_mutex_lock(&lock);
    struct weir_runtime *runtime = find(wanted);
    bool found = runtime && (id == ANY_ID || id == runtime->id);
    if (found)
        runtime->inside_count++;
    pthread_mutex_unlock(&lock);
    if (found)
        return 0;
    return registry_has_parents() ? registry_say_parents(WEIR_CLOSED)
                                  : error_say(WEIR_CLOSED, "the runtime has been stopped");
}

int runtimes_enter(const struct weir_runtime *runtime)
{
    return enter(runtime, ANY_ID);
}

int runtimes_enter_again(const struct weir_runtime *runtime, uint64_t id)
{
    return enter(runtime, id);
}

void runtimes_leave(const struct weir_runtime *entered)
{
    struct weir_runtime *runtime = (struct weir_runtime *)entered;
    pthread_mutex_lock(&lock);
    CHECK_GT(runtime->inside_count, 0u);
    if (--runtime->inside_count == 0)
        pthread_cond_broadcast(&left);
    pthread_mutex_unlock(&lock);
}

bool runtimes_withdraw(struct weir_runtime *runtime)
{
    pthread_mutex_lock(&lock);
    bool found = find(runtime) != NULL;
    if (found)
        list_remove(&runtime->link);
    pthread_mutex_unlock(&lock);
    return found;
}

bool runtimes_is_withdrawn(const struct weir_runtime *runtime)
{
    pthread_mutex_lock(&lock);
    bool withdrawn = find(runtime) == NULL;
    pthread_mutex_unlock(&lock);
    return withdrawn;
}

void runtimes_wait_until_left(const struct weir_runtime *runtime)
{
    pthread_mutex_lock(&lock);
    while (runtime->inside_count > 0)
        pthread_cond_wait(&left, &lock);
    pthread_mutex_unlock(&lock);
}

void runtimes_lock(void)
{
    pthread_mutex_lock(&lock);
}

void runtimes_unlock(void)
{
    pthread_mutex_unlock(&lock);
}

/* Those who waited are the parent's threads. */
void runtimes_forget(void)
{
    pthread_cond_init(&left, NULL);
    while (list_take(&runtimes))
        continue;
}
