/* SPDX-License-Identifier: MIT */
/* The life of a socket: its states, what happens to it, and the moves that are legal. */
#ifndef RUNTIME_SCHEDULER_SOCKET_STATE_H
#define RUNTIME_SCHEDULER_SOCKET_STATE_H

enum socket_state {
    SOCKET_FREE,
    SOCKET_CONNECTING, /* nobody has its handle yet */
    SOCKET_OPEN,
    SOCKET_GONE,   /* the handle lives, the descriptor is gone or going */
    SOCKET_CLOSED, /* the handle is dead; what is queued and in flight comes to its end */
    SOCKET_STATE_COUNT
};

enum socket_event {
    SOCKET_CONNECT,
    SOCKET_ESTABLISH, /* accepted, or connected; a listener: it listens */
    SOCKET_LOSE,      /* the peer, an error or a time-out took the descriptor away */
    SOCKET_CLOSE,
    SOCKET_RELEASE, /* nothing is in flight any more */
    SOCKET_EVENT_COUNT
};

/* The state that follows; a move that is not in the table aborts. */
enum socket_state socket_state_next(enum socket_state state, enum socket_event event);

#endif
