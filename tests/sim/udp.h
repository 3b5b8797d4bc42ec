/* SPDX-License-Identifier: MIT */
/*
 * UDP sockets in the simulated kernel, and the network behind them: it loses, repeats and reorders
 * what peers send, and its routes refuse segmentation when they like. What a datagram says follows
 * from its number, so that it can be compared wherever it is met.
 */
#ifndef SIM_UDP_H
#define SIM_UDP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "sim/kernel.h"

/* The last peers are silent, and hear what is sent by calls: so it is told from all else. */
enum {
    UDP_MOST = 64,
    UDP_QUEUE_MOST = 64,
    UDP_LOCAL_QUEUE_MOST = 10, /* net.unix.max_dgram_qlen */
    UDP_PEER_COUNT = 8,
    UDP_SPEAKER_COUNT = 4,
    UDP_NAMED = 6, /* from it on: those that are sent to by name, of one port */
    UDP_PORT = 7000
};

/* A datagram, or a run of them that the kernel has put together: of one size but for the last. */
struct udp_arrival {
    uint32_t number; /* what it says; the others of a run have those after it */
    uint32_t size;
    uint32_t last_size; /* of a run */
    uint32_t count;
    uint32_t peer;
};

struct udp_style {
    uint32_t arrivals_most; /* of a socket */
    uint32_t burst_most;
    uint32_t size_most;
    uint32_t lost; /* per mille */
    uint32_t repeated;
    uint32_t late;
    uint32_t refused; /* answered by ICMP */
    uint32_t room;    /* bytes that the kernel takes before some have left */
    uint32_t segmentation_errors[UDP_PEER_COUNT]; /* 0: runs leave */
    uint32_t runs;  /* of what arrives, and of what is set: {udp_gro,_} */
    uint32_t apart; /* of runs: not put together from somewhere on */
    uint32_t amid;  /* of datagrams taken: an error comes behind it */
};
extern struct udp_style udp_style;

struct udp {
    bool used;
    bool connected;
    bool local;      /* of the Unix domain */
    bool peers_wait; /* for room in its queue, as local ones do */
    bool takes_runs; /* UDP_GRO */
    bool knows_runs; /* it has been set: then it can be */
    uint32_t peer;   /* that it is connected to */
    uint32_t serial;
    uint32_t file;
    uint32_t arrivals_left;
    struct udp_arrival queue[UDP_QUEUE_MOST];
    uint32_t head;
    uint32_t tail;
    uint32_t held;          /* datagrams in it */
    uint32_t dropped;       /* for want of room */
    uint32_t trouble_count; /* errors that it has received in a row of nothing else */
    uint32_t unsent;        /* bytes that the network has not taken yet */
    uint32_t run_count;     /* runs that were refused */
    bool leaving;           /* the network takes some soon */
};
extern struct udp udps[UDP_MOST];

void udp_reset(void);
void udp_choose_style(void);
/* What has come to it since; by dice that nobody else throws any more. */
void udp_choose_more(void);

/* A new descriptor's; false: too many. */
bool udp_file_open(uint32_t file);
void udp_file_close(uint32_t file);
int udp_file_connect(uint32_t file, const struct sockaddr *address, socklen_t size);

void udp_file_take_runs(uint32_t file, bool on);

/* What poll(2) says. */
unsigned udp_file_ready(const struct file *file);

/* As recvmmsg(2) and sendmmsg(2), of who does not wait. */
int udp_file_receive(uint32_t file, struct mmsghdr *messages, uint32_t count);
int udp_file_send(uint32_t file, struct mmsghdr *messages, uint32_t count);

/* The bytes of a datagram from a peer. */
void udp_fill(uint32_t number, uint8_t *bytes, size_t size);

/* Whom a message is for; UDP_PEER_COUNT: whom the socket is connected to. */
uint32_t udp_peer_of_message(const struct msghdr *message);

struct sockaddr_in;
struct sockaddr_in udp_peer_address(uint32_t peer);
uint32_t udp_peer_of(const struct sockaddr_in *address);
/* Those that "peersN.sim" stands for, in order. How many. */
uint32_t udp_peers_of_name(uint32_t number, uint32_t peers[UDP_PEER_COUNT]);

#endif
