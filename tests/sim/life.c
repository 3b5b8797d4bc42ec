/* SPDX-License-Identifier: MIT */
#include "sim/life.h"

#include <string.h>

#include "base/memory.h"
#include "runtime/scheduler/scheduler.h"
#include "sim/act.h"
#include "sim/model.h"
#include "sim/trace.h"

enum { SCHEDULERS_MOST = 4, OWNER_THAT_IS_NOT_TOLD = OWNER_COUNT - 1 };

/* The last that a slot has had. */
struct life {
    weir_socket socket;
    uint32_t owner;
    bool gone;
};

static struct life *lives[SCHEDULERS_MOST];
static uint32_t slot_count;

void life_open(uint32_t capacity)
{
    slot_count = 2 * capacity;
    for (uint32_t i = 0; i < SCHEDULERS_MOST; i++) {
        lives[i] = memory_map(slot_count * sizeof(*lives[i]));
        SIM_CHECK(lives[i], "no memory for the model");
    }
}

void life_close(void)
{
    for (uint32_t i = 0; i < SCHEDULERS_MOST; i++)
        memory_unmap(lives[i], slot_count * sizeof(*lives[i]));
}

void life_reset(void)
{
    for (uint32_t i = 0; i < SCHEDULERS_MOST; i++)
        memset(lives[i], 0, slot_count * sizeof(*lives[i]));
}

bool life_is_told(uint32_t owner)
{
    return owner < OWNER_THAT_IS_NOT_TOLD;
}

static struct life *place_of(weir_socket socket)
{
    const struct scheduler *home = model_home(socket);
    uint32_t slot = (uint32_t)socket.id;
    SIM_CHECK(home && slot < slot_count, "a handle of slot %u", slot);
    return &lives[home->number][slot];
}

static void check_over(const struct life *life)
{
    SIM_CHECK(life->socket.id == 0 || life->gone || !life_is_told(life->owner),
              "owner %u was never told that %llx is gone", life->owner,
              (unsigned long long)life->socket.id);
}

void life_owned(weir_socket socket, uint32_t owner)
{
    struct life *life = place_of(socket);
    if (!weir_same_socket(life->socket, socket)) {
        check_over(life);
        *life = (struct life){.socket = socket};
    }
    SIM_CHECK(!life->gone, "a socket that is gone changes hands");
    life->owner = owner;
}

bool life_is_gone(weir_socket socket)
{
    const struct life *life = model_home(socket) ? place_of(socket) : NULL;
    return life && weir_same_socket(life->socket, socket) && life->gone;
}

void life_check(weir_socket socket, const char *what)
{
    SIM_CHECK(!life_is_gone(socket), "%s after gone", what);
}

/* One that nobody has heard of may go as well: it was closed before the call that opened it could
 * call back. */
void life_gone(weir_socket socket, uint32_t owner)
{
    struct life *life = place_of(socket);
    SIM_CHECK(!model_live(socket), "gone, and its handle is alive");
    SIM_CHECK(life_is_told(owner), "owner %u has not asked to be told", owner);
    if (!weir_same_socket(life->socket, socket))
        life_owned(socket, owner);
    SIM_CHECK(!life->gone, "gone a second time");
    SIM_CHECK(life->owner == owner, "gone is told to owner %u, it was %u's", owner, life->owner);
    life->gone = true;
}

void life_scheduler_over(const struct scheduler *scheduler)
{
    for (uint32_t slot = 0; slot < slot_count; slot++)
        check_over(&lives[scheduler->number][slot]);
}
