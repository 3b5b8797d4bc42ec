/* SPDX-License-Identifier: MIT */
/*
 * How a file gets through a send queue: when its turn comes, part after part of it is read into
 * memory and stands before the rest of it as bytes like any others.
 * Invariant: the part that was read is directly before its file, which has `begun`.
 */
#ifndef RUNTIME_SEND_QUEUE_FILE_PART_H
#define RUNTIME_SEND_QUEUE_FILE_PART_H

#include <stdbool.h>
#include <stddef.h>

struct send_pools;
struct send_queue;

/* Room for the next part of the file whose turn it is; it is in flight now. False: no memory. */
bool file_part_begin(struct send_queue *queue);

/* So many bytes of it have been read, or 0: none. The operation in flight is over. False: no
 * memory to queue them. */
bool file_part_end(struct send_pools *pools, struct send_queue *queue, size_t size);

/* The peer takes nothing: what was read for it is given up, and will be read again, so that peers
 * that do not read hold no memory by files. */
void file_part_give_up(struct send_pools *pools, struct send_queue *queue);

#endif
