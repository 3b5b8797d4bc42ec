/* SPDX-License-Identifier: MIT */
/*
 * A server whose slowness is known: it sends back what it gets, as its temper says, and notes when
 * it paused and how long it held each request. It has a thread and plain sockets of its own, and
 * shares no code with what is tested against it.
 */
#ifndef LOAD_SHAM_H
#define LOAD_SHAM_H

#include "load/histogram.h"

#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum sham_temper {
    SHAM_PROMPT,
    SHAM_PAUSES,  /* does nothing for 100 ms of each second */
    SHAM_BIMODAL, /* holds one request in ten for 200 ms, the others for 40 ms */
    SHAM_DEAD,    /* never answers one request in twenty, nor any other on its connection */
    SHAM_SLOW,    /* reads a tenth of a request every 10 ms */
};

enum { SHAM_CONNECTIONS_MAX = 256, SHAM_PAUSES_MAX = 64, SHAM_REQUEST_BYTES_MAX = 256 << 10 };

struct sham_peer {
    int state;
    size_t received;
    uint64_t due_ns;
    uint64_t began_ns; /* when the first byte of the request was there */
    char *bytes;
};

struct sham_pause {
    uint64_t begin_ns, end_ns;
};

struct sham {
    enum sham_temper temper;
    size_t request_bytes;
    uint16_t port;
    bool is_over;
    int listener;
    pthread_t thread;
    uint64_t begin_ns, next_pause_ns;
    uint64_t request_count;
    size_t peer_count;
    struct pollfd polls[SHAM_CONNECTIONS_MAX + 1]; /* [0] is the listener */
    struct sham_peer peers[SHAM_CONNECTIONS_MAX + 1];
    struct sham_pause pauses[SHAM_PAUSES_MAX];
    size_t pause_count;
    struct histogram held;
};

/* NULL with errno: there was no memory, descriptor or thread. */
struct sham *sham_start(enum sham_temper temper, size_t request_bytes);

/* Ends its thread; what it noted may be read then. */
void sham_stop(struct sham *sham);
void sham_free(struct sham *sham);

#endif
