/* SPDX-License-Identifier: MIT */
/* The runtime: one scheduler per core, each with a ring, sockets, buffers and timers of its own. */
#ifndef WEIR_RUNTIME_H
#define WEIR_RUNTIME_H

#include <stdint.h>
#include <weir/version.h>

WEIR_BEGIN

typedef struct weir_runtime weir_runtime;

/* A callback that took long. It is told on its scheduler, when the callback has returned. */
typedef struct weir_slow_callback {
    void (*function)(void); /* the callback, whatever its type is; NULL: none was given */
    const char *name;       /* of it, if the dynamic linker knows one, else NULL */
    const char *file;       /* the program or library that it is in, or NULL */
    uintptr_t offset;       /* in that: for addr2line -f -e file */
    uint64_t took_ns;       /* with the callbacks that were made under it */
    int scheduler;
} weir_slow_callback;

/* The configuration of a runtime. Every field may be 0 (or NULL): the default, which is the number
 * in its comment, before the range. A text may be empty: as NULL. */
typedef struct weir_config {
    uint32_t schedulers; /* 0: one per core that the process may run on; at most 64 */
    const char *cpus; /* "0,2-3": the cores they are pinned to; NULL: pinned when there are just as
                         many as cores that the process may run on, else not: with fewer, others
                         like it would be pinned to the same ones */
    uint32_t buffer_count;         /* receive buffers per scheduler, a power of two; 1024,
                                      1..32768 */
    uint32_t buffer_size;          /* bytes of each; 16384, 64..16777216 */
    uint32_t submission_entries;   /* 512, 1..32768; no more than completion_entries */
    uint32_t completion_entries;   /* 8192, 2..65536; both are halved when less memory may
                                      be locked */
    uint32_t completion_budget;    /* completions handled per turn; 256, 1..65536 */
    uint32_t eager_submit;         /* operations that wait before a turn submits early; 128,
                                      1..32768 */
    uint32_t busy_wait_us;         /* how long an idle scheduler looks before it sleeps; 0,
                                      0..1000000 */
    uint64_t queued_bytes_limit;   /* of the whole runtime; 1 GiB. Over it every socket that has
                                      something queued is busy, and _async sends that would wait
                                      are refused; a scheduler may use what others leave, which is
                                      all but an eighth of their shares */
    uint32_t close_timeout_ms;     /* how long the peer of a closed socket may take nothing of what
                                      is queued for it, before it is reset; 30000 */
    uint32_t zero_copy_from_bytes; /* sends of this size and more leave the copy out where the
                                      kernel can; 0: none. Worth it from some 32 KiB on, to peers
                                      on other machines */
    const char *features_off; /* names of `weir doctor`, or "kernel=6.1"; also WEIR_FEATURES_OFF */
    /* inet_default_connect_options and inet_default_listen_options, as text; where they are NULL,
     * those of the environment: WEIR_DEFAULT_CONNECT_OPTIONS, WEIR_DEFAULT_LISTEN_OPTIONS. What is
     * wrong with them, or an option that the call does not take, is -EINVAL, and the text says in
     * which; {active,_} among them counts for nothing. */
    const char *default_connect_options;
    const char *default_listen_options;
    const char *inetrc; /* path of the inet configuration (docs/NAMES.md); also WEIR_INETRC. What is
                           wrong with it does not keep a runtime from starting, and is what
                           weir_last_error_text says after weir_start */
    const char *inet_terms; /* its terms as text, applied after the file; what is wrong with these
                               is -EINVAL */
    uint32_t slow_callback_us; /* callbacks that take this long are told of; 0: none is, and none is
                                  timed. Of what a socket's owner is told, of _async calls, timers
                                  and work */
    void (*slow_callback)(
        const weir_slow_callback *slow); /* told of them; NULL: a line on stderr */
    uint32_t gather_us; /* how long what arrives gathers while a scheduler sleeps, from when it fell
                           asleep, unless it is much; 0, 0..1000000. Many peers that are slower
                           than the server cost less processor time, for fewer wake-ups, and wait
                           for it; so do calls of other threads. From Linux 6.12 on ("min_wait") */
    uint64_t reserved[16]; /* for fields to come; what is not 0 is -EINVAL, as from a library that
                              is older than the header */
} weir_config;

/*
 * Starts a runtime: its schedulers, each on a thread. `config` may be NULL. Their threads have
 * `ulimit -s` of stack, and 1 MiB at least. Memory for rings counts against `ulimit -l` of the user
 * (from Linux 6.14 on; not root's), and comes back late when a runtime has stopped: it is waited
 * for, two seconds or three at most. 0 with `*runtime` set; or the reason that the machine cannot
 * run weir: -ENOSYS (no io_uring), -EPERM (switched off by sysctl or by a seccomp filter), -ENOMEM
 * (memlock or memory), -EMFILE, -EAGAIN (no thread), WEIR_SYSTEM_LIMIT (more than 256 schedulers in
 * the process), -EINVAL (a bad configuration); the text says what to do. Nothing is left behind on
 * error. Not from a scheduler: -EDEADLK.
 *
 * Fork. In a child of fork none of its parent's runtimes, sockets and mailboxes is anybody: every
 * call on one answers at once as on one that is gone (WEIR_CLOSED, or -EINVAL from those that give
 * it), weir_last_error_text says why, and the parent notices nothing. Messages that waited and
 * packets that lie in receive buffers are not in the child. It may start a runtime of its own,
 * unless it was forked in a callback: then it may only exec or exit, and must not return. Until it
 * does, it holds copies of the parent's descriptors: peers of connections that the parent closes
 * see no end, and its ports stay taken.
 *
 * Threads that make calls may be cancelled (pthread_cancel): no call stops half-way, but for
 * weir_mailbox_receive and weir_sleep, which end while they wait.
 *
 * Signals stay the application's: weir's threads block all but those that a fault of their own
 * raises (SIGSEGV and its like). A program that a callback starts inherits that mask.
 */
WEIR_API int weir_start(weir_runtime **runtime, const weir_config *config) WEIR_CHECK_RESULT;

/*
 * Stops a runtime: closes every socket, waits until no operation is in flight, joins the threads
 * and frees everything. Connections that a service has in its backlog are `accepted` first (with
 * {max_connections,N} as many as there is room for), and end as others do. Calls of other threads
 * that wait return WEIR_CLOSED, and so does every later call on the runtime, a second weir_stop
 * too; only a wait for a mailbox goes on (weir_mailbox_post), and the look-up of a name, which is
 * not waited for. Owners of active sockets are told `closed`, and handlers `gone`. Packets kept and
 * not released keep their scheduler's buffers until they are. 0, or WEIR_CLOSED. Not from a
 * scheduler: -EDEADLK.
 */
WEIR_API int weir_stop(weir_runtime *runtime);

/*
 * Closes the listeners, then waits until the last connection is gone or the time is up. Connections
 * of a service that have come by then are served, those of its backlog too. With
 * {max_connections,N} all that it has accepted are, and of its backlog as many as there is room for
 * when it closes, not more as places become free: the others are reset.
 * A handle whose connection is lost does not count, although its owner has not closed it yet; a UDP
 * socket stays open, and counts while it has something queued.
 * 0, WEIR_TIMEOUT, or WEIR_CLOSED (stopped meanwhile). Not from a scheduler: -EDEADLK.
 */
WEIR_API int weir_drain(weir_runtime *runtime, int64_t timeout_ms) WEIR_CHECK_RESULT;

/* How many schedulers there are; 0 when it has been stopped. */
WEIR_API uint32_t weir_scheduler_count(const weir_runtime *runtime);

/* Figures of one scheduler, or of all. They are read without disturbing a scheduler, so they may
 * be a turn old, each by itself. */
typedef struct weir_totals {
    uint64_t turns;
    uint64_t system_calls;
    uint64_t completions;
    uint64_t accepts;
    uint64_t connects;
    uint64_t connections; /* that have a descriptor now, also closed ones that are still sending */
    uint64_t packets_received;
    uint64_t bytes_received;
    uint64_t packets_sent;
    uint64_t bytes_sent;
    uint64_t send_operations;
    uint64_t busy;          /* times a sender was told to wait */
    uint64_t starved;       /* receives that found no buffer */
    uint64_t accept_pauses; /* accepts that failed and are made again later */
    uint64_t memory_pauses; /* receives and sends for which the kernel had no memory: the same */
    uint64_t short_sends;
    uint64_t blocked_sends;  /* sends for which the kernel had no room */
    uint64_t close_timeouts; /* closed sockets that were reset, since their peers took nothing */
    uint64_t stale_completions;
    uint64_t missed_cancels; /* cancels that had to be repeated */
    uint64_t completion_overflows;
    uint64_t fallbacks;     /* kernel features that are not used */
    uint64_t queued_bytes;  /* waiting to be sent now */
    uint64_t waiting_bytes; /* of sends that wait for a busy socket or a name, none of it queued */
    uint64_t copied_bytes;  /* received bytes that were moved in user space */
    uint64_t busy_ns;       /* time that its thread has spent on a core, the kernel's share too */
    uint64_t refused_runs;  /* udp: datagrams that the route would not have cut apart by the kernel,
                               and that were sent again one by one */
    uint64_t idle_timeouts; /* sockets that were closed by {idle_timeout,_} */
    uint64_t datagrams_dropped;   /* by the kernel, for want of room; seen when those that waited
                                     have been read, or when the socket is closed */
    uint64_t datagrams_truncated; /* longer than {buffer,_} */
    uint64_t left_out;            /* times a broadcast left a connection out because it was busy */
    uint64_t limited;             /* connections that had to wait, as their listener or service had
                                     as many as {max_connections,_} says */
    uint64_t proxy_refused; /* connections that were closed as their header by {proxy_protocol,_}
                               was wrong, late or cut short */
    uint64_t reserved[15];  /* for figures to come; 0 */
} weir_totals;

/* Reads the figures of one scheduler, or of all: `scheduler` 0..count-1, or -1 for the sum. 0,
 * -EINVAL, or WEIR_CLOSED. Any thread.
 */
WEIR_API int weir_get_totals(const weir_runtime *runtime, int scheduler, weir_totals *totals);

/*
 * Runs `work(data)` on a scheduler, soon, from its turn. 0, -EINVAL (no such scheduler, no
 * function), WEIR_CLOSED (it stops, or has; what was asked before is done) or -ENOMEM. Any thread.
 */
WEIR_API int weir_run_on(weir_runtime *runtime, uint32_t scheduler, void (*work)(void *data),
                         void *data) WEIR_CHECK_RESULT;

/* The scheduler that the caller runs on, or -1. */
WEIR_API int weir_current_scheduler(void);

WEIR_END

#endif
