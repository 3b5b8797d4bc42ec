/* SPDX-License-Identifier: MIT */
/*
 * A runtime, a mailbox that owns its sockets, and plain blocking sockets as its peers, all on the
 * loopback interface. Nothing here sleeps: it waits for an event, for WAIT_MS at most, and a test
 * that has waited so long has failed.
 */
#ifndef SUPPORT_LOOPBACK_H
#define SUPPORT_LOOPBACK_H

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <weir/weir.h>

enum { WAIT_MS = 30000 };

/* What is done at once, or when a time of a second at most is up, is done before this also on a
 * busy machine. What would wait waits for longer in these tests, most of it for ever. */
enum { AT_ONCE_MS = 10000 };

struct loopback {
    weir_runtime *runtime;
    weir_mailbox *mailbox;
    weir_socket listener;
    weir_socket socket; /* accepted from the peer */
    int peer;           /* -1: none */
    int descriptors;    /* open before the runtime was started */
    int64_t blocks;     /* allocated before */
};

/* With one scheduler unless `config` (may be NULL) says otherwise. */
struct loopback loopback_start(const weir_config *config);
/* Started, listening with these options, and with one connection. */
struct loopback loopback_open(const char *options);
/* Another connection in place of the one there is. */
void loopback_reopen(struct loopback *loopback);
/* Stops, and fails the test when a descriptor or a block of memory is left. */
void loopback_close(struct loopback *loopback);

/* Listens on 127.0.0.1 and a port of the system's choice. */
weir_socket listen_with(weir_runtime *runtime, const char *options);

/* Options as text. The call's result. */
int set(weir_socket socket, const char *options);
int64_t get(weir_socket socket, enum weir_option_id id);
weir_statistics statistics_of(weir_socket socket);

/* Returns when the socket's scheduler has dealt with all that had happened before. */
void settle(weir_socket socket);

/* Peers. */
int peer_connect(int port);
int peer_connect_with(int port, int receive_buffer);
int peer_bind(int *port); /* who connects there is refused, and nobody else gets the port */
int peer_listen(int backlog, int *port);
void peer_write(int fd, const void *bytes, size_t size);
void peer_say(int fd, const char *text);
void peer_finish(int fd); /* ends its writing side */
void peer_leave(int *fd); /* closes */
void peer_reset(int *fd); /* closes with a reset */
void peer_read(int fd, void *bytes, size_t size);
void peer_expect(int fd, const char *text);
void peer_expect_end(int fd);
void peer_expect_reset(int fd);
/* Reads to the end; how much there was, or -errno. */
int64_t peer_drain(int fd);

/* The next message; its packet is the caller's. */
weir_message next_message(weir_mailbox *mailbox);
void expect_data(struct loopback *loopback, const void *bytes, size_t size);
void expect_text(struct loopback *loopback, const char *text);
void expect_told(struct loopback *loopback, enum weir_message_kind kind, int error);
/* Nothing has been told, nor will be for what happened so far. */
void expect_quiet(struct loopback *loopback);
void expect_received(weir_socket socket, size_t length, const char *text);

/* Fills the kernel's buffers and, behind them, the socket's queue; the peer reads nothing. The
 * bytes that are queued then. For sockets with small buffers: SMALL_BUFFERS. */
#define SMALL_BUFFERS "{sndbuf,4096},{recbuf,4096}"
enum { FILL_BYTES = 2000000 };
uint64_t fill_queue(struct loopback *loopback);
uint64_t queued(weir_socket socket);
/* Queued bytes once the kernel takes no more of them. */
uint64_t settled_queue(struct loopback *loopback);

/* The first result that is no success, once the peer's reset has come. */
int send_until_it_fails(weir_socket socket);

/* What an _async call answered. */
struct answer {
    uint32_t count;
    int result;
    weir_socket socket;
    char bytes[64];
    size_t size;
};
void answer_opened(weir_socket socket, int result, void *answer);
void answer_sent(weir_socket socket, int result, void *answer);
void answer_received(weir_socket socket, int result, const weir_packet *packet, void *answer);
int answer_wait(struct answer *answer);
uint32_t answer_count(struct answer *answer);

/* Runs on a scheduler, and waits until it has. */
void run_there(weir_runtime *runtime, uint32_t scheduler, void (*work)(void *), void *data);

/* The same in a process there. */
void run_in_process(weir_runtime *runtime, int scheduler, void (*work)(void *), void *data);

/* A call that waits, made by a thread of its own. */
struct background {
    pthread_t thread;
    int (*work)(struct background *);
    weir_socket socket;
    weir_socket opened;
    weir_mailbox *mailbox;
    const void *bytes;
    size_t size;
    int result;
};
int send_in_background(struct background *);
int receive_in_background(struct background *); /* `size` is the length; drops what it gets */
int accept_in_background(struct background *);
void background_start(struct background *background);
int background_join(struct background *background);

int descriptor_count(void);
/* So many more can be opened, until the limit is again what it was: what this returns. */
rlim_t leave_descriptors(int left);
void restore_descriptors(rlim_t before);
uint64_t now_ms(void);
const char *result_text(int result);

#define GIVES(call, expected)                                                       \
    do {                                                                            \
        int result_ = (call);                                                       \
        int expected_ = (expected);                                                 \
        cr_assert(result_ == expected_, "%s gives %s (%d), not %s (%d): %s", #call, \
                  result_text(result_), result_, result_text(expected_), expected_, \
                  weir_last_error_text());                                          \
    } while (0)

/* Looks again until it holds; fails after WAIT_MS. */
#define EVENTUALLY(condition)                                      \
    do {                                                           \
        uint64_t until_ = now_ms() + WAIT_MS;                      \
        while (!(condition))                                       \
            cr_assert(now_ms() < until_, "never: %s", #condition); \
    } while (0)

#endif
