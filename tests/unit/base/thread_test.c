/* SPDX-License-Identifier: MIT */
/* A thread of the library's: what signals it gets, and how much stack the application's callbacks
 * have on it. */
#include "base/thread.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <string.h>

static int refusal;

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*run)(void *data), void *data);
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*run)(void *data), void *data);

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*run)(void *data), void *data)
{
    return refusal ? refusal : __real_pthread_create(thread, attributes, run, data);
}

struct seen {
    sigset_t mask;
    size_t stack_bytes;
};

static void *look_around(void *data)
{
    struct seen *seen = data;
    pthread_attr_t attributes;
    pthread_sigmask(SIG_BLOCK, NULL, &seen->mask);
    if (pthread_getattr_np(pthread_self(), &attributes) == 0) {
        pthread_attr_getstacksize(&attributes, &seen->stack_bytes);
        pthread_attr_destroy(&attributes);
    }
    return NULL;
}

static struct seen seen_by_a_thread(void)
{
    struct seen seen = {.stack_bytes = 0};
    pthread_t thread;
    cr_assert_eq(thread_create(&thread, look_around, &seen), 0);
    pthread_join(thread, NULL);
    return seen;
}

/* Its creator's are as they were. */
Test(thread, gets_no_signals_but_those_of_its_own_faults)
{
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS};
    static const int foreign[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGPIPE, SIGALRM};
    sigset_t before;
    sigset_t after;
    pthread_sigmask(SIG_BLOCK, NULL, &before);
    struct seen seen = seen_by_a_thread();
    pthread_sigmask(SIG_BLOCK, NULL, &after);
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
        cr_expect_eq(sigismember(&seen.mask, faults[i]), 0, "%s", strsignal(faults[i]));
    for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++)
        cr_expect_eq(sigismember(&seen.mask, foreign[i]), 1, "%s", strsignal(foreign[i]));
    for (int signal = 1; signal < SIGRTMAX; signal++)
        cr_expect_eq(sigismember(&after, signal), sigismember(&before, signal), "%d", signal);
}

static void set_usual_stack(size_t bytes)
{
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, bytes);
    cr_assert_eq(pthread_setattr_default_np(&attributes), 0);
    pthread_attr_destroy(&attributes);
}

Test(thread, has_a_stack_of_a_mebibyte_or_the_usual_one)
{
    enum { LEAST = 1 << 20, LITTLE = 256 << 10, MUCH = 4 << 20 };
    set_usual_stack(LITTLE);
    struct seen seen = seen_by_a_thread();
    cr_expect(seen.stack_bytes >= LEAST && seen.stack_bytes < MUCH, "%zu", seen.stack_bytes);
    set_usual_stack(MUCH);
    seen = seen_by_a_thread();
    cr_expect_geq(seen.stack_bytes, (size_t)MUCH);
}

Test(thread, is_none_when_there_is_no_more)
{
    pthread_t thread;
    refusal = EAGAIN;
    cr_expect_eq(thread_create(&thread, look_around, NULL), -EAGAIN);
}
