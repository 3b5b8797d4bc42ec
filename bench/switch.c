/* SPDX-License-Identifier: MIT */
/*
 * What it costs to go on elsewhere and come back, in nanoseconds of the thread's time: weir's
 * switch of stacks beside boost.context and swapcontext; and two processes that post to each other,
 * beside two threads that wake each other by a futex: all threads' time, there and back. And what a
 * message takes from one of very many to the next, whose stack is in no near cache.
 */
#include "common/fail.h"

#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>
#include <weir/weir.h>

#include "runtime/process/context.h"

enum { STACK_BYTES = 64 << 10 };

static uint32_t count = 10000000;
static _Alignas(64) uint8_t stack[STACK_BYTES];

static double now_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void print(const char *what, double ns, uint32_t times)
{
    printf("%-44s %8.1f ns\n", what, ns / times);
}

static struct context outside;
static struct context inside;

static void come_back(void *data)
{
    (void)data;
    for (;;)
        context_switch(&inside, &outside);
}

static void measure_weir(void)
{
    context_make(&inside, stack + sizeof(stack), come_back, NULL);
    double began_ns = now_ns(CLOCK_THREAD_CPUTIME_ID);
    for (uint32_t i = 0; i < count; i++)
        context_switch(&outside, &inside);
    print("weir, a switch and back", now_ns(CLOCK_THREAD_CPUTIME_ID) - began_ns, count);
}

#ifdef WITH_BOOST
/* What boost.context itself is made of, which has no header for C. */
struct transfer {
    void *from;
    void *data;
};
struct transfer jump_fcontext(void *to, void *data);
void *make_fcontext(void *top, size_t size, void (*run)(struct transfer transfer));

static void come_back_by_boost(struct transfer transfer)
{
    for (;;)
        transfer = jump_fcontext(transfer.from, NULL);
}

static void measure_boost(void)
{
    void *to = make_fcontext(stack + sizeof(stack), sizeof(stack), come_back_by_boost);
    double began_ns = now_ns(CLOCK_THREAD_CPUTIME_ID);
    for (uint32_t i = 0; i < count; i++)
        to = jump_fcontext(to, NULL).from;
    print("boost.context", now_ns(CLOCK_THREAD_CPUTIME_ID) - began_ns, count);
}
#else
static void measure_boost(void)
{
    printf("boost.context was not there when this was built\n");
}
#endif

static ucontext_t main_context;
static ucontext_t other_context;

static void come_back_by_swap(void)
{
    for (;;)
        swapcontext(&other_context, &main_context);
}

static void measure_swapcontext(void)
{
    uint32_t times = count / 10;
    getcontext(&other_context);
    other_context.uc_stack.ss_sp = stack;
    other_context.uc_stack.ss_size = sizeof(stack);
    makecontext(&other_context, come_back_by_swap, 0);
    double began_ns = now_ns(CLOCK_THREAD_CPUTIME_ID);
    for (uint32_t i = 0; i < times; i++)
        swapcontext(&main_context, &other_context);
    print("swapcontext", now_ns(CLOCK_THREAD_CPUTIME_ID) - began_ns, times);
}

static atomic_uint turn;

static void hand_over(uint32_t to)
{
    atomic_store(&turn, to);
    syscall(SYS_futex, &turn, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void wait_for(uint32_t mine, uint32_t others)
{
    while (atomic_load(&turn) != mine)
        syscall(SYS_futex, &turn, FUTEX_WAIT_PRIVATE, others, NULL, NULL, 0);
}

static void *answer(void *data)
{
    for (uint32_t i = 0; i < count / 100; i++) {
        wait_for(1, 0);
        hand_over(0);
    }
    return data;
}

static void measure_threads(void)
{
    pthread_t thread;
    uint32_t times = count / 100;
    if (pthread_create(&thread, NULL, answer, NULL) != 0)
        fail("pthread_create");
    double began_ns = now_ns(CLOCK_PROCESS_CPUTIME_ID);
    for (uint32_t i = 0; i < times; i++) {
        hand_over(1);
        wait_for(0, 1);
    }
    print("two threads by a futex, there and back", now_ns(CLOCK_PROCESS_CPUTIME_ID) - began_ns,
          times);
    pthread_join(thread, NULL);
}

static int check(int result, const char *what)
{
    if (result < 0)
        fail("%s: %s", what, weir_last_error_text());
    return result;
}

static int answer_posts(void *data)
{
    const weir_process *to = data;
    weir_message message;
    while (weir_receive(WEIR_INFINITY, &message) == 0 && message.data)
        check(weir_post(*to, message.data), "post");
    return 0;
}

enum { ROW_MOST = 1000 };

/* A message goes round this process and others, each of which passes it on to the one before. */
static double post_around(weir_runtime *runtime, uint32_t length, uint32_t rounds)
{
    static weir_process row[ROW_MOST];
    weir_message message;
    row[0] = weir_self();
    for (uint32_t i = 1; i < length; i++)
        check(weir_spawn(runtime, WEIR_ANY_SCHEDULER, answer_posts, &row[i - 1], NULL, &row[i]),
              "spawn");
    double began_ns = now_ns(CLOCK_PROCESS_CPUTIME_ID);
    for (uint32_t i = 0; i < rounds; i++) {
        check(weir_post(row[length - 1], row), "post");
        check(weir_receive(WEIR_INFINITY, &message), "receive");
    }
    double took_ns = now_ns(CLOCK_PROCESS_CPUTIME_ID) - began_ns;
    for (uint32_t i = 1; i < length; i++)
        check(weir_post(row[i], NULL), "post");
    return took_ns;
}

static int post_and_receive(void *runtime)
{
    uint32_t times = count / 100;
    uint32_t rounds = times / ROW_MOST + 1;
    print("two processes by messages, there and back", post_around(runtime, 2, times), times);
    print("a thousand in a row, from one to the next", post_around(runtime, ROW_MOST, rounds),
          rounds * ROW_MOST);
    return 0;
}

static void measure_processes(void)
{
    weir_runtime *runtime;
    weir_mailbox *mailbox;
    weir_process process;
    weir_message message;
    check(weir_start(&runtime, &(weir_config){.schedulers = 1}), "start");
    check(weir_mailbox_create(&mailbox), "mailbox");
    check(weir_spawn(runtime, 0, post_and_receive, runtime, NULL, &process), "spawn");
    check(weir_monitor(process, mailbox, NULL), "monitor");
    check(weir_mailbox_receive(mailbox, WEIR_INFINITY, &message), "receive");
    check(weir_stop(runtime), "stop");
    weir_mailbox_destroy(mailbox);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        count = (uint32_t)strtoul(argv[1], NULL, 10);
    measure_weir();
    measure_boost();
    measure_swapcontext();
    measure_processes();
    measure_threads();
    return 0;
}
