/* SPDX-License-Identifier: MIT */
/* Connections to the server under test, and whole blocking exchanges with it. */
#ifndef LOAD_DIAL_H
#define LOAD_DIAL_H

#include "load/frame.h"

#include <netinet/in.h>

/* "ADDRESS:PORT", IPv4; exits when it is not. */
struct sockaddr_in dial_parse(const char *text);

/*
 * A connected, blocking socket with TCP_NODELAY. To a loopback server each 10,000 connections
 * come from a source address of their own, so that ports do not run out.
 */
int dial(const struct sockaddr_in *server, uint32_t connection);

/* Sends one batch, or waits for it to come back whole. */
void dial_send(int fd, struct frame_batch *batch, struct frame_place place);
void dial_receive(int fd, const struct frame_batch *batch, struct frame_place place);

#endif
