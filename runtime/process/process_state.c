/* SPDX-License-Identifier: MIT */
#include "runtime/process/process_state.h"

#include "base/check.h"

/* PROCESS_NONE, 0, is an impossible move. */
static const unsigned char moves[PROCESS_STATE_COUNT][PROCESS_EVENT_COUNT] = {
    [PROCESS_READY] = {[PROCESS_RESUME] = PROCESS_RUNNING, [PROCESS_FINISH] = PROCESS_ENDED},
    [PROCESS_RUNNING] = {[PROCESS_SUSPEND] = PROCESS_WAITING,
                         [PROCESS_YIELD] = PROCESS_READY,
                         [PROCESS_FINISH] = PROCESS_ENDED},
    [PROCESS_WAITING] = {[PROCESS_WAKE] = PROCESS_READY},
};

enum process_state process_state_next(enum process_state state, enum process_event event)
{
    enum process_state next = (enum process_state)moves[state][event];
    if (next == PROCESS_NONE)
        CHECK_NEVER(state * 16 + event);
    return next;
}
