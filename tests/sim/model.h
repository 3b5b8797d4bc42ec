/* SPDX-License-Identifier: MIT */
/*
 * What must hold: of every byte, message, wait and counter. The kernel's side and the
 * application's side both report here.
 */
#ifndef SIM_MODEL_H
#define SIM_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "framing/framing.h"
#include <weir/runtime.h>
#include <weir/socket.h>

struct ring_completion;
struct scheduler;
struct slot;
struct stream;
struct weir_runtime;

/* A connection as its application sees it; the index is the link's. */
struct conn {
    weir_socket handle; /* 0: not seen yet */
    uint32_t owner;     /* which of the program's owners */
    bool closed;        /* by the application */
    bool closed_told;
    bool error_told;
    bool cuts_file; /* it was promised more of one than there is */
    bool may_lose;  /* a send has failed, or was given up: queued bytes need not arrive */
    bool end_seen;  /* by a recv: what was short of its length is dropped */
    bool owed_unbusy;
    bool accepting; /* its `accepted` has not returned: not active yet */
    bool forsaken;  /* its owner's mailbox was destroyed: it will be closed */
    int32_t active;
    uint32_t passives_due;
    uint32_t cursor; /* of the peer's stream, up to where it has been delivered */
    struct framer framer;
    uint64_t packets;
    uint64_t turn; /* in which the last one was handed out, and how many in that */
    uint32_t turn_packets;
    uint64_t octets;
    uint64_t sends;       /* accepted */
    uint64_t sends_asked; /* by calls here that call back, in that order if all goes well */
    uint64_t sends_answered;
    uint32_t first_suspended; /* pending call + 1; sends that wait to be accepted, in order */
    uint32_t last_suspended;
    uint32_t receiver; /* pending call + 1 */
    size_t suspended_bytes;
    uint64_t idle_ms;  /* after which it is closed; 0: never */
    uint64_t bytes_ns; /* when it had some, or that was set */
    bool timed_out;
};

void model_open(uint32_t capacity);
void model_close(void);
void model_reset(struct weir_runtime *runtime);
/* A scheduler has come to its end, and with it its sockets. */
void model_scheduler_over(const struct scheduler *scheduler);
/* The scheduler that a socket is of; NULL: it is over. */
struct scheduler *model_home(weir_socket handle);
/* The socket of a live handle, or NULL. */
struct slot *model_live(weir_socket handle);
struct stream *model_live_stream(weir_socket handle);

struct conn *model_conn(uint32_t link);
/* The connection of a handle, which is learnt if it is new. NULL: it never was one, or is over. */
struct conn *model_find(weir_socket handle, uint32_t owner);
uint32_t model_link(const struct conn *conn);
struct stream *model_socket(const struct conn *conn);

/* From the kernel. */
void model_link_created(uint32_t link);
void model_link_reset(uint32_t link);
/* False: its handle is alive, and may be told something yet. */
bool model_link_over(uint32_t link);
void model_file_closed(uint32_t link, bool abort);
void model_kernel_takes(uint32_t link, const uint8_t *bytes, size_t size);
void model_send_failed(uint32_t link);
void model_shut_down(uint32_t link);

/* From the application: a packet for the owner, or for a recv of that length. */
void model_message_packet(struct conn *conn, const weir_packet *packet);
void model_received_packet(struct conn *conn, const weir_packet *packet, size_t length);
void model_message_accepted(struct conn *conn);
void model_message_passive(struct conn *conn);
void model_message_error(struct conn *conn, int error);
void model_message_closed(struct conn *conn);
void model_message_unbusy(struct conn *conn);

/* It is to be closed after so long without a byte; below 0: not. */
void model_watch_idle(struct conn *conn, int64_t limit_ms);
/* A scheduler learns what has come of an operation: bytes may have come or gone. */
void model_completed(const struct scheduler *scheduler, const struct ring_completion *completion);
/* It was given some by a call. */
void model_received_by_call(uint32_t link);
/* Everybody sleeps, and time passes: none has been idle for too long. */
void model_check_idle(void);

/* Sends that were suspended and have been accepted meanwhile are noted. */
void model_note_resumed(struct conn *conn);
/* Puts a send that was accepted at the end of what the peer is owed. */
void model_accepted(struct conn *conn, const uint8_t *bytes, size_t size);

/* The current scheduler has nothing left to do at this time: everything that waits must wait for
 * something. */
void model_check_asleep(void);
/* All sleep, so whoever wanted to wake this one has; `for_ever`: nothing is going to happen. */
void model_check_woken(const struct scheduler *scheduler, bool for_ever);
void model_check_end(void);
/* Of a scheduler that has come to its end. */
void model_check_totals(const weir_totals *totals);

/* Memory was refused on purpose, or the scheduler stops: some losses are in order from now on. */
extern bool model_lenient;
extern bool model_stopping;

#endif
