/* SPDX-License-Identifier: MIT */
/* A `weir serve` in a process of its own, and sockets that are connected to it. */
#ifndef CLIENTS_SERVER_H
#define CLIENTS_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct server {
    pid_t pid;
    uint16_t port;
};

/* Prints and exits when something does not work. The arguments end with NULL; --listen is put
 * behind them. */
void server_start(struct server *server, const char *command, const char *const *arguments);

/* A socket that gives up reading and writing after ten seconds. */
int server_connect(const struct server *server);

/* Ends it with SIGTERM; its exit status, or -1 when a signal has ended it. */
int server_stop(const struct server *server);

/* Reads to the end into `bytes`, at most `size`; how many there were. -1: the end did not come
 * within ten seconds. A reset is an end too, and is told. */
long server_read_all(int fd, char *bytes, size_t size, bool *is_reset);

/* Writes as much as the peer takes: false when it is gone before the last byte. */
bool server_write(int fd, const char *bytes, size_t size);

#endif
