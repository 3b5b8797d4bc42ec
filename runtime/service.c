/* SPDX-License-Identifier: MIT */
#include "runtime/service.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "runtime/kinds.h"
#include "runtime/scheduler/call.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/scheduler/slot.h"

struct siblings_call {
    struct call call;
    weir_socket *siblings; /* room for RUNTIME_SCHEDULERS_MAX */
};

uint32_t service_siblings_of(const struct slot *slot, const weir_socket **siblings)
{
    const struct kind *kind = runtime_kinds[slot->kind];
    return kind->siblings ? kind->siblings(slot, siblings) : 0;
}

uint32_t service_sibling_count(const struct slot *slot)
{
    const weir_socket *siblings;
    return service_siblings_of(slot, &siblings);
}

int service_note_siblings(weir_socket **noted, const weir_socket *siblings, uint32_t count)
{
    *noted = NULL;
    if (count == 0)
        return 0;
    *noted = memory_allocate_zeroed(count + 1, sizeof(**noted));
    if (!*noted)
        return error_say(-ENOMEM, "no memory for a service");
    memcpy(*noted, siblings, count * sizeof(*siblings));
    return 0;
}

/* How many there are. */
static int run_siblings(struct scheduler *scheduler, struct slot *slot, struct call *call)
{
    struct siblings_call *wanted = list_entry(call, struct siblings_call, call);
    const weir_socket *siblings;
    uint32_t count = service_siblings_of(slot, &siblings);
    (void)scheduler;
    if (count > 0)
        memcpy(wanted->siblings, siblings, count * sizeof(*siblings));
    return (int)count;
}

static const struct call_operation operation_siblings = {
    .name = "a service's sockets", .run = run_siblings, .dead_result = 0};

/* A handler's own sockets are told from a service without a call. */
static bool may_have_siblings(weir_socket handle)
{
    struct scheduler *here = scheduler_current();
    if (!here || here->index != slot_scheduler(handle))
        return true;
    const struct slot *slot = slot_find(here, handle);
    return slot && service_sibling_count(slot) > 0;
}

uint32_t service_siblings(weir_socket handle, weir_socket siblings[RUNTIME_SCHEDULERS_MAX])
{
    if (!may_have_siblings(handle))
        return 0;
    struct siblings_call call = {.siblings = siblings};
    int count = call_make(&operation_siblings, handle, &call.call);
    return count > 0 ? (uint32_t)count : 0;
}

int service_may_wait(weir_socket handle, const char *call)
{
    struct scheduler *here = scheduler_current();
    if (!call_may_wait() && here->index == slot_scheduler(handle) && may_have_siblings(handle))
        return error_say(-EDEADLK, "%s on a service waits for every scheduler: not on one of them",
                         call);
    return 0;
}

int service_each_sibling(weir_socket handle, service_set *set, void *what)
{
    weir_socket siblings[RUNTIME_SCHEDULERS_MAX];
    int result = 0;
    uint32_t count = service_siblings(handle, siblings);
    for (uint32_t i = 0; i < count && result == 0; i++)
        result = set(siblings[i], what);
    return result;
}
