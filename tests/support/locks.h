/* SPDX-License-Identifier: MIT */
/* For programs linked with --wrap=pthread_mutex_lock and --wrap=pthread_mutex_unlock: whoever gives
 * a lock back that it does not have ends the test. A lock that is not given back hangs it. */
#ifndef SUPPORT_LOCKS_H
#define SUPPORT_LOCKS_H

#include <pthread.h>
#include <stdlib.h>

int __real_pthread_mutex_lock(pthread_mutex_t *lock);
int __real_pthread_mutex_unlock(pthread_mutex_t *lock);
int __wrap_pthread_mutex_lock(pthread_mutex_t *lock);
int __wrap_pthread_mutex_unlock(pthread_mutex_t *lock);

static _Thread_local int locks_held;

int __wrap_pthread_mutex_lock(pthread_mutex_t *lock)
{
    locks_held++;
    return __real_pthread_mutex_lock(lock);
}

int __wrap_pthread_mutex_unlock(pthread_mutex_t *lock)
{
    if (locks_held-- == 0)
        abort();
    return __real_pthread_mutex_unlock(lock);
}

#endif
