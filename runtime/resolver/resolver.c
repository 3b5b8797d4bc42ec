/* SPDX-License-Identifier: MIT */
#include "runtime/resolver/resolver.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>

#include "address/address.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/thread.h"
#include "runtime/scheduler/registry.h"
#include "runtime/scheduler/scheduler.h"

struct resolver {
    pthread_mutex_t lock;
    pthread_cond_t asked;
    pthread_t thread;
    bool running;
    bool closing;
    struct list questions;
};

int resolver_open(struct resolver **out)
{
    struct resolver *resolver = memory_allocate_zeroed(1, sizeof(*resolver));
    if (!resolver)
        return error_say(-ENOMEM, "no memory for a resolver");
    pthread_mutex_init(&resolver->lock, NULL);
    pthread_cond_init(&resolver->asked, NULL);
    list_init(&resolver->questions);
    *out = resolver;
    return 0;
}

static void answer(struct resolution *resolution, int result)
{
    struct scheduler *scheduler = resolution->scheduler;
    uint32_t index = scheduler->index;
    resolution->result = result;
    registry_hold(index);
    inbox_post(&scheduler->inbox, &resolution->node);
    registry_leave(index);
}

/* With the lock held. NULL: the resolver closes. */
static struct resolution *wait_for_question(struct resolver *resolver)
{
    while (list_is_empty(&resolver->questions) && !resolver->closing)
        pthread_cond_wait(&resolver->asked, &resolver->lock);
    if (resolver->closing)
        return NULL;
    return list_entry(list_take(&resolver->questions), struct resolution, link);
}

static void *resolve(void *argument)
{
    struct resolver *resolver = argument;
    struct resolution *resolution;
    pthread_setname_np(pthread_self(), "weir-resolver");
    pthread_mutex_lock(&resolver->lock);
    while ((resolution = wait_for_question(resolver))) {
        pthread_mutex_unlock(&resolver->lock);
        answer(resolution, address_resolve(resolution->host, resolution->family,
                                           resolution->addresses, resolution->capacity));
        pthread_mutex_lock(&resolver->lock);
    }
    pthread_mutex_unlock(&resolver->lock);
    return NULL;
}

void resolver_stop(struct resolver *resolver)
{
    pthread_mutex_lock(&resolver->lock);
    resolver->closing = true;
    pthread_cond_signal(&resolver->asked);
    pthread_mutex_unlock(&resolver->lock);
    if (resolver->running)
        pthread_join(resolver->thread, NULL);
    resolver->running = false;
    struct list *link;
    while ((link = list_take(&resolver->questions)))
        answer(list_entry(link, struct resolution, link), WEIR_CLOSED);
}

void resolver_close(struct resolver *resolver)
{
    resolver_stop(resolver);
    pthread_mutex_destroy(&resolver->lock);
    pthread_cond_destroy(&resolver->asked);
    memory_free(resolver);
}

/* With the lock held. */
static int start(struct resolver *resolver)
{
    if (resolver->closing)
        return WEIR_CLOSED;
    if (resolver->running)
        return 0;
    int result = thread_create(&resolver->thread, resolve, resolver);
    resolver->running = result == 0;
    return result;
}

int resolver_ask(struct resolver *resolver, struct resolution *resolution)
{
    pthread_mutex_lock(&resolver->lock);
    int result = start(resolver);
    if (result == 0) {
        list_append(&resolver->questions, &resolution->link);
        pthread_cond_signal(&resolver->asked);
    }
    pthread_mutex_unlock(&resolver->lock);
    return result;
}
