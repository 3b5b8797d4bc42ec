/* SPDX-License-Identifier: MIT */
/*
 * What must hold of UDP sockets: each datagram that the kernel gave is delivered once, in the order
 * in which it gave them, whole or told as truncated; each that was accepted for sending goes to the
 * kernel once, after all those before it that it has not been offered yet, or its loss is told;
 * errors are told once.
 */
#ifndef SIM_UDP_MODEL_H
#define SIM_UDP_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <weir/runtime.h>
#include <weir/udp.h>

struct datagram;
struct pending;
struct scheduler;
struct slot;
struct udp_arrival;

enum { UDP_GIVEN_MOST = 1024, UDP_SENT_MOST = 512 };

struct udp_given {
    uint32_t number;
    uint32_t size;
    uint32_t filled; /* as much as the kernel had room for */
    uint32_t peer;
    uint32_t buffer_sets;
};

struct udp_letter {
    uint64_t sum;
    uint32_t size;
    uint32_t peer;    /* UDP_PEER_COUNT: whom it is connected to */
    uint32_t pending; /* who waits for its answer + 1; 0: nobody */
    bool offered;     /* and not taken: it may be overtaken */
};

/* A UDP socket as its application sees it; the index is that of the kernel's. */
struct udp_view {
    weir_socket handle; /* 0: not seen yet */
    uint32_t owner;
    bool closed; /* by the application */
    bool serves; /* as one of several */
    bool forsaken;
    bool owed_unbusy;
    int32_t active;
    uint32_t passives_due;
    struct udp_given given[UDP_GIVEN_MOST];
    uint32_t given_head;
    uint32_t given_tail;
    struct udp_letter letters[UDP_SENT_MOST]; /* that the kernel has not taken */
    uint32_t letter_count;
    uint64_t settled_count; /* those that it has, and those that were lost */
    uint32_t untold;        /* errors of the kernel's */
    int error;              /* that the next call is to be told */
    int expected_error;     /* that the owner is being told */
    uint32_t buffer_sets;   /* how often {buffer,_} was set */
    uint64_t packets;
    uint64_t octets;
    uint32_t truncated;
    uint32_t receiver;    /* pending call + 1 */
    uint32_t connecting;  /* the same: it is about to ask the kernel */
    uint32_t named_count; /* calls that send to a name */
};
extern struct udp_view udp_views[];

void udp_model_reset(void);

/* From the kernel. */
void udp_model_opened(uint32_t index);
void udp_model_closed(uint32_t index);
void udp_model_given(uint32_t index, const struct udp_arrival *arrival, uint32_t filled);
/* What it gives next is a run: whether it says of what size they are, and all fit the buffer. */
void udp_model_given_run(uint32_t index, bool is_told, bool is_whole);
void udp_model_receive_failed(uint32_t index, int error);
void udp_model_sent(uint32_t index, const struct msghdr *message, uint32_t segment, int result);

/* Whether it is a UDP socket's, alive or not. */
bool udp_model_is(weir_socket handle);
/* The view of a handle, which is learnt if it is new. NULL: it never was one, or is over. */
struct udp_view *udp_model_find(weir_socket handle, uint32_t owner);
struct datagram *udp_model_socket(const struct udp_view *view);
uint32_t udp_model_index(const struct udp_view *view);
bool udp_is_local(const struct udp_view *view);
bool udp_is_connected(const struct udp_view *view);
/* Whether the call was made on what has this index still. */
struct udp_view *udp_model_of(const struct pending *pending);

/* From the application. */
void udp_model_packet(struct udp_view *view, const weir_packet *packet);
void udp_model_received(struct udp_view *view, const weir_packet *packet);
void udp_model_passive(struct udp_view *view);
void udp_model_error(struct udp_view *view, int error);
void udp_model_unbusy(struct udp_view *view);
void udp_model_told_closed(struct udp_view *view);
void udp_model_forsake(uint32_t owner);
/* The one whose recv is given this packet; NULL: it is none of them. */
struct udp_view *udp_model_receiving(const weir_packet *kept);

/* What a datagram of these bytes is known by. */
uint64_t udp_model_sum(const uint8_t *bytes, size_t size);
/* It was accepted, or is about to be. */
void udp_model_accepted(struct udp_view *view, const struct udp_letter *letter, const void *bytes);
/* It is answered: the kernel has it, or never will. */
void udp_model_answered(const struct pending *pending, int result);

/* Who waits for it is killed, so it is told no more: what is queued is sent all the same. */
struct call;
void udp_model_left(const struct pending *pending, const struct call *call);
/* The same of all who wait, where that is not seen when it happens. */
void udp_model_note_left(struct udp_view *view);

/* Of a scheduler that has come to its end; and of all of them. */
void udp_model_totals(const weir_totals *totals);
void udp_model_check_totals(void);

/* A scheduler sleeps. */
void udp_check_asleep(const struct scheduler *scheduler, const struct slot *slot);

#endif
