/* SPDX-License-Identifier: MIT */
/* The one way to start a thread of weir's, and to end a lock. */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include <pthread.h>

/* A thread that takes none of the application's signals, with a stack of 1 MiB at least. 0, or
 * -errno. */
int thread_create(pthread_t *thread, void *(*run)(void *data), void *data);

/* Nobody holds it, and it was given back as often as it was taken: else it aborts. */
void thread_end_lock(pthread_mutex_t *lock);

/* What is begun is finished: the application's thread is not cancelled in between. Returns what
 * thread_allow_cancel is to be given. */
static inline int thread_put_off_cancel(void)
{
    int before;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
    return before;
}

static inline void thread_allow_cancel(int before)
{
    pthread_setcancelstate(before, &before);
}

#endif
