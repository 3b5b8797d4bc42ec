/* SPDX-License-Identifier: MIT */
/* Every move there is: legal ones lead where they should, all others abort. */
#include "runtime/scheduler/socket_state.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

struct move {
    enum socket_state from;
    enum socket_event event;
    enum socket_state to;
};

static const struct move legal[] = {
    {SOCKET_FREE, SOCKET_CONNECT, SOCKET_CONNECTING},
    {SOCKET_FREE, SOCKET_ESTABLISH, SOCKET_OPEN},
    {SOCKET_CONNECTING, SOCKET_ESTABLISH, SOCKET_OPEN},
    {SOCKET_CONNECTING, SOCKET_CLOSE, SOCKET_CLOSED},
    {SOCKET_OPEN, SOCKET_LOSE, SOCKET_GONE},
    {SOCKET_OPEN, SOCKET_CLOSE, SOCKET_CLOSED},
    {SOCKET_GONE, SOCKET_CLOSE, SOCKET_CLOSED},
    {SOCKET_CLOSED, SOCKET_RELEASE, SOCKET_FREE},
};

static const struct move *find(enum socket_state from, enum socket_event event)
{
    for (size_t i = 0; i < sizeof(legal) / sizeof(legal[0]); i++)
        if (legal[i].from == from && legal[i].event == event)
            return &legal[i];
    return NULL;
}

static bool aborts(enum socket_state from, enum socket_event event)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        close(STDERR_FILENO);
        signal(SIGABRT, SIG_DFL);
        (void)socket_state_next(from, event);
        _exit(0);
    }
    waitpid(child, &status, 0);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

Test(socket_state, moves)
{
    for (int from = 0; from < SOCKET_STATE_COUNT; from++) {
        for (int event = 0; event < SOCKET_EVENT_COUNT; event++) {
            enum socket_state state = (enum socket_state)from;
            const struct move *move = find(state, (enum socket_event)event);
            if (move)
                cr_expect(socket_state_next(state, move->event) == move->to, "%d by %d", from,
                          event);
            else
                cr_expect(aborts(state, (enum socket_event)event), "%d by %d goes on", from, event);
        }
    }
}
