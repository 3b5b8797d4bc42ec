/* SPDX-License-Identifier: MIT */
/*
 * A connection: what the peer writes, and what it is owed. The peer's whole stream is made when
 * the connection is; what the application has sent is noted as it is accepted, and compared when
 * the kernel takes it.
 */
#ifndef SIM_LINK_H
#define SIM_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "framing/framing.h"

/* What the peer does when it has written all. */
enum peer_end { PEER_STAYS, PEER_HALF_CLOSES, PEER_CLOSES, PEER_RESETS };

struct link {
    bool used;
    bool established; /* the application's side has, or had, a descriptor */
    bool file_gone;   /* and has closed it */
    bool outgoing;    /* the application connected */
    bool proxied;     /* a proxy did, which says first for whom, or should */
    bool local;       /* of the Unix domain: nothing is ever reset */
    uint32_t file;    /* index; while established and not gone */
    uint32_t next;    /* in a backlog, or free */
    uint32_t serial;

    /* From the peer: 0 <= read <= written <= in_size. */
    uint8_t *in;
    uint32_t in_size;
    uint32_t in_written;
    uint32_t in_read;
    uint32_t in_window;
    bool in_fin;
    bool reset;
    int error;    /* that who accepts it is told */
    bool lingers; /* over, but for a handle that is alive */

    /* To the peer: 0 <= out_seen <= out_taken <= out_size <= out_capacity. */
    uint8_t *out;
    uint32_t out_capacity;
    uint32_t out_size;  /* accepted from the application */
    uint32_t out_taken; /* by the kernel */
    uint32_t out_seen;  /* by the peer */
    uint32_t out_window;
    bool out_fin;
    bool peer_gone; /* closed: what is sent to it is answered by a reset */

    /* How the peer behaves. */
    uint8_t end; /* enum peer_end */
    uint8_t packet;
    uint32_t write_most;
    uint32_t read_most;
    uint32_t pause_us;
    bool writing;
    bool reading;
    bool stalls; /* reads nothing until it is woken */
};

extern struct link *links;
extern uint32_t link_capacity;

void link_open_table(uint32_t capacity);
void link_close_table(void);
void link_reset_table(void);
uint32_t link_live_count(void);

/* A connection that wants to be: its peer's stream is planned. NO_LINK: no room. */
uint32_t link_create(bool outgoing, bool local);

/* Both sides are through with it. */
void link_release_if_over(uint32_t index);

/* The handshake is done: the peer begins. */
void link_established(uint32_t index, uint32_t file);

/* The application's side: the kernel gave bytes to it, took some, was told of the end. */
void link_was_read(uint32_t index);
void link_was_written(uint32_t index);
void link_file_closed(uint32_t index, bool abort);
void link_reset_by_peer(uint32_t index, int error);
/* The peer of a local one closes: it has written all. What it has not read is told as an error,
 * before what it has written is read. */
void link_left_by_peer(uint32_t index);

/* Room to write into the link's own `out`, for what the application sends next; NULL: its budget
 * is used up. */
uint8_t *link_room(struct link *link, size_t size);

#endif
