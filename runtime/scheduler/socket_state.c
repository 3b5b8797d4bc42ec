/* SPDX-License-Identifier: MIT */
#include "runtime/scheduler/socket_state.h"

#include "base/check.h"

/* 0 is SOCKET_FREE, which only RELEASE leads to: a cell that is left out is an impossible move. */
static const unsigned char moves[SOCKET_STATE_COUNT][SOCKET_EVENT_COUNT] = {
    [SOCKET_FREE] = {[SOCKET_CONNECT] = SOCKET_CONNECTING, [SOCKET_ESTABLISH] = SOCKET_OPEN},
    [SOCKET_CONNECTING] = {[SOCKET_ESTABLISH] = SOCKET_OPEN, [SOCKET_CLOSE] = SOCKET_CLOSED},
    [SOCKET_OPEN] = {[SOCKET_LOSE] = SOCKET_GONE, [SOCKET_CLOSE] = SOCKET_CLOSED},
    [SOCKET_GONE] = {[SOCKET_CLOSE] = SOCKET_CLOSED},
};

enum socket_state socket_state_next(enum socket_state state, enum socket_event event)
{
    if (state == SOCKET_CLOSED && event == SOCKET_RELEASE)
        return SOCKET_FREE;
    enum socket_state next = (enum socket_state)moves[state][event];
    if (next == SOCKET_FREE)
        CHECK_NEVER(state * 16 + event);
    return next;
}
