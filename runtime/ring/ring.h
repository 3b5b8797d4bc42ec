/* SPDX-License-Identifier: MIT */
/*
 * The seam to the kernel: one ring of one scheduler. Only ring.c knows liburing; a simulated
 * kernel links another implementation. All calls are the owning thread's.
 */
#ifndef RUNTIME_RING_RING_H
#define RUNTIME_RING_RING_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct ring;

struct ring_config {
    uint32_t submission_entries;
    uint32_t completion_entries; /* halved, then the submission entries, while memory is short */
    uint32_t features_off;       /* enum feature, as bits */
    uint32_t buffer_count;       /* a power of two, at most 32768 */
    uint32_t buffer_size;
    uint32_t gather_us; /* how long completions gather while the ring sleeps; 0: not at all */
};

/* What came of it. */
struct ring_profile {
    uint32_t features;           /* in use */
    uint32_t submission_entries; /* as the kernel gave them */
    uint32_t completion_entries;
};

enum ring_completion_flag {
    RING_BUFFER = 1 << 0, /* the upper 16 bits of flags are the buffer that was filled */
    RING_MORE = 1 << 1,   /* the operation goes on */
    RING_NOTIFY = 1 << 2, /* zero-copy: the kernel is done with the memory */
    RING_COPIED = 1 << 3, /* with RING_NOTIFY: it had to copy after all */
};

enum { RING_BUFFER_SHIFT = 16 };

struct ring_completion {
    uint64_t user_data;
    int32_t result;
    uint32_t flags; /* enum ring_completion_flag */
};

/* There is no more memory that the user may lock: smaller rings may fit, see runtime/fit.h. */
enum { RING_LACKS_MEMORY = -ENOLCK };

/*
 * Opens a ring and tries it. -ENOSYS, -EPERM, RING_LACKS_MEMORY, -ENOMEM, -EMFILE, ... with a text
 * that says what is wrong and what to do about it.
 */
int ring_open(struct ring **ring, const struct ring_config *config, struct ring_profile *profile);
void ring_close(struct ring *ring);

/* Makes room for the configured number of receive buffers. The kernel has none of them until it is
 * offered some, and takes them in the order in which they were: each becomes its own with
 * ring_publish_buffers and ours again with the completion that names it. */
/* 0, RING_LACKS_MEMORY, -ENOMEM, ... */
int ring_register_buffers(struct ring *ring);
void ring_offer_buffer(struct ring *ring, uint16_t buffer, uint8_t *bytes);
void ring_publish_buffers(struct ring *ring);

/* Operations. They are queued, and submitted by ring_turn or when the queue is full. */
void ring_accept(struct ring *ring, uint64_t user_data, int fd, bool multishot);
void ring_connect(struct ring *ring, uint64_t user_data, int fd, const struct sockaddr *address,
                  socklen_t size);
/* Into a buffer that the kernel takes from the registered ones. */
void ring_receive(struct ring *ring, uint64_t user_data, int fd, bool multishot);
/* Into memory of ours. One that does not wait gives -EAGAIN when there is nothing. */
struct ring_memory {
    void *bytes;
    size_t size;
    bool waits;
};
void ring_receive_into(struct ring *ring, uint64_t user_data, int fd, struct ring_memory memory);
/* Completes when there is something to receive, or nothing more to come. */
void ring_wait_readable(struct ring *ring, uint64_t user_data, int fd);
/* Sends never wait: -EAGAIN when there is no room, and fewer bytes than `size` when there is some.
 */
void ring_send(struct ring *ring, uint64_t user_data, int fd, const void *bytes, size_t size);
/* The header and what it points to must live until the next ring_turn. */
void ring_send_message(struct ring *ring, uint64_t user_data, int fd, const struct msghdr *message,
                       bool zero_copy);
/* Reads a file. One that was opened not to wait gives -EAGAIN for bytes that are not in memory,
 * unless `patient`. */
struct file_range {
    int fd;
    uint64_t offset;
    size_t size;
    bool patient;
};
void ring_read(struct ring *ring, uint64_t user_data, void *memory, struct file_range range);
/* Completes each time that there may be room for sending again, and goes on. */
void ring_watch_writable(struct ring *ring, uint64_t user_data, int fd);
/* Completes once, when what poll(2) calls `events` is there, with what there is. */
void ring_poll(struct ring *ring, uint64_t user_data, int fd, unsigned events);
/* Ends the operation with the user_data of `target`, which completes as it would or with
 * -ECANCELED. The cancel itself completes only when it finds none: -ENOENT. That is not to say
 * that there is none: the kernel may have been about to try it again, and it goes on. */
void ring_cancel(struct ring *ring, uint64_t user_data, uint64_t target);
/* Completes when the counter of system_wake_raise has been raised, and takes it. */
void ring_wait_wake(struct ring *ring, uint64_t user_data, int fd);

/* Whether a result says no more than that the operation is to be made again. */
static inline bool ring_says_again(int result)
{
    return result == -EINTR || result == -EAGAIN;
}

/* Operations queued and not submitted yet. */
uint32_t ring_pending(const struct ring *ring);

/* Submits what is queued, now. */
void ring_submit(struct ring *ring);

/*
 * Submits what is queued and makes completions visible, in one system call, or in none if there is
 * neither and it does not wait. Waits for one completion at most `timeout_ns` (0: not at all,
 * UINT64_MAX: for ever). Never fails: interrupted and refused submissions stay queued for the next
 * turn.
 */
void ring_turn(struct ring *ring, uint64_t timeout_ns);

/* Whether a turn would find a completion; costs no system call. For spinning. */
bool ring_has_work(struct ring *ring);

/* The most completions that can wait to be taken now. */
uint32_t ring_ready(const struct ring *ring);

/* Takes at most `count` completions. */
uint32_t ring_take(struct ring *ring, struct ring_completion *completions, uint32_t count);

struct ring_counters {
    uint64_t system_calls;
    uint64_t overflows;
};

struct ring_counters ring_get_counters(const struct ring *ring);

#endif
