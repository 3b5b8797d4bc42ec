/* SPDX-License-Identifier: MIT */
/*
 * What has arrived and lies ready for the thread that reads a passive connection, so that it pays
 * for a call of its scheduler once for all that came together.
 *
 * A thread lends a shelf with its recv, and gets it back with the bytes that are left. They stay
 * the connection's input: the thread notes each packet that it takes, and the scheduler, before it
 * looks at the input, takes the shelf back and makes up for what was noted. `taken` orders the two:
 * each packet is the thread's from the moment that it has counted it there, and nothing is after
 * the scheduler has closed the shelf. Neither ever waits for the other. Only the one thread takes.
 */
#ifndef RUNTIME_STREAM_SHELF_H
#define RUNTIME_STREAM_SHELF_H

#include <stdbool.h>
#include <stddef.h>

#include <weir/socket.h>

struct shelf;
struct stream;

/* Thread: the connection's next packet if it lies on this thread's shelf. False: ask its scheduler.
 */
bool shelf_take(weir_socket socket, size_t length, weir_packet *packet);

/* Thread: the shelf to lend with a recv; NULL: no memory for one. */
struct shelf *shelf_lend(weir_socket socket);

/* Thread: the recv has come back. */
void shelf_return(struct shelf *shelf);

/* Thread: it has no use for its shelves any more. Done by itself when it ends. */
void shelf_forget_all(void);

/* Scheduler: puts what is left of the input on the shelf, unless there is a reason not to. */
void shelf_fill(struct shelf *shelf, struct stream *stream);

/* Scheduler: whether a thread may be taking packets of its input. */
bool shelf_is_lent(const struct stream *stream);

/* Scheduler: how many bytes of the input the thread has taken, which are counted and are to go. For
 * input_settle alone. */
size_t shelf_take_back(struct stream *stream);

#endif
