/* SPDX-License-Identifier: MIT */
/* From a handle to its socket's scheduler: work that is run there, and all sockets of one. */
#include <errno.h>

#include "base/canary.h"
#include "base/error.h"
#include "base/memory.h"
#include "runtime/scheduler/kind.h"
#include "runtime/scheduler/registry.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/scheduler/slot.h"
#include "runtime/scheduler/slow.h"
#include <weir/reach.h>

struct errand {
    struct inbox_node node;
    weir_socket socket;
    weir_worked *work;
    void *data;
};

static void run(struct scheduler *scheduler, const struct errand *errand)
{
    struct slot *slot = slot_find(scheduler, errand->socket);
    error_clear_text();
    if (!slot) {
        if (CANARY(DEAD_ERRAND))
            return;
        errand->work(errand->socket, WEIR_CLOSED, NULL, errand->data);
        return;
    }
    slot_hold(slot);
    errand->work(errand->socket, 0, slot_data(slot), errand->data);
    slot_unhold(scheduler, slot);
}

static void arrive(struct scheduler *scheduler, struct inbox_node *node)
{
    struct errand *errand = list_entry(node, struct errand, node);
    uint64_t began_ns = slow_begin(scheduler);
    run(scheduler, errand);
    slow_end(scheduler, began_ns, (slow_function *)errand->work);
    memory_free(errand);
}

/* Why nobody is there. */
static int closed(uint32_t index)
{
    return registry_is_parents(index) ? registry_say_parents(WEIR_CLOSED) : WEIR_CLOSED;
}

static int post(const struct errand *errand)
{
    uint32_t index = slot_scheduler(errand->socket);
    struct errand *posted = memory_allocate(sizeof(*posted));
    if (!posted)
        return error_say(-ENOMEM, "no memory to run something for a socket");
    *posted = *errand;
    struct scheduler *scheduler = registry_enter(index);
    if (!scheduler) {
        memory_free(posted);
        return closed(index);
    }
    inbox_post(&scheduler->inbox, &posted->node);
    registry_leave(index);
    return 0;
}

int weir_run_for(weir_socket socket, weir_worked *work, void *data)
{
    const struct errand errand = {{NULL, arrive}, socket, work, data};
    error_clear_text();
    if (!work)
        return error_say(-EINVAL, "run_for: no function was given");
    return error_from("weir_run_for", socket.id ? post(&errand) : WEIR_CLOSED);
}

int weir_scheduler_of(weir_socket socket)
{
    uint32_t index = slot_scheduler(socket);
    error_clear_text();
    struct scheduler *scheduler = socket.id ? registry_enter(index) : NULL;
    if (!scheduler)
        return error_from("weir_scheduler_of", closed(index));
    int number = (int)scheduler->number;
    registry_leave(index);
    return number;
}

int weir_each_socket(weir_visited *visit, void *data)
{
    struct scheduler *here = scheduler_current();
    int count = 0;
    error_clear_text();
    if (!here)
        return error_say(-EINVAL, "each_socket: the caller is on no scheduler: weir_run_on one");
    uint32_t end = slot_table_size(&here->slots); /* those that are made meanwhile are too new */
    for (uint32_t index = 0; index < end; index++) {
        struct slot *slot = slot_table_at(&here->slots, index);
        if (slot->state != SOCKET_OPEN || !here->kinds[slot->kind]->has_packets)
            continue;
        slot_hold(slot);
        visit(slot_handle(here, slot), slot_data(slot), data);
        slot_unhold(here, slot);
        count++;
    }
    return count;
}
