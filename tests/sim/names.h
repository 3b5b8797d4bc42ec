/* SPDX-License-Identifier: MIT */
/*
 * A simulated name server, and the sockets by which the resolver asks it. It answers, late or not
 * at all, fails, truncates and lies as the dice say. What it says of a name when it says anything
 * true follows from the name: "knownN.sim" is 10.0.N/256.N%256, "peersN.sim" are some of the peers
 * that hear datagrams, and no other name exists.
 */
#ifndef SIM_NAMES_H
#define SIM_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

void names_reset(void);

/* A descriptor, or -EMFILE. */
int names_socket(int type);
int names_connect(int fd);
ssize_t names_receive(int fd, void *bytes, size_t size);
ssize_t names_send(int fd, const struct iovec *pieces, int count);
void names_close(int fd);

/* Whether a poll finds it: it may have been closed before that was submitted, and its number may be
 * another's by now. */
bool names_may_be_polled(int fd, uint32_t serial);

/* What poll(2) says of one; nothing of one that was closed while it was polled. */
struct file;
unsigned names_ready(const struct file *file);

#endif
