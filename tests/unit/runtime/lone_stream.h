/* SPDX-License-Identifier: MIT */
/* One connection by itself, on a noted ring: a step at a time, as the test says. Its other end is
 * `lone_peer`. What its handler and its calls were told is noted as words. */
#ifndef UNIT_LONE_STREAM_H
#define UNIT_LONE_STREAM_H

#include <criterion/criterion.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "noted_ring.h"
#include "options/options.h"
#include "runtime/scheduler/limits.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/stream/output.h"
#include "runtime/stream/send.h"
#include "runtime/stream/stream.h"
#include "runtime/stream/streams.h"

enum { PASSIVE = WEIR_ACTIVE_FALSE, ALL = WEIR_ACTIVE_TRUE, LONE_LIMIT = 1 << 20 };
enum { LONE_BUFFERS = 8, LONE_BUFFER_BYTES = 256 };

extern struct scheduler lone;
extern struct scheduler_limits lone_limits;
extern struct option_values lone_values; /* that the next connection begins with */
extern int lone_peer;

/* A ring with all features but these, and no connection yet. */
void lone_begin(uint32_t features_off);
struct stream *lone_open(int32_t active);

/* What was told since this was last asked: "data:TEXT", or "http:TEXT" of what is decoded,
 * "passive", "unbusy", "error:N", "closed", "gone", and of calls their letter and result, "a:0". */
const char *lone_told(void);

/* An _async send of so many bytes, and one by the handler. Its letter is told with its result. */
struct send_call *lone_send(struct stream *stream, char letter, size_t size);
int lone_send_now(struct stream *stream, size_t size);

/* An _async recv. */
void lone_receive(struct stream *stream, char letter, size_t length, int64_t timeout_ms);

/* What the ring was asked for last, or an operation of the connection, is over. */
void lone_complete(int result, uint32_t flags);
void lone_complete_operation(struct stream *stream, uint32_t operation, int result, uint32_t flags);

/* These bytes have come by the receive that was asked for last; it goes on, or not. */
void lone_bring(struct stream *stream, const char *bytes, bool goes_on);

/* What is due soon; a turn, but for its timers; and so much time, with those that are due then. */
void lone_soon(void);
void lone_turn(void);
void lone_pass(uint64_t ms);

#define EXPECT_WORDS(words, expected)                                                         \
    do {                                                                                      \
        const char *words_ = (words);                                                         \
        cr_expect(strcmp(words_, expected) == 0, "\"%s\", and not \"%s\"", words_, expected); \
    } while (0)
#define TOLD(expected)  EXPECT_WORDS(lone_told(), expected)
#define ASKED(expected) EXPECT_WORDS(noted_asked(), expected)

#endif
