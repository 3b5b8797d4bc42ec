/* SPDX-License-Identifier: MIT */
#include "sim/give.h"

#include <errno.h>

#include "runtime/scheduler/scheduler.h"
#include "sim/act.h"
#include "sim/dice.h"
#include "sim/errand.h"
#include "sim/model.h"
#include "sim/post.h"
#include "sim/process.h"
#include "sim/trace.h"
#include "sim/udp_act.h"
#include "sim/udp_told.h"
#include <weir/error.h>

/* It may have ended since it was asked for, and another have its number. */
static int refusal(int expected)
{
    return expected == WEIR_BADARG ? WEIR_NOPROC : expected;
}

static void note_connection(struct errand *errand, struct conn *conn)
{
    errand->expected =
        conn ? refusal(act_foresee_owner(conn, errand->from, errand->to)) : WEIR_CLOSED;
}

static void note_udp(struct errand *errand, struct udp_view *view)
{
    errand->expected =
        view ? refusal(udp_foresee_owner(view, errand->from, errand->to)) : WEIR_CLOSED;
}

static bool choose(struct errand *errand, uint32_t owner, weir_process *process)
{
    uint32_t from = dice_chance(100) ? dice_below(OWNER_COUNT) : owner;
    uint32_t to;
    if (!process_some(process, &to))
        return false;
    *errand = (struct errand){.from = post_name(from), .to = post_name(to)};
    return true;
}

static bool may_wait_for(weir_process process)
{
    return act_may_wait() || model_home((weir_socket){process.id}) == scheduler_current();
}

/* Nobody is asked who would have to be waited for, nor is one who is not there any more. */
static void check_unasked(weir_process process, int result)
{
    bool may_wait = may_wait_for(process);
    SIM_CHECK(may_wait ? result == WEIR_NOPROC || result == WEIR_CLOSED
                       : result == -EDEADLK || (model_stopping && result == WEIR_NOPROC),
              "give gave %s", weir_error_name(result));
}

static void give(const struct errand *errand, weir_socket socket, weir_owner from,
                 weir_process process)
{
    int result = weir_give(socket, from, process);
    bool asked = errand_end();
    trace("a socket is given by owner %lld to %lld: %lld", errand->from.number, errand->to.number,
          result, 0);
    process_waited(result);
    if (asked)
        SIM_CHECK(result == errand->expected, "give gave %s, not %s", weir_error_name(result),
                  weir_error_name(errand->expected));
    else
        check_unasked(process, result);
}

void give_connection(struct conn *conn)
{
    struct errand errand;
    weir_process process;
    weir_socket handle = conn->handle;
    if (!choose(&errand, conn->owner, &process))
        return;
    errand_begin(&errand, conn, note_connection);
    give(&errand, handle, act_owner(errand.from.number), process);
}

void give_udp(struct udp_view *view)
{
    struct errand errand;
    weir_process process;
    weir_socket handle = view->handle;
    if (!choose(&errand, view->owner, &process))
        return;
    errand_begin_udp(&errand, view, note_udp);
    give(&errand, handle, udp_owner(errand.from.number), process);
}
