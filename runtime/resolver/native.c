/* SPDX-License-Identifier: MIT */
#include "runtime/resolver/native.h"

#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <string.h>

#include "address/hostent.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/thread.h"
#include "runtime/scheduler/registry.h"
#include "runtime/scheduler/scheduler.h"

enum { THREADS_MAX = 4, BUFFER_SIZE = 8192, BUFFER_SIZE_MAX = 1 << 20, ADDRESSES_MAX = 1024 };

/* Freed by the last of its threads, or by who closes it. */
struct natives {
    pthread_mutex_t lock;
    pthread_cond_t asked;
    bool closing;
    bool closed; /* whoever ends last frees it */
    size_t thread_count;
    size_t idle_count;
    size_t busy_count; /* threads that ask the C library now */
    pthread_cond_t ended;
    struct list waiting;
};

int natives_open(struct natives **out)
{
    struct natives *natives = memory_allocate_zeroed(1, sizeof(*natives));
    if (!natives)
        return -ENOMEM;
    pthread_mutex_init(&natives->lock, NULL);
    pthread_cond_init(&natives->asked, NULL);
    pthread_cond_init(&natives->ended, NULL);
    list_init(&natives->waiting);
    *out = natives;
    return 0;
}

static void destroy(struct natives *natives)
{
    thread_end_lock(&natives->lock);
    pthread_cond_destroy(&natives->asked);
    pthread_cond_destroy(&natives->ended);
    memory_free(natives);
}

void native_free(struct native *native)
{
    weir_hostent_free(native->hostent);
    memory_free(native);
}

static weir_address address_at(const struct hostent *found, size_t index)
{
    weir_address address = {.family = (uint8_t)found->h_addrtype};
    memcpy(address.bytes, found->h_addr_list[index], (size_t)found->h_length);
    return address;
}

static bool fits(const struct native *native, const struct hostent *found)
{
    return found->h_addrtype == (int)native->family &&
           found->h_length == (native->family == WEIR_INET ? 4 : 16) && found->h_addr_list[0];
}

static int convert(struct native *native, const struct hostent *found)
{
    size_t aliases = 0;
    size_t count = 0;
    if (!fits(native, found))
        return error_say(WEIR_NXDOMAIN, "the C library found nothing of that family");
    while (found->h_aliases[aliases])
        aliases++;
    while (found->h_addr_list[count] && count < ADDRESSES_MAX)
        count++;
    weir_address *addresses = memory_allocate(count * sizeof(*addresses));
    if (!addresses)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++)
        addresses[i] = address_at(found, i);
    native->hostent = hostent_create(found->h_name, (const char *const *)found->h_aliases, aliases,
                                     addresses, count);
    memory_free(addresses);
    return native->hostent ? 0 : -ENOMEM;
}

/* What was found, what the call returned, and why nothing was found. */
struct finding {
    struct hostent entry;
    struct hostent *found;
    int reason;
};

static int call_library(const struct native *native, char *buffer, size_t size,
                        struct finding *finding)
{
    socklen_t address_size = native->family == WEIR_INET ? 4 : 16;
    if (native->kind == LOOKUP_NAME)
        return gethostbyname2_r(native->name, (int)native->family, &finding->entry, buffer, size,
                                &finding->found, &finding->reason);
    return gethostbyaddr_r(native->address.bytes, address_size, (int)native->family,
                           &finding->entry, buffer, size, &finding->found, &finding->reason);
}

static int judge(struct native *native, int error, const struct finding *finding)
{
    if (error == ENOMEM || (finding->reason == NETDB_INTERNAL && errno == ENOMEM))
        return error_say(-ENOMEM, "the C library has no memory to look a name up");
    if (!finding->found)
        return error_say(WEIR_NXDOMAIN, "host '%s': %s",
                         native->kind == LOOKUP_NAME ? native->name : "of that address",
                         hstrerror(finding->reason));
    return convert(native, finding->found);
}

/* With a buffer twice the size as often as it takes. */
static int look_up(struct native *native)
{
    struct finding finding = {.found = NULL};
    int error = ERANGE;
    int result = -ENOMEM;
    for (size_t size = BUFFER_SIZE; error == ERANGE && size <= BUFFER_SIZE_MAX; size *= 2) {
        char *buffer = memory_allocate(size);
        if (!buffer)
            return error_say(-ENOMEM, "no memory to look a name up");
        error = call_library(native, buffer, size, &finding);
        if (error != ERANGE)
            result = judge(native, error, &finding);
        memory_free(buffer);
    }
    return result;
}

static void send_home(struct native *native)
{
    struct scheduler *scheduler = native->scheduler;
    uint32_t index = scheduler->index;
    registry_enter_living(index);
    inbox_post(&scheduler->inbox, &native->node);
    registry_leave(index);
}

/* With the lock held. NULL: they close. */
static struct native *wait_for_question(struct natives *natives)
{
    natives->idle_count++;
    while (list_is_empty(&natives->waiting) && !natives->closing)
        pthread_cond_wait(&natives->asked, &natives->lock);
    natives->idle_count--;
    if (natives->closing)
        return NULL;
    struct native *native = list_entry(list_take(&natives->waiting), struct native, link);
    return native;
}

/* With the lock held, which is let go meanwhile. */
static void answer(struct natives *natives, struct native *native)
{
    natives->busy_count++;
    pthread_mutex_unlock(&natives->lock);
    error_clear_text();
    native->result = look_up(native);
    error_copy_text(native->text);
    pthread_mutex_lock(&natives->lock);
    natives->busy_count--;
    if (native->asker)
        send_home(native);
    else
        native_free(native);
}

static void *run(void *argument)
{
    struct natives *natives = argument;
    struct native *native;
    pthread_setname_np(pthread_self(), "weir-names");
    pthread_mutex_lock(&natives->lock);
    while ((native = wait_for_question(natives)))
        answer(natives, native);
    natives->thread_count--;
    bool last = natives->closed && natives->thread_count == 0;
    pthread_cond_signal(&natives->ended);
    pthread_mutex_unlock(&natives->lock);
    if (last)
        destroy(natives);
    return NULL;
}

void native_forget(struct native *native)
{
    struct natives *natives = native->natives;
    pthread_mutex_lock(&natives->lock);
    native->asker = NULL;
    pthread_mutex_unlock(&natives->lock);
}

void natives_close(struct natives *natives)
{
    pthread_mutex_lock(&natives->lock);
    natives->closing = true;
    struct list *link;
    while ((link = list_take(&natives->waiting)))
        native_free(list_entry(link, struct native, link));
    pthread_cond_broadcast(&natives->asked);
    while (natives->thread_count > natives->busy_count)
        pthread_cond_wait(&natives->ended, &natives->lock);
    natives->closed = true;
    bool last = natives->thread_count == 0;
    pthread_mutex_unlock(&natives->lock);
    if (last)
        destroy(natives);
}

/* With the lock held. A question that finds all threads busy waits for one. */
static int start(struct natives *natives)
{
    pthread_t thread;
    if (natives->idle_count > 0 || natives->thread_count == THREADS_MAX)
        return 0;
    int result = thread_create(&thread, run, natives);
    if (result < 0)
        return natives->thread_count > 0 ? 0 : result;
    pthread_detach(thread);
    natives->thread_count++;
    return 0;
}

static struct native *new_question(struct natives *natives, struct scheduler *scheduler,
                                   const struct lookup *lookup)
{
    const char *name = lookup->name ? lookup->name : "";
    size_t size = strlen(name) + 1;
    struct native *native = memory_allocate_zeroed(1, sizeof(*native) + size);
    if (!native)
        return NULL;
    native->natives = natives;
    native->scheduler = scheduler;
    native->kind = lookup->kind;
    native->address = lookup->address;
    native->family = lookup->family;
    memcpy(native->name, name, size);
    return native;
}

struct native *native_ask(struct natives *natives, struct scheduler *scheduler,
                          const struct lookup *lookup, void *asker,
                          void (*answered)(struct scheduler *scheduler, struct inbox_node *node))
{
    struct native *native = new_question(natives, scheduler, lookup);
    if (!native)
        return NULL;
    native->node.run = answered;
    native->asker = asker;
    pthread_mutex_lock(&natives->lock);
    int result = start(natives);
    if (result == 0) {
        list_append(&natives->waiting, &native->link);
        pthread_cond_signal(&natives->asked);
    }
    pthread_mutex_unlock(&natives->lock);
    if (result == 0)
        return native;
    native_free(native);
    return NULL;
}
