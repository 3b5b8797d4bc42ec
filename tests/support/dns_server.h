/* SPDX-License-Identifier: MIT */
/*
 * A name server on loopback that does as the first label of a name says, up to its digits:
 * "silent7.test" is not answered. The labels are rows in dns_server.c.
 */
#ifndef SUPPORT_DNS_SERVER_H
#define SUPPORT_DNS_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dns_server;

/* A thread of its own, on a free port of 127.0.0.1, UDP and TCP. Aborts when it cannot. */
struct dns_server *dns_server_start(void);
/* On an address of IPv4, and a port unless it is 0. */
struct dns_server *dns_server_start_on(const char *address, uint16_t port);
void dns_server_stop(struct dns_server *server);
uint16_t dns_server_port(const struct dns_server *server);

/* Returns when all who had connected have closed, or after a while. */
void dns_server_settle(struct dns_server *server);

/* Answers nothing from now on, or answers again. */
void dns_server_set_silent(struct dns_server *server, bool silent);

/* How often a name has been asked for by UDP and by TCP, of any type. */
size_t dns_server_count(struct dns_server *server, const char *name);
size_t dns_server_count_tcp(struct dns_server *server, const char *name);

/* When, in ms after the first time: at most `room` of them. */
size_t dns_server_times(struct dns_server *server, const char *name, uint64_t *times_ms,
                        size_t room);

#endif
