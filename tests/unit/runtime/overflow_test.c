/* SPDX-License-Identifier: MIT */
/* Whoever had SIGSEGV before has it again, and is called meanwhile too. */
#include "runtime/process/overflow.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/memory.h"

static int informed;
static int called;

static void with_information(int signal, siginfo_t *info, void *context)
{
    (void)context;
    cr_expect_eq(info->si_signo, signal);
    informed++;
}

static void plain(int signal)
{
    (void)signal;
    called++;
}

static void have(const struct sigaction *action)
{
    cr_assert_eq(sigaction(SIGSEGV, action, NULL), 0);
}

static bool has(void (*handler)(int))
{
    struct sigaction now;
    cr_assert_eq(sigaction(SIGSEGV, NULL, &now), 0);
    return now.sa_handler == handler;
}

static void begin(struct overflow_watch *watch)
{
    *watch = (struct overflow_watch){0};
    cr_assert_eq(overflow_watch_begin(watch), 0);
}

Test(overflow, who_was_there_before_is_called)
{
    struct overflow_watch watch;
    have(&(struct sigaction){.sa_handler = plain});
    begin(&watch);
    cr_expect_not(has(plain));
    raise(SIGSEGV);
    cr_expect_eq(called, 1);
    overflow_watch_end(&watch);
    cr_expect(has(plain));

    have(&(struct sigaction){.sa_sigaction = with_information, .sa_flags = SA_SIGINFO});
    begin(&watch);
    raise(SIGSEGV);
    cr_expect_eq(informed, 1);
    overflow_watch_end(&watch);
    raise(SIGSEGV);
    cr_expect_eq(informed, 2);

    have(&(struct sigaction){.sa_handler = SIG_IGN});
    begin(&watch);
    raise(SIGSEGV);
    raise(SIGSEGV);
    overflow_watch_end(&watch);
    cr_expect(has(SIG_IGN));
    cr_expect_eq(called, 1);
}

/* Sent by another process, as by kill(1): ignored where that was so, and else fatal. */
Test(overflow, what_is_sent_may_be_ignored)
{
    struct overflow_watch watch;
    have(&(struct sigaction){.sa_handler = SIG_IGN});
    begin(&watch);
    kill(getpid(), SIGSEGV);
    overflow_watch_end(&watch);
    cr_expect(has(SIG_IGN));
}

Test(overflow, what_is_sent_ends_who_does_not_handle_it, .signal = SIGSEGV)
{
    struct overflow_watch watch;
    have(&(struct sigaction){.sa_handler = SIG_DFL});
    begin(&watch);
    kill(getpid(), SIGSEGV);
}

/* Or else it would come again and again. */
Test(overflow, a_fault_cannot_be_ignored, .signal = SIGSEGV)
{
    struct overflow_watch watch;
    volatile char *page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    have(&(struct sigaction){.sa_handler = SIG_IGN});
    begin(&watch);
    page[0] = 1;
}

Test(overflow, the_last_scheduler_gives_it_back)
{
    struct overflow_watch one;
    struct overflow_watch other;
    have(&(struct sigaction){.sa_handler = plain});
    begin(&one);
    cr_assert_eq(overflow_watch_begin(&one), 0, "which is nothing the second time");
    begin(&other);
    overflow_watch_end(&one);
    overflow_watch_end(&one);
    cr_expect_not(has(plain));
    overflow_watch_end(&other);
    cr_expect(has(plain));
}

/* Who hands on to weir what he does not know. */
Test(overflow, who_has_come_meanwhile_stays)
{
    struct overflow_watch watch;
    have(&(struct sigaction){.sa_handler = SIG_DFL});
    begin(&watch);
    have(&(struct sigaction){.sa_handler = plain});
    overflow_watch_end(&watch);
    cr_expect(has(plain));
    begin(&watch);
    have(&(struct sigaction){.sa_sigaction = with_information, .sa_flags = SA_SIGINFO});
    overflow_watch_end(&watch);
    raise(SIGSEGV);
    cr_expect_eq(informed, 1);
}

/* The handler cannot run on the stack that has overflowed. */
Test(overflow, a_thread_has_a_stack_for_the_handler)
{
    static char own[1 << 16];
    struct overflow_watch watch;
    stack_t now;
    cr_assert_eq(sigaltstack(&(stack_t){.ss_flags = SS_DISABLE}, NULL), 0);
    begin(&watch);
    cr_assert_eq(sigaltstack(NULL, &now), 0);
    cr_expect_eq(now.ss_flags & SS_DISABLE, 0);
    cr_expect_geq(now.ss_size, 1u << 16);
    overflow_watch_end(&watch);
    cr_assert_eq(sigaltstack(NULL, &now), 0);
    cr_expect_neq(now.ss_flags & SS_DISABLE, 0);
    cr_expect_eq(memory_live_count(), 0);

    cr_assert_eq(sigaltstack(&(stack_t){.ss_sp = own, .ss_size = sizeof(own)}, NULL), 0);
    for (int i = 0; i < 2; i++) {
        if (i == 0)
            begin(&watch);
        else
            overflow_watch_end(&watch);
        cr_assert_eq(sigaltstack(NULL, &now), 0);
        cr_expect_eq(now.ss_sp, own, "one that is there already");
    }
    cr_expect_eq(sigaltstack(&(stack_t){.ss_flags = SS_DISABLE}, NULL), 0);
}

Test(overflow, without_memory_nothing_is_watched)
{
    struct overflow_watch watch = {0};
    have(&(struct sigaction){.sa_handler = plain});
    cr_assert_eq(sigaltstack(&(stack_t){.ss_flags = SS_DISABLE}, NULL), 0);
    memory_fail_nth(1);
    cr_expect_eq(overflow_watch_begin(&watch), -ENOMEM);
    cr_expect(has(plain));
    overflow_watch_end(&watch);
    cr_expect_eq(overflow_watch_begin(&watch), 0);
    overflow_watch_end(&watch);
    cr_expect(has(plain));
    cr_expect_eq(memory_live_count(), 0);
}
