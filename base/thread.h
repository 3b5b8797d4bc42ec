/* SPDX-License-Identifier: MIT */
/* The one way to start a thread of weir's. */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include <pthread.h>

/* A thread that takes none of the application's signals. 0, or -errno. */
int thread_create(pthread_t *thread, void *(*run)(void *data), void *data);

#endif
