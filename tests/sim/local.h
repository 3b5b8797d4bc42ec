/* SPDX-License-Identifier: MIT */
/*
 * Unix-domain sockets in the simulated kernel: their names, and the servers that the program
 * connects to. A name that is a path stays when its socket is closed; an abstract one goes with it.
 * What is bound is known by a number, as of a port: several descriptors of one listener have one,
 * and one backlog.
 */
#ifndef SIM_LOCAL_H
#define SIM_LOCAL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "sim/kernel.h"

void local_reset(void);

int local_bind_file(struct file *file, const struct sockaddr *address, socklen_t size);
/* What binding to such a text is to give. */
int local_foresee_bind(const char *text, bool reuses);
/* Nobody has it open: its name is free again. */
int local_remove_stale(const struct sockaddr *address, socklen_t size);

/* getsockname(2) and getpeername(2), of one that is local. */
void local_put_name(const struct file *file, struct sockaddr *address, socklen_t *size);
void local_put_peer(const struct file *file, struct sockaddr *address, socklen_t *size);

/* The port that a server's path stands for. */
uint16_t local_port_of(const struct sockaddr *address);

/* A path of theirs for a port, as calls take it. */
const char *local_server(uint16_t port);

/* Another descriptor of a listener. */
void local_share(struct file *file, const struct file *listener);
/* Who has the backlog of a listener: itself, but for those that share one. */
struct file *local_backlog(const struct file *listener);
/* One of those that share its socket, of which the kernel wakes one; itself: nobody waits. */
uint32_t local_waiter(const struct file *listener);
/* For all of those: they have one socket. */
void local_set_waiting(const struct file *listener, bool waits);
/* It is closed: what waits is for others that share its socket. False: there are none. */
bool local_leave_backlog(struct file *listener);

struct ucred;
struct ucred local_credentials(uint32_t link);

#endif
