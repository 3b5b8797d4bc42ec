/* SPDX-License-Identifier: MIT */
#include "base/thread.h"

#include <signal.h>
#include <stddef.h>

/* Those that a thread's own fault raises: blocked, they would end the process without asking the
 * handler that the application has for its crashes. */
static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS};

static void set_foreign(sigset_t *signals)
{
    sigfillset(signals);
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
        sigdelset(signals, faults[i]);
}

/* The new thread has its creator's mask: set before, so that there is no moment without it. */
int thread_create(pthread_t *thread, void *(*run)(void *data), void *data)
{
    sigset_t foreign;
    sigset_t before;
    set_foreign(&foreign);
    pthread_sigmask(SIG_BLOCK, &foreign, &before);
    int result = -pthread_create(thread, NULL, run, data);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return result;
}
