/* SPDX-License-Identifier: MIT */
#include "base/thread.h"

#include <signal.h>
#include <stddef.h>

#include "base/check.h"

/* Those that a thread's own fault raises: blocked, they would end the process without asking the
 * handler that the application has for its crashes. */
static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS};

static void set_foreign(sigset_t *signals)
{
    sigfillset(signals);
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
        sigdelset(signals, faults[i]);
}

/* The default is `ulimit -s`, on which callbacks of the application's run too. */
static void ensure_stack(pthread_attr_t *attributes)
{
    enum { LEAST_BYTES = 1 << 20 };
    size_t bytes = 0;
    if (pthread_attr_getstacksize(attributes, &bytes) == 0 && bytes < LEAST_BYTES)
        (void)pthread_attr_setstacksize(attributes, LEAST_BYTES);
}

/* The new thread has its creator's mask: set before, so that there is no moment without it. */
int thread_create(pthread_t *thread, void *(*run)(void *data), void *data)
{
    sigset_t foreign;
    sigset_t before;
    set_foreign(&foreign);
    pthread_sigmask(SIG_BLOCK, &foreign, &before);
    pthread_attr_t attributes;
    int result = -pthread_attr_init(&attributes);
    if (result == 0) {
        ensure_stack(&attributes);
        result = -pthread_create(thread, &attributes, run, data);
        pthread_attr_destroy(&attributes);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return result;
}

/* The C library counts who holds it. */
void thread_end_lock(pthread_mutex_t *lock)
{
    int result = pthread_mutex_destroy(lock);
    CHECK_EQ(result, 0);
}
