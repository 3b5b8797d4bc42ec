/* SPDX-License-Identifier: MIT */
/* Functions that are run as processes: what they expect and is not so is why they end. */
#ifndef INTEGRATION_IN_PROCESS_H
#define INTEGRATION_IN_PROCESS_H

#include "support/loopback.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

/* Ends the process with the line as the reason. */
#define EXPECT(condition)    \
    do {                     \
        if (!(condition))    \
            return __LINE__; \
    } while (0)

/* Waits until the process has ended. Why it did. */
static inline int reason_of(struct loopback *loopback, weir_process process)
{
    weir_message message;
    GIVES(weir_mailbox_receive(loopback->mailbox, WAIT_MS, &message), 0);
    cr_assert(message.kind == WEIR_MESSAGE_DOWN);
    cr_assert(message.process.id == process.id);
    return message.error;
}

static inline weir_process spawn_on(struct loopback *loopback, int scheduler,
                                    weir_process_function *run, void *data)
{
    weir_process process;
    GIVES(weir_spawn(loopback->runtime, scheduler, run, data, NULL, &process), 0);
    return process;
}

/* Told of its end before it can have ended: it is spawned in a process that has the scheduler. */
struct watched {
    struct loopback *loopback;
    weir_process_function *run;
    void *data;
    weir_process process;
};

static inline int spawn_watched(void *data)
{
    struct watched *watched = data;
    EXPECT(weir_spawn(watched->loopback->runtime, WEIR_ANY_SCHEDULER, watched->run, watched->data,
                      NULL, &watched->process) == 0);
    EXPECT(weir_monitor(watched->process, watched->loopback->mailbox, NULL) == 0);
    return 0;
}

/* Runs it to its end, on that scheduler. Why it ended. */
static inline int run_process_on(struct loopback *loopback, int scheduler,
                                 weir_process_function *run, void *data)
{
    struct watched watched = {.loopback = loopback, .run = run, .data = data};
    (void)spawn_on(loopback, scheduler, spawn_watched, &watched);
    weir_message message;
    GIVES(weir_mailbox_receive(loopback->mailbox, WAIT_MS, &message), 0);
    cr_assert(message.kind == WEIR_MESSAGE_DOWN);
    return message.error;
}

#define RUNS(loopback, run, data)                                                       \
    do {                                                                                \
        int reason = run_process_on(loopback, 0, run, data);                            \
        cr_assert(reason == 0, #run " ended with %d: %s", reason, result_text(reason)); \
    } while (0)

#endif
