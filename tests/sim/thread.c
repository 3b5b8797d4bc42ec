/* SPDX-License-Identifier: MIT */
#include "sim/thread.h"

#include <linux/futex.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/syscall.h>

#include "sim/actor.h"
#include "sim/afar.h"
#include "sim/dice.h"
#include "sim/kernel.h"
#include "sim/post.h"
#include "sim/program.h"
#include "sim/trace.h"

struct futex {
    const atomic_uint *word;
    unsigned value;
};

static bool has_changed(void *data)
{
    const struct futex *futex = data;
    return atomic_load(futex->word) != futex->value;
}

long __wrap_syscall(long number, ...);

/* A thread that would sleep lets the others act. */
long __wrap_syscall(long number, ...)
{
    va_list arguments;
    va_start(arguments, number);
    struct futex futex = {.word = va_arg(arguments, const atomic_uint *)};
    int operation = va_arg(arguments, int);
    futex.value = va_arg(arguments, unsigned);
    va_end(arguments);
    SIM_CHECK(number == SYS_futex, "system call %ld", number);
    if (operation == FUTEX_WAIT_PRIVATE)
        actor_wait(has_changed, &futex, UINT64_MAX);
    return 0;
}

static bool is_over(void *unused)
{
    (void)unused;
    return program_winds_down();
}

static void act_once(void)
{
    uint32_t what = dice_below(20);
    if (dice_chance(program_style.udp))
        program_act_on_datagrams();
    if (dice_chance(program_style.timers))
        program_act_on_timers();
    if (what < 2)
        program_act_on_listener();
    else if (what < 3)
        program_connect_and_wait();
    else if (what < 8)
        program_read_mail(dice_size(20));
    else if (what == 8 && dice_chance(100) && afar_handover_count() == 0)
        post_destroy_some();
    else if (what == 9 && program_style.look_up > 0)
        program_look_up_and_wait();
    else
        program_act_on_connection();
}

static void be_thread(void *data)
{
    uintptr_t acts = (uintptr_t)data;
    while (acts-- > 0 && !program_winds_down()) {
        actor_wait(is_over, NULL, kernel.now_ns + dice_size(2000000));
        if (!program_winds_down())
            act_once();
    }
}

void thread_start(uint32_t acts)
{
    actor_add(be_thread, (void *)(uintptr_t)acts, NULL); /* NOLINT(performance-no-int-to-ptr) */
}
