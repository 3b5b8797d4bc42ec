/* SPDX-License-Identifier: MIT */
/*
 * Datagrams by the batch: one system call fills the buffers that stand ready. One that was taken
 * out leaves a gap, which is filled when the next batch is asked for, so a batch costs what has
 * come and not what might have.
 *
 * One is of the pool's buffers; the other is of blocks that the largest datagram fits in, for
 * sockets that need those or when the pool has none left, and has none until then. Local sockets,
 * which ask for something else, have one of their own; its blocks are the other's.
 *
 * Nothing is called between a receive and the taking of what it has brought: the headers are those
 * of all sockets. A buffer is the intake's until intake_take, and then its taker's.
 */
#ifndef RUNTIME_DATAGRAM_INTAKE_H
#define RUNTIME_DATAGRAM_INTAKE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/uio.h>

struct buffer_pool;
struct weir_buffer;

enum { INTAKE_MOST = 64, INTAKE_BLOCKS_MOST = 8 };

struct intake {
    struct buffer_pool *pool; /* NULL: blocks */
    struct intake *lender;    /* whose spare blocks are used, of local sockets' alone */
    uint32_t most;
    struct weir_buffer *buffers[INTAKE_MOST]; /* those that stand ready, and gaps */
    struct weir_buffer *spare;                /* blocks that came back */
    uint32_t spare_count;
    struct mmsghdr headers[INTAKE_MOST];
    struct iovec pieces[INTAKE_MOST];
};

/* The pool's buffers: at most an eighth of them stand ready. */
void intake_open(struct intake *intake, struct buffer_pool *pool);
/* Blocks. */
void intake_open_blocks(struct intake *intake);
/* Blocks of another one, for local sockets. */
void intake_open_local(struct intake *intake, struct intake *lender);
void intake_shut(struct intake *intake);

/* How many of at most `count` buffers stand ready: 0 if there is no memory, or the pool is empty.
 */
uint32_t intake_ready(struct intake *intake, uint32_t count);

/* How many datagrams were there of at most `count`, for which buffers stand ready, or -EAGAIN,
 * -ENOMEM (0 stand ready), or what the socket says. */
int intake_receive(struct intake *intake, int fd, uint32_t count);

/* What number `index` of that batch has brought; the caller's from now on. False: it is of nobody,
 * and back already. */
bool intake_take(struct intake *intake, uint32_t index, size_t most, struct weir_buffer **buffer);

/* A block that nobody holds is there for the next batch. */
void intake_give_back(struct intake *intake, struct weir_buffer *block);

#endif
