/* SPDX-License-Identifier: MIT */
/*
 * A stream that is received with the times at which the kernel had its bytes. A receive of the ring
 * brings no time stamps, so the socket stays passive, is polled, and is read here by recvmsg: a
 * poll and a call more for each receive, so only with --own-queue.
 *
 * On the load's scheduler. It is open while the connection's socket is: from when that is there
 * until before it is closed.
 */
#ifndef LOAD_STAMPED_H
#define LOAD_STAMPED_H

#include <stddef.h>
#include <stdint.h>

struct connection;
struct plan;
struct watch;

struct stamped {
    struct watch *watch;  /* NULL: it is not open */
    uint64_t received_ns; /* when the kernel had the last bytes, since 1970; 0: it has not said */
    size_t size;          /* of what has come and is no whole packet yet */
    uint8_t *bytes;
};

/* Memory for what comes on a connection: all that is missing of a packet, and more. */
size_t stamped_bytes(const struct plan *plan);

/* The kernel stamps nothing until somebody has asked, and begins a little later: asks, until
 * stamped_end. */
void stamped_begin(void);
void stamped_end(void);

/* 0, or an error. */
int stamped_open(struct connection *connection);
void stamped_close(struct stamped *stamped);

#endif
