/* SPDX-License-Identifier: MIT */
#include "sim/reach.h"

#include <errno.h>

#include "runtime/scheduler/call.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/stream/stream.h"
#include "sim/act.h"
#include "sim/actor.h"
#include "sim/dice.h"
#include "sim/link.h"
#include "sim/pending.h"
#include "sim/post.h"
#include "sim/program.h"
#include "sim/slow.h"
#include "sim/trace.h"
#include "sim/turns.h"
#include <weir/reach.h>

enum { WORK_MOST = 128, SCHEDULERS_MOST = 4 };

struct work {
    bool used;
    weir_socket socket;
    uint32_t link;
    uint32_t actor; /* who asks, and the how manyeth of his for this scheduler */
    uint32_t home;
    uint64_t number;
};

static struct work all[WORK_MOST];
static uint64_t asked[ACTOR_MOST][SCHEDULERS_MOST];
static uint64_t run[ACTOR_MOST][SCHEDULERS_MOST];

void reach_reset(void)
{
    for (uint32_t i = 0; i < WORK_MOST; i++)
        all[i].used = false;
    for (uint32_t i = 0; i < ACTOR_MOST; i++)
        for (uint32_t j = 0; j < SCHEDULERS_MOST; j++)
            asked[i][j] = run[i][j] = 0;
}

static void check_data(const struct conn *conn, const void *socket_data)
{
    const void *data = post_is_box(conn->owner) ? NULL : act_owner(conn->owner).data;
    SIM_CHECK(conn->forsaken || socket_data == data, "work is given another socket's data");
}

static void check_order(const struct work *work)
{
    uint64_t *last = &run[work->actor][work->home];
    SIM_CHECK(work->number > *last, "work that was asked for later is run first");
    *last = work->number;
}

static void worked(weir_socket socket, int result, void *socket_data, void *data)
{
    struct work *work = data;
    SIM_CHECK(work->used, "work is run twice");
    struct work was = *work;
    work->used = false;
    struct conn *conn = model_conn(was.link);
    bool same = weir_same_socket(conn->handle, socket);
    trace("link %lld: work is run: %lld", was.link, result, 0, 0);
    turns_count_work();
    SIM_CHECK(weir_same_socket(was.socket, socket), "work is run for another socket");
    SIM_CHECK(scheduler_current() && scheduler_current()->number == was.home,
              "work is run on another scheduler");
    SIM_CHECK(result == (model_live(socket) ? 0 : WEIR_CLOSED), "work is told %s",
              weir_error_name(result));
    check_order(&was);
    if (result == 0 && same)
        check_data(conn, socket_data);
    slow_maybe();
    if (result == 0 && same && !program_winds_down() && dice_chance(500))
        act_at_random(conn);
    SIM_CHECK(weir_scheduler_of(socket) == (int)was.home || model_stopping,
              "the socket is of another scheduler");
}

void reach_run_for(struct conn *conn)
{
    const struct scheduler *home = model_home(conn->handle);
    struct work *work = NULL;
    for (uint32_t i = 0; i < WORK_MOST && !work; i++)
        work = all[i].used ? NULL : &all[i];
    if (!home || !work)
        return;
    *work = (struct work){.used = true,
                          .socket = conn->handle,
                          .link = model_link(conn),
                          .actor = actor_current(),
                          .home = home->number};
    work->number = ++asked[work->actor][work->home];
    int result = weir_run_for(work->socket, worked, work);
    trace("run_for: %lld", result, 0, 0, 0);
    SIM_CHECK(result == 0 || (result == WEIR_CLOSED && model_stopping) ||
                  (result == -ENOMEM && model_lenient),
              "run_for gave %s", weir_error_name(result));
    if (result < 0)
        work->used = false;
}

/* What waits in recv, if that is an _async call of the program's. */
static struct pending *waiting_of(const struct conn *conn)
{
    const struct stream *socket = model_live_stream(conn->handle);
    const struct call *call = socket ? socket->waiter : NULL;
    return call && call->kind == CALL_ASYNC ? pending_of(call) : NULL;
}

void reach_cancel(struct conn *conn)
{
    weir_socket handle = conn->handle;
    struct pending *pending = waiting_of(conn);
    void *data = pending ? (void *)pending : &all[0];
    if (pending)
        pending->is_cancelled = true;
    int result = weir_cancel(handle, data);
    trace("cancel of a recv: %lld", result, 0, 0, 0);
    if (!act_may_wait()) {
        int expected = !model_live(handle) ? WEIR_CLOSED : pending != NULL;
        SIM_CHECK(result == expected, "cancel gave %d, not %d", result, expected);
        return;
    }
    SIM_CHECK(result == 0 || result == WEIR_CLOSED || (result == 1 && pending), "cancel gave %d",
              result);
}

void reach_check_end(void)
{
    for (uint32_t i = 0; i < WORK_MOST; i++)
        SIM_CHECK(!all[i].used, "work was never run");
}
