/* SPDX-License-Identifier: MIT */
#include "runtime/listener/late_options.h"

#include <errno.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/system.h"
#include "runtime/listener/adopt.h"
#include "runtime/listener/incoming.h"
#include "runtime/listener/listener.h"
#include "runtime/listener/listening.h"
#include "runtime/scheduler/scheduler.h"

weir_option *late_options_shorten(weir_option *options)
{
    size_t length = 0;
    for (const weir_option *option = options; option->id != WEIR_OPTION_END; option++)
        if (options_forgotten(option))
            options[length++] = *option;
    options[length].id = WEIR_OPTION_END;
    if (length > 0)
        return options;
    memory_free(options);
    return NULL;
}

weir_option *late_options_join(const weir_option *earlier, const weir_option *later)
{
    size_t earlier_length = options_length(earlier);
    size_t later_length = options_length(later);
    size_t length = 0;
    weir_option *both = memory_allocate((earlier_length + later_length + 1) * sizeof(weir_option));
    if (!both)
        return NULL;
    for (size_t i = 0; i < earlier_length; i++)
        if (!options_supersede(later, &earlier[i]))
            both[length++] = earlier[i];
    for (size_t i = 0; i <= later_length; i++)
        both[length++] = later[i];
    weir_option *copy = options_copy(both);
    memory_free(both);
    return copy;
}

static int note(struct listening *listening, const weir_option *options)
{
    weir_option *late = late_options_join(listening->late, options);
    if (!late)
        return error_say(-ENOMEM, "no memory for the listener's options");
    memory_free(listening->late);
    listening->late = late;
    return 0;
}

/* Connections that came before now: in the backlog, or accepted and not looked at. */
static uint32_t waiting_count(const struct scheduler *scheduler, const struct listener *listener)
{
    uint32_t waiting = listener_backlog_count(listener);
    return waiting == UINT32_MAX ? waiting
                                 : waiting + ring_ready(scheduler->ring) + scheduler->last_count;
}

static void give_to_accepted(const struct listener *listener, const weir_option *options)
{
    const struct listening *listening = listener->listening;
    int family = listener->slot.family;
    if (listening->in_hand >= 0)
        options_inherit(options, listening->in_hand, family);
    for (struct list *link = listening->kept.next; link != &listening->kept; link = link->next)
        options_inherit(options, list_entry(link, struct handover, link)->arrival.fd, family);
    incoming_set(listening, options);
}

int late_options_note(struct scheduler *scheduler, struct listener *listener,
                      const weir_option *options)
{
    struct listening *listening = listener->listening;
    give_to_accepted(listener, options);
    listening->late_count = waiting_count(scheduler, listener);
    if (listening->late_count > 0 || options_forgotten(options))
        return note(listening, options);
    if (listening->late)
        listening->late = late_options_shorten(listening->late);
    return 0;
}

void late_options_complete(struct listening *listening, int fd)
{
    if (!listening->late)
        return;
    options_inherit(listening->late, fd, listening->listener->slot.family);
    if (listening->late_count > 0 && --listening->late_count == 0)
        listening->late = late_options_shorten(listening->late);
}
