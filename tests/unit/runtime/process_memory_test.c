/* SPDX-License-Identifier: MIT */
/* The memory of very many processes goes back to the system a while after most have ended. */
#include <criterion/criterion.h>
#include <stdatomic.h>
#include <time.h>
#include <weir/weir.h>

#include "base/memory.h"

enum { FEW = 500, MANY = 4096, WAIT_S = 30 };

static weir_runtime *runtime;
static weir_process processes[MANY];
static atomic_int done;
static atomic_int returns;

void __wrap_memory_trim(void);

void __wrap_memory_trim(void)
{
    atomic_fetch_add(&returns, 1);
}

static int sleep_for_ever(void *data)
{
    (void)data;
    return weir_sleep(WEIR_INFINITY);
}

static void spawn(void *count)
{
    for (int i = 0; i < *(int *)count; i++)
        cr_assert(weir_spawn(runtime, 0, sleep_for_ever, NULL, NULL, &processes[i]) == 0);
    atomic_store(&done, 1);
}

static void kill_all(void *count)
{
    for (int i = 0; i < *(int *)count; i++)
        cr_assert(weir_kill(processes[i]) == 0);
    atomic_store(&done, 1);
}

static void wait_for(atomic_int *what)
{
    const struct timespec moment = {.tv_nsec = 1000000};
    time_t until = time(NULL) + WAIT_S;
    while (atomic_load(what) == 0) {
        cr_assert(time(NULL) < until, "never");
        nanosleep(&moment, NULL);
    }
}

static void do_there(void (*work)(void *), int count)
{
    atomic_store(&done, 0);
    cr_assert(weir_run_on(runtime, 0, work, &count) == 0);
    wait_for(&done);
}

Test(process_memory, goes_back_once_when_most_have_ended)
{
    const weir_config config = {.schedulers = 1};
    cr_assert(weir_start(&runtime, &config) == 0, "%s", weir_last_error_text());
    do_there(spawn, FEW);
    do_there(kill_all, FEW);
    do_there(spawn, MANY);
    cr_expect(atomic_load(&returns) == 0);
    do_there(kill_all, MANY);
    wait_for(&returns);
    cr_expect(weir_stop(runtime) == 0);
    cr_expect(atomic_load(&returns) == 1);
}
