/* SPDX-License-Identifier: MIT */
/* The life of a process: its states, what happens to it, and the moves that are legal. */
#ifndef RUNTIME_PROCESS_PROCESS_STATE_H
#define RUNTIME_PROCESS_PROCESS_STATE_H

enum process_state {
    PROCESS_NONE,
    PROCESS_READY,   /* in the row */
    PROCESS_RUNNING, /* its stack is the thread's */
    PROCESS_WAITING, /* for a call */
    PROCESS_ENDED,
    PROCESS_STATE_COUNT
};

enum process_event {
    PROCESS_RESUME,
    PROCESS_SUSPEND,
    PROCESS_YIELD,
    PROCESS_WAKE,
    PROCESS_FINISH,
    PROCESS_EVENT_COUNT
};

/* The move from a state; one that is not in the table aborts. */
enum process_state process_state_next(enum process_state state, enum process_event event);

#endif
