/* SPDX-License-Identifier: MIT */
#include "sim/process_act.h"

#include <stddef.h>

#include "runtime/scheduler/scheduler.h"
#include "runtime/scheduler/slot.h"
#include "sim/act.h"
#include "sim/dice.h"
#include "sim/link.h"
#include "sim/model.h"
#include "sim/program.h"
#include "sim/trace.h"

/* NULL: none was found. */
static struct conn *some_owned(uint32_t owner)
{
    for (uint32_t i = 0, at = dice_below(link_capacity); i < link_capacity; i++) {
        struct conn *conn = model_conn((at + i) % link_capacity);
        if (conn->handle.id != 0 && conn->owner == owner && !conn->closed && !conn->forsaken)
            return conn;
    }
    return NULL;
}

void process_act(uint32_t owner)
{
    uint32_t what = dice_below(10);
    if (dice_chance(program_style.own_udp)) {
        program_act_on_datagrams();
        return;
    }
    if (dice_chance(program_style.timers))
        program_act_on_timers();
    struct conn *owned = some_owned(owner);
    if (what < 1 || (!owned && what < 5))
        program_connect_and_wait();
    else if (what < 2)
        program_act_on_listener();
    else if (owned && what < 8)
        act_at_random(owned);
    else
        program_act_on_connection();
}

/* Whoever has heard of it already may have handed it on. */
void process_begin_serving(weir_socket socket, uint32_t owner, const weir_mailbox *mailbox)
{
    const struct slot *slot = model_live(socket);
    const struct conn *conn = slot ? model_find(socket, owner) : NULL;
    SIM_CHECK(!conn || conn->owner != owner || slot_mailbox(slot) == mailbox,
              "a process serves a connection that is not its own");
}

void process_check_owned(const weir_mailbox *mailbox)
{
    const struct scheduler *here = scheduler_current();
    for (uint32_t i = 0; i < slot_table_size(&here->slots); i++) {
        const struct slot *slot = slot_table_at(&here->slots, i);
        SIM_CHECK(slot_mailbox(slot) != mailbox || !slot_is_live(slot),
                  "a process has ended, and slot %u is its own", i);
    }
}
