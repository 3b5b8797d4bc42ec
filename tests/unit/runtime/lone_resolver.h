/* SPDX-License-Identifier: MIT */
/* Look-ups of one scheduler, by turns of the test's own: the test is the name servers, the C
 * library and the clock. */
#ifndef UNIT_LONE_RESOLVER_H
#define UNIT_LONE_RESOLVER_H

#include <criterion/criterion.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "own_turns.h"
#include "runtime/resolver/channel.h"
#include "runtime/resolver/native.h"
#include "runtime/resolver/resolver.h"
#include "runtime/scheduler/scheduler.h"

enum { QUESTIONS_MOST = 64, REFRESH_MS = 3000 };

#define NO_FILES "{resolv_conf,\"\"}. {hosts_file,\"\"}. {domain,\"\"}. clear_search. "
#define BY_DNS   NO_FILES "{lookup,[dns]}. {nameserver,{127,0,0,1}}. {edns,false}. "

extern struct scheduler *scheduler;
extern struct naming naming;

/* What name servers were asked. */
struct lone_question {
    struct asking *asking; /* NULL: it is over */
    uint8_t server;        /* 127.0.0._ */
    char name[64];
};

extern struct lone_question questions[QUESTIONS_MOST];
extern int question_count;

/* What the C library was asked last. */
extern struct native *native;
extern int native_count;

extern int refreshes; /* of what is remembered that were planned, each after REFRESH_MS */

/* What there is nothing for. */
extern bool cannot_ask;
extern bool has_no_thread;
extern bool has_no_slot; /* for a resolver */

struct inet_config *lone_config_of(const char *terms);

void lone_begin(const char *terms);
void lone_end(void);

/* A caller who waits: a thread whose look-up is looked at here. */
struct asked {
    struct look_up look_up;
    char text[ERROR_TEXT_SIZE];
};

void lone_make(struct asked *asked, struct look_up look_up);
void lone_ask(struct asked *asked, const char *name); /* for its IPv4 address */
bool lone_is_done(struct asked *asked);
int lone_result_of(struct asked *asked); /* once, when it is there */

void lone_turn_until(const int *count, int most);
void lone_turn_some(void);
void lone_pass(uint64_t ms);

/* Whether anybody wants to know of a question any more; and what comes of it: an answer with this
 * code, and an address if it is not NULL. */
bool lone_is_wanted(int which);
void lone_tell(int which, const void *bytes, size_t size, enum query_outcome outcome);
void lone_answer(int which, unsigned code, const char *address);

#endif
