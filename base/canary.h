/* SPDX-License-Identifier: MIT */
/* Bugs that tests/sim plants one at a time, to see that it finds them. In every other build none
 * is there, and CANARY(...) costs nothing. */
#ifndef BASE_CANARY_H
#define BASE_CANARY_H

#include <stdbool.h>

enum canary {
    CANARY_LOST_WAKE,          /* who posts to a sleeping scheduler rings no bell */
    CANARY_DOUBLE_RELEASE,     /* a buffer that a stale completion brought comes back twice */
    CANARY_REORDERED_SENDS,    /* what is queued behind an operation in flight overtakes */
    CANARY_MISSED_REARM,       /* a multishot that ended with bytes is taken to go on */
    CANARY_IGNORED_GENERATION, /* a stale completion is its slot's new socket's */
    CANARY_TASK_LEFT,          /* a scheduler sleeps though a task is due */
    CANARY_FORGOTTEN_UNBUSY,   /* a handler that was told EAGAIN hears no more of it */
    CANARY_IGNORED_NOTICE,     /* memory of a zero-copy send is used again before its notice */
    CANARY_ONE_CANCEL,         /* a cancel that did not find its operation is not repeated */
    CANARY_MISSED_ROOM,        /* room for sending is taken for an end of the peer */
    CANARY_DEAF_SIBLING,       /* a scheduler that posts to another one rings no bell */
    CANARY_LEFT_BEHIND,        /* messages that wait are the old owner's after a hand-over */
    CANARY_SILENT_RETURN,      /* who returns a buffer from elsewhere rings no bell */
    CANARY_STALE_CLOCK,        /* a wait begins when its turn began */
    CANARY_IGNORED_SHARE,      /* a socket hands out all that there is in one turn */
    CANARY_ENDLESS_DRAIN,      /* what a task adds to its queue is run in the same batch */
    CANARY_FORGOTTEN_GONE,     /* a connection that is gone is not told so */
    CANARY_MISSED_POLL,        /* a descriptor is watched for the first time only */
    CANARY_HELD_BACK,          /* a mailbox that was emptied lets no full socket go on */
    CANARY_STALE_SHELF,        /* what a thread took from its shelf is handed out once more */
    CANARY_EMPTY_IS_END,       /* a datagram without bytes is taken for none */
    CANARY_LOST_RUN,           /* what the route refuses to cut apart is not sent one by one */
    CANARY_SILENT_CUT,         /* a datagram that was cut is not said to be */
    CANARY_TOLD_TWICE,         /* a datagram that is kept for later is kept twice */
    CANARY_FATAL_ERROR,        /* an error of a datagram that was sent closes its socket */
    CANARY_UNHEARD_ROOM,       /* datagrams that found no room are not offered again */
    CANARY_LAST_POLL,          /* a poll for datagrams that is over is taken to go on */
    CANARY_LOST_TAIL,          /* of a run of datagrams the last, which is shorter, is lost */
    CANARY_WHOLE_RUN,          /* a run of datagrams is told as one */
    CANARY_UNSHARED_RUNS,      /* of a run of datagrams all are handed out at once */
    CANARY_SMALL_FOR_RUNS,     /* a run of datagrams is received where one has room */
    CANARY_RUNS_CUT_OFF,       /* {udp_gro,false} holds for runs that have come before it */
    CANARY_RESTLESS,           /* who receives nothing but errors asks again at once */
    CANARY_UNTOLD_ERROR,       /* an error that a receive has met is told to nobody */
    CANARY_UNSERVED,           /* a process does not own the connection that it was spawned for */
    CANARY_LEAKED_HANDOVER,    /* a connection that comes to a scheduler that stops is left open */
    CANARY_DEAF_PROCESS,       /* a process that waits is not called when a message comes */
    CANARY_SENT_AGAIN,         /* a datagram that one address of a name got goes to the next too */
    CANARY_BLIND_CONNECT,      /* who connects a UDP socket from elsewhere hears of no error */
    CANARY_LATE_ANSWER,        /* who waits for a name is not told that the socket is closed */
    CANARY_FORGOTTEN_PLACE, /* a service's place that becomes free is nobody's who waits for it */
    CANARY_ORPHANED,        /* what a process owns is left open at its end */
    CANARY_UNHEARD_KILL,    /* a process that waits for a call is not told that it is to end */
    CANARY_DRIFTING,        /* a periodic timer counts from when it was called, not from its time */
    CANARY_DEAD_TIMER,      /* a timer that was cancelled from elsewhere fires all the same */
    CANARY_IDLE_ALL_ALONG,  /* bytes do not keep a connection that is watched over */
    CANARY_CANCEL_IN_VAIN,  /* a call that is cancelled waits on */
    CANARY_DEAD_ERRAND,     /* work for a socket that has gone meanwhile is not run */
    CANARY_SWALLOWED,       /* what came together with a proxy's header is taken for part of it */
    CANARY_LEAKED_DESCRIPTOR, /* one that came with bytes is left open with its socket closed */
};

#ifdef WEIR_CANARY
#define CANARY(name) (WEIR_CANARY == CANARY_##name)
#else
#define CANARY(name) false
#endif

#endif
