/* SPDX-License-Identifier: MIT */
/*
 * Processes: straight-line code on a scheduler. docs/PROCESSES.md puts them beside the document's.
 *
 * A process is a function that runs on a stack of its own, on one scheduler for all of its life. In
 * it every call that waits is made as on a thread: weir_recv, weir_tcp_accept, weir_tcp_connect,
 * weir_send, weir_close with {linger,{true,S}}, the look-ups of weir/names.h, weir_udp_recv and
 * weir_udp_send, weir_mailbox_receive, calls on sockets of other schedulers, and those below. The
 * process is suspended until the call is complete; its scheduler goes on with others.
 *
 * What is so of a process
 * 1. It runs until it waits: two processes of one scheduler, or a process and a handler, never run
 *    at the same time, and need no lock between them. One that computes for long holds up its
 *    scheduler, as a callback would (weir_config.slow_callback_us tells of it); weir_sleep(0) lets
 *    others go on. One whose calls never have to wait goes on behind others every 256 calls.
 * 2. It has a mailbox. Whom it makes the owner of a socket by weir_owned_by_self(), or by an owner
 *    that is nobody, in weir_tcp_accept, weir_tcp_connect, weir_tcp_listen and weir_udp_open, is
 *    itself: the controlling process of the document. What an active socket has to tell comes to
 *    its mailbox. Its end closes what it owns; what is queued is still sent.
 * 3. Connections that it accepts and opens live on its own scheduler.
 * 4. weir_send takes the bytes and comes back at once, as in a handler; what the kernel says of
 *    them later is the result of the next call. Where the socket is busy, or becomes so by it, the
 *    process waits, as a thread does, {send_timeout,_} long.
 * 5. A lock of pthread's must not be held over a call that waits: who else wants it may be on the
 *    same thread. Thread-local variables are those of the scheduler's thread.
 * 6. In a callback that is made under one of its calls (weir/socket.h, rule 6 of where calls may be
 *    made) it is a callback, which may not wait and is no process.
 *
 * How it ends
 * 1. Its function returns, or it calls weir_exit: why it ended is what it returns or gives. 0 is
 *    "normal", other values are the program's; errors of weir/error.h serve well.
 * 2. weir_kill, and weir_stop, end it when it next waits. The call that waits, or the next one that
 *    would have to, gives WEIR_KILLED: time to give back what it holds; so does one that looks and
 *    finds nothing (time-out 0). A call that may wait and is made after that does not come back;
 *    what is on the stack then is forgotten, not unwound.
 * 3. Then its sockets are closed, what waits in its mailbox is dropped, those who monitor it are
 *    told, and `ended` of its options is called.
 *
 * Its stack is address space, of which only what is touched takes memory (a page or two while it
 * waits). Below lies a guard: a process that goes beyond its stack ends the program by SIGSEGV, and
 * is named on stderr. For that a handler of SIGSEGV is installed with the first process of a
 * runtime, which hands all other faults to the one that was there before.
 */
#ifndef WEIR_PROCESS_H
#define WEIR_PROCESS_H

#include <weir/mailbox.h>
#include <weir/timer.h>

WEIR_BEGIN

/* The function of a process. What it returns is why it ended. */
typedef int weir_process_function(void *data);

/* The function of a process for a connection, which it owns. */
typedef int weir_serving_function(weir_socket socket, void *data);

/* How a process is begun. Every field may be 0. */
typedef struct weir_process_options {
    size_t stack_bytes; /* 65536, 16384..2^30; in whole pages */
    const char *name;   /* for what is said of it; its first 31 bytes are copied */
    /* It has ended: on its scheduler, from the turn, with what its function was given. Called for
     * each that was spawned, also one that was killed before it began. */
    void (*ended)(weir_process process, int reason, void *data);
    uint64_t reserved[5]; /* for fields to come; 0, or -EINVAL */
} weir_process_options;

/*
 * Begins a process, erlang:spawn/1: on a scheduler (0..count-1), or with WEIR_ANY_SCHEDULER on the
 * caller's, if it is one of the runtime's, else on one that the runtime picks. It runs from the
 * turn: from another thread perhaps before this returns, on the caller's scheduler never. `options`
 * and `process` may be NULL. 0, -EINVAL (no such scheduler, a stack too small or too large, no
 * function), WEIR_CLOSED (the runtime stops), -ENOMEM (its stack, its mailbox; text says more),
 * -EDEADLK (in a callback of another scheduler, or on one of another runtime). Any thread, any
 * process; a callback for its own scheduler.
 */
WEIR_API int weir_spawn(weir_runtime *runtime, int scheduler, weir_process_function *run,
                        void *data, const weir_process_options *options,
                        weir_process *process) WEIR_CHECK_RESULT;

/* The process that the caller is, erlang:self/0; id 0 when it is none. */
WEIR_API weir_process weir_self(void);

/* The process that the caller is as the owner of sockets; nobody when it is none. */
WEIR_API weir_owner weir_owned_by_self(void);

/* Ends the process that the caller is, erlang:exit/1. Does not come back, unless the caller is no
 * process: -EINVAL. */
WEIR_API int weir_exit(int reason);

/*
 * Ends another process, or the caller, when it next waits; see above. Of one that has ended it does
 * nothing. 0; -ENOMEM or WEIR_CLOSED (its runtime stops, or has) only from elsewhere than its
 * scheduler. Any thread, any scheduler: it waits for nobody.
 */
WEIR_API int weir_kill(weir_process process);

/*
 * Puts a message of the program's own into a process's mailbox, `Process ! Data`:
 * WEIR_MESSAGE_USER with `data`, which is not looked at; what it points to is the receiver's. 0,
 * -ENOMEM, WEIR_CLOSED: the process has ended, or its runtime stops. That it has ended is known on
 * its own scheduler; from elsewhere `data` is lost then without a word, as it is when the process
 * ends without having taken it. Messages of one sender come in order. Any thread, any scheduler: it
 * waits for nobody.
 */
WEIR_API int weir_post(weir_process process, void *data) WEIR_CHECK_RESULT;

/* Waits for the next message in the mailbox of the process that the caller is, in order of arrival.
 * 0, WEIR_TIMEOUT (0 polls), WEIR_KILLED; -EINVAL when it is none. */
WEIR_API int weir_receive(int64_t timeout_ms, weir_message *message) WEIR_CHECK_RESULT;

/* Waits for some time, timer:sleep/1: a process or a thread. 0 lets others go on; WEIR_INFINITY. 0,
 * or WEIR_KILLED. In a callback: -EDEADLK. */
WEIR_API int weir_sleep(int64_t time_ms) WEIR_CHECK_RESULT;

/*
 * Has a mailbox told when a process ends, erlang:monitor/2: WEIR_MESSAGE_DOWN with `process`, why
 * (`error`) and `data`. `mailbox` NULL: that of the process that the caller is. For one that has
 * ended it comes at once, with WEIR_NOPROC. It comes behind what that process has posted. Told once
 * for each call of this. 0, -EINVAL (no mailbox and no process), WEIR_CLOSED (the mailbox is gone),
 * -ENOMEM; -EDEADLK in a callback of another scheduler.
 */
WEIR_API int weir_monitor(weir_process process, weir_mailbox *mailbox,
                          void *data) WEIR_CHECK_RESULT;

/* Takes a monitor back, erlang:demonitor/2 with [flush]: that mailbox is not told any more with
 * that `data`; if it has been already, and the message waits there, that is dropped. 0, or as
 * above. */
WEIR_API int weir_demonitor(weir_process process, weir_mailbox *mailbox, void *data);

/*
 * Hands a socket to a process, gen_tcp:controlling_process/2, with what waits for `from`, in order.
 * In the process that owns it `from` is weir_owned_by_self(). Errors as
 * weir_controlling_process; WEIR_NOPROC: `to` has ended. Any thread, any process; in a callback
 * when socket and process are of its scheduler, else -EDEADLK.
 */
WEIR_API int weir_give(weir_socket socket, weir_owner from, weir_process to) WEIR_CHECK_RESULT;

/* What serves a connection: a process for each. It lives as long as the service. */
typedef struct weir_spawner {
    weir_serving_function *serve;
    void *data;
    weir_process_options options; /* `ended` is given `data` */
    uint64_t reserved[4];         /* for fields to come; 0 */
} weir_spawner;

/*
 * The owner that weir_tcp_serve is given for a process to be spawned for each connection, where it
 * was accepted: serve(socket, data) owns it, and its end closes it. A connection for whose process
 * there is no memory is closed.
 */
WEIR_API weir_owner weir_spawning(const weir_spawner *spawner);

WEIR_END

#endif
