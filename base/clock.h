/* SPDX-License-Identifier: MIT */
/* The one place that time comes from. A simulated kernel links another implementation. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <pthread.h>
#include <stdint.h>

/* CLOCK_MONOTONIC. */
uint64_t clock_now_ns(void);

/* The time that a running thread of this process has spent on a core, in the kernel too. */
uint64_t clock_thread_ns(pthread_t thread);

/* Between two looks at something that another core may change. */
static inline void clock_relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

#endif
