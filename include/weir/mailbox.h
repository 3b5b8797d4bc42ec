/* SPDX-License-Identifier: MIT */
/* Mailboxes: the owner of sockets whose messages threads and processes wait for. */
#ifndef WEIR_MAILBOX_H
#define WEIR_MAILBOX_H

#include <weir/socket.h>

WEIR_BEGIN

/* What a message tells. */
enum weir_message_kind {
    WEIR_MESSAGE_DATA,     /* {tcp,S,Data}, {http,S,HttpPacket}, {udp,S,...} */
    WEIR_MESSAGE_ACCEPTED, /* a connection of weir_tcp_serve */
    WEIR_MESSAGE_PASSIVE,  /* {tcp_passive,S}, {udp_passive,S} */
    WEIR_MESSAGE_ERROR,    /* {tcp_error,S,Reason}, {udp_error,S,Reason} */
    WEIR_MESSAGE_CLOSED,   /* {tcp_closed,S} */
    WEIR_MESSAGE_USER,     /* of weir_mailbox_post and weir_post; without a socket */
    WEIR_MESSAGE_DOWN,     /* {'DOWN',_,process,Process,Reason}, of weir_monitor */
};

/* Code on a stack of its own: weir/process.h. May be used for ever, like a socket's handle. */
typedef struct weir_process {
    uint64_t id; /* 0: no process */
} weir_process;

/* A message, as a mailbox or a process gets it. */
typedef struct weir_message {
    enum weir_message_kind kind;
    weir_socket socket;
    int error;            /* WEIR_MESSAGE_ERROR; WEIR_MESSAGE_DOWN: why it ended, 0 normally */
    weir_packet packet;   /* WEIR_MESSAGE_DATA; the receiver's: weir_packet_release */
    void *data;           /* WEIR_MESSAGE_USER, WEIR_MESSAGE_DOWN */
    weir_process process; /* WEIR_MESSAGE_DOWN: which ended */
    uint64_t reserved[2]; /* for what comes; 0 */
} weir_message;

/* Makes a mailbox. 0, or -ENOMEM. Any thread. */
WEIR_API int weir_mailbox_create(weir_mailbox **mailbox) WEIR_CHECK_RESULT;

/* Ends a mailbox. The owner dies: its sockets are closed (what they have queued is still sent) and
 * its messages dropped. Not from a callback: -EDEADLK. Nobody may be waiting on it. */
WEIR_API int weir_mailbox_destroy(weir_mailbox *mailbox);

/*
 * Waits for the next message, in order of arrival. WEIR_TIMEOUT (0 polls). Thread, or process,
 * which is suspended meanwhile; in a callback: -EDEADLK, unless it polls.
 *
 * A mailbox belongs to no runtime, so weir_stop ends no wait: weir_mailbox_post does. A thread that
 * waits here may be cancelled (pthread_cancel), and takes no message then.
 */
WEIR_API int weir_mailbox_receive(weir_mailbox *mailbox, int64_t timeout_ms,
                                  weir_message *message) WEIR_CHECK_RESULT;

/*
 * Puts a message of the program's own behind those that wait, WEIR_MESSAGE_USER with `data`: one
 * thread or process that waits is woken. `data` is not looked at; what it points to is the
 * receiver's, and lost with the mailbox. 0, -ENOMEM, or WEIR_CLOSED (the mailbox is gone, but held
 * by a socket or a call still). Any thread, any scheduler.
 */
WEIR_API int weir_mailbox_post(weir_mailbox *mailbox, void *data) WEIR_CHECK_RESULT;

/* How many messages wait in a mailbox. Any thread. */
WEIR_API size_t weir_mailbox_count(weir_mailbox *mailbox);

WEIR_END

#endif
