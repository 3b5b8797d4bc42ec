/* SPDX-License-Identifier: MIT */
/* The program's _async calls that have not called back. */
#ifndef SIM_PENDING_H
#define SIM_PENDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <weir/socket.h>

enum pending_kind {
    PENDING_FREE,
    PENDING_CONNECT,
    PENDING_ACCEPT,
    PENDING_SEND,
    PENDING_RECEIVE,
    PENDING_LOOK_UP,
    PENDING_UDP_SEND,
    PENDING_UDP_RECEIVE,
    PENDING_UDP_NAMED,
    PENDING_UDP_CONNECT
};

struct call;

struct pending {
    uint8_t kind;  /* enum pending_kind */
    bool returned; /* the call itself */
    bool is_waited_for;
    uint8_t away;      /* how many schedulers it is taken to from where it is made */
    bool is_cancelled; /* somebody asks for that, or did so of the one before */
    bool refused;      /* by what the program did wrong: the result is `expected` */
    int expected;
    uint32_t owner;
    uint32_t link;
    uint32_t link_serial;
    uint32_t next; /* suspended sends; pending call + 1 */
    uint64_t turn; /* of a send among its socket's; 0: it was made elsewhere */
    uint64_t begun_ns;
    uint64_t deadline_ns; /* UINT64_MAX: none */
    int64_t timeout_ms;
    bool given; /* a recv: its packet, with this sum; a datagram, a connect: the kernel has said */
    uint64_t sum;
    int told;       /* of these: what it must be answered with */
    uint32_t name;  /* that a datagram is sent to; the peer of a connect */
    uint32_t tried; /* addresses of that */
    int last;       /* what came of the last one */
    size_t length;
    uint8_t *bytes;
    weir_socket before_gone; /* it was made on this one's scheduler, so it calls back before that */
    const struct call *call; /* from elsewhere: the runtime's own, as soon as it is being run */
};

enum { PENDING_MOST = 1024 };

void pending_reset(void);
/* NULL: too many. */
struct pending *pending_begin(enum pending_kind kind);
void pending_end(struct pending *pending);
struct pending *pending_at(uint32_t index);
uint32_t pending_index(const struct pending *pending);
uint32_t pending_count(void);
/* Whose call the runtime's is; NULL: nobody's. */
struct pending *pending_of(const struct call *call);

/* Whether it may not have been made, of an _async call: there is no memory for it, or its scheduler
 * stops, and does not call back to say what is known at once. */
bool pending_may_be_refused(const struct pending *pending, int result);

/* A call back: checks that it comes once, after the call has returned, and not too early when it
 * is for the time. */
void pending_called(struct pending *pending, enum pending_kind kind, int result);

#endif
