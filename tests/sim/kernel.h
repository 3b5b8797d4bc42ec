/* SPDX-License-Identifier: MIT */
/*
 * The simulated kernel: descriptors, connections with a peer at their other end, and what can go
 * wrong. One for the process; single-threaded; everything follows from the dice.
 */
#ifndef SIM_KERNEL_H
#define SIM_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How often each thing goes wrong, per mille of the chances it has. */
struct faults {
    uint32_t short_read;
    uint32_t short_write;
    uint32_t late;           /* a completion takes its time */
    uint32_t transient;      /* EINTR, EAGAIN, ENOMEM as an operation's result */
    uint32_t multishot_end;  /* a multishot ends with a good result */
    uint32_t refused_submit; /* EBUSY, EAGAIN, EINTR: nothing is taken */
    uint32_t partial_submit;
    uint32_t interrupted;   /* a wait ends early */
    uint32_t preempted;     /* a scheduler is held up while others go on */
    uint32_t late_cancel;   /* it finds the operation all but done */
    uint32_t missed_cancel; /* it does not find the operation, which goes on */
    uint32_t stale;         /* a completion for an operation that is long over */
    uint32_t call;          /* a system call fails */
    uint32_t peer_reset;
    uint32_t slow;   /* time passes in a callback */
    uint32_t memory; /* an allocation fails soon */
};

enum file_kind {
    FILE_FREE,
    FILE_WAKE,
    FILE_SOCKET,
    FILE_LISTENER,
    FILE_STREAM,
    FILE_REGULAR,
    FILE_NAMES, /* asks a name server */
    FILE_DATAGRAM,
    FILE_PASSED, /* a peer has sent it: `link` is whose, `last` the how manyeth */
};

enum op_kind {
    OP_NONE,
    OP_ACCEPT,
    OP_CONNECT,
    OP_RECEIVE,
    OP_READABLE,
    OP_SEND,
    OP_WAKE,
    OP_READ,
    OP_WATCH,
    OP_POLL
};

/* Which of a file's places an operation has: one of each can be in flight. */
enum op_place { PLACE_RECEIVE, PLACE_SEND, PLACE_WATCH, PLACE_OTHER, PLACE_COUNT };

struct piece {
    const uint8_t *bytes;
    size_t size;
};

struct op {
    uint64_t user_data;
    uint8_t kind; /* enum op_kind */
    uint8_t ring; /* that it was submitted to */
    bool scheduled;
    bool multishot;
    bool all;
    bool zero_copy;
    bool never_waits;
    bool cancelled; /* too late: what is under way still counts, nothing follows it */
    uint32_t serial;
    uint32_t message; /* sends of several pieces: index + 1 */
    uint64_t offset;  /* of what is read of a file */
    uint8_t *memory;
    size_t size;
    size_t done;
};

struct file {
    uint8_t kind; /* enum file_kind */
    bool shut_write;
    bool shut_read;
    bool linger_on;
    bool never_waits;
    bool lacked_room; /* whoever watches is to be told when there is some */
    bool is_closed;   /* and its number is free once its operation is over */
    bool proxied;     /* of a listener: proxies connect to it */
    bool local;       /* of the Unix domain */
    uint16_t port;    /* what it is bound to */
    uint16_t name;    /* of a local one, in the table of names + 1; 0: it has none */
    uint32_t serial;  /* of what the descriptor stands for now */
    int error;        /* is told once */
    int linger_seconds;
    uint32_t link; /* of a stream; of a listener: the first that waits; NO_LINK: none;
                    * of a UDP socket: which it is */
    uint32_t last; /* of a listener */
    uint32_t waiting;
    uint64_t wakes;
    const uint8_t *bytes; /* of a regular file */
    size_t size;
    struct op ops[PLACE_COUNT];
};

/* What fails whenever it is tried, for a while. */
struct trouble {
    uint8_t kind; /* enum op_kind */
    int error;
    uint64_t begin_ns;
    uint64_t end_ns;
    uint64_t count;
};

enum { NO_LINK = UINT32_MAX };
enum { FIRST_FD = 3 };

struct kernel {
    uint64_t now_ns;
    struct faults faults;
    struct trouble trouble;
    struct file *files;
    uint32_t *file_of_slot;
    uint32_t capacity;
    uint32_t descriptor_limit;
    uint32_t descriptor_count;
    uint32_t first_free;
    uint32_t opened_count;
    uint16_t next_port;
    bool asleep_for_ever; /* a scheduler waits, and nothing is going to happen */
    bool measures;
    uint64_t spent_ns; /* real time, in the simulation itself */
    uint64_t completion_count;
    uint64_t stale_count;
    uint64_t accepted_count;
};

extern struct kernel kernel;

/* Room for so many descriptors; once. */
void kernel_open(uint32_t capacity);
void kernel_close(void);
void kernel_reset(void);

/* The descriptor, or -EMFILE. */
int kernel_new_file(enum file_kind kind);
/* Its number may be used again. */
void kernel_free_file(struct file *file);
struct file *kernel_file(int fd);
static inline uint32_t kernel_fd_index(int fd)
{
    return (uint32_t)(fd - FIRST_FD);
}

/* Something has changed that an operation of the file may wait for. */
void kernel_kick(uint32_t file, enum op_place place);
/* That is so for receiving, also by who polls for that; for sending. */
void kernel_kick_receivers(uint32_t file);
void kernel_kick_senders(uint32_t file);

/* The listener on a port; NO_LINK when there is none. */
uint32_t kernel_listener(uint16_t port);

#endif
