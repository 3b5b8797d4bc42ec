/* SPDX-License-Identifier: MIT */
/*
 * Handing packets out: the active modes, the one who waits in recv, and what is told at the end.
 */
#ifndef RUNTIME_STREAM_DELIVERY_H
#define RUNTIME_STREAM_DELIVERY_H

#include <stdbool.h>
#include <stddef.h>

struct scheduler;
struct stream;
struct task;
struct weir_buffer;

/* Whether somebody would take a packet: the owner of an active socket, or a receiver. */
bool delivery_is_wanted(const struct stream *stream);

/* It is open and its options are set: a count {active,N} of which nothing is left is told. */
void delivery_start(struct scheduler *scheduler, struct stream *stream);

/* Frames and hands out what has just been received; keeps what is not wanted or not whole. */
void delivery_receive(struct scheduler *scheduler, struct stream *stream,
                      struct weir_buffer *buffer, size_t size);

/* Whether what was kept may be handed out now, and not later, by whoever is at it. */
bool delivery_may_continue(const struct stream *stream);
/* Hands out what was kept, and the end if that is what comes next. */
void delivery_continue(struct scheduler *scheduler, struct stream *stream);

/* Answers the threads that have been given their packet in this turn. */
void delivery_answer(struct scheduler *scheduler, struct task *task);

/* Nothing came for too long: tells who waits for something, so that the socket can end. */
void delivery_time_out(struct scheduler *scheduler, struct stream *stream);

/* The runtime stops: an owner that waits for messages is told that there will be no more. */
void delivery_stop(struct scheduler *scheduler, struct stream *stream);

/* What recv gives on a socket that has ended: its error if it is shown, else closed. */
int delivery_end_result(const struct stream *stream);

#endif
