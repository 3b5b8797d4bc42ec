/* SPDX-License-Identifier: MIT */
#include "runtime/process/process_state.h"

#include <criterion/criterion.h>
#include <signal.h>

static const struct move {
    enum process_state from;
    enum process_event event;
    enum process_state to;
} moves[] = {
    {PROCESS_READY, PROCESS_RESUME, PROCESS_RUNNING},
    {PROCESS_READY, PROCESS_FINISH, PROCESS_ENDED},
    {PROCESS_RUNNING, PROCESS_SUSPEND, PROCESS_WAITING},
    {PROCESS_RUNNING, PROCESS_YIELD, PROCESS_READY},
    {PROCESS_RUNNING, PROCESS_FINISH, PROCESS_ENDED},
    {PROCESS_WAITING, PROCESS_WAKE, PROCESS_READY},
};

Test(process_state, moves)
{
    for (size_t i = 0; i < sizeof(moves) / sizeof(moves[0]); i++)
        cr_assert(process_state_next(moves[i].from, moves[i].event) == moves[i].to);
}

Test(process_state, one_that_waits_does_not_run, .signal = SIGABRT)
{
    (void)process_state_next(PROCESS_WAITING, PROCESS_RESUME);
}

Test(process_state, one_that_has_ended_does_nothing_more, .signal = SIGABRT)
{
    (void)process_state_next(PROCESS_ENDED, PROCESS_WAKE);
}
