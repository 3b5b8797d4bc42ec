/* SPDX-License-Identifier: MIT */
/* What base shares between threads, and what it keeps apart. */
#include "base/check.h"
#include "base/error.h"
#include "base/memory.h"

#include <errno.h>
#include <pthread.h>
#include <stddef.h>

enum { THREAD_COUNT = 4, ROUND_COUNT = 2000 };

static void *work(void *argument)
{
    int number = *(int *)argument;
    for (int round = 0; round < ROUND_COUNT; round++) {
        void *block = memory_resize(memory_allocate(16), 32);
        error_say(-EINVAL, "%d", number);
        memory_free(block);
        CHECK_EQ(weir_last_error_text()[0], '0' + number);
    }
    return NULL;
}

int main(void)
{
    pthread_t threads[THREAD_COUNT];
    int numbers[THREAD_COUNT];
    for (int i = 0; i < THREAD_COUNT; i++) {
        numbers[i] = i;
        CHECK_EQ(pthread_create(&threads[i], NULL, work, &numbers[i]), 0);
    }
    for (int i = 0; i < THREAD_COUNT; i++)
        pthread_join(threads[i], NULL);
    CHECK_EQ(memory_live_count(), 0);
    CHECK_EQ(memory_allocation_count(), 2u * THREAD_COUNT * ROUND_COUNT);
}
