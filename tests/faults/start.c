/* SPDX-License-Identifier: MIT */
/* Starting where io_uring is refused: the code says which way, the text what to do, and nothing is
 * left behind. */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/memory.h"
#include "scenario.h"
#include <weir/weir.h>

static bool refuse(long call, int error)
{
    struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)call, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = {sizeof(program) / sizeof(program[0]), program};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

/* What weir_start says, and that it leaves nothing. A runtime that starts is stopped. */
static int start(const weir_config *config)
{
    weir_runtime *runtime;
    int descriptors = scenario_descriptors();
    int64_t live = memory_live_count();
    int result = weir_start(&runtime, config);
    if (result == 0)
        weir_stop(runtime);
    EXPECT(scenario_descriptors() == descriptors, "%d descriptors are left",
           scenario_descriptors() - descriptors);
    EXPECT(memory_live_count() == live, "%d blocks of memory are left",
           (int)(memory_live_count() - live));
    EXPECT(result == 0 || weir_last_error_text()[0], "%s, and not a word", weir_error_name(result));
    if (result < 0)
        printf("    %s: %s\n", weir_error_name(result), weir_last_error_text());
    return result;
}

static int expect_refused(long call, int error, int expected, const char *word)
{
    if (!refuse(call, error))
        return SCENARIO_SKIPPED;
    int result = start(NULL);
    EXPECT(result == expected, "start gave %s, not %s", weir_error_name(result),
           weir_error_name(expected));
    EXPECT(strstr(weir_last_error_text(), word), "nothing is said of \"%s\"", word);
    return 0;
}

static int set_up_not_permitted(void)
{
    return expect_refused(SYS_io_uring_setup, EPERM, -EPERM, "io_uring_disabled");
}

static int set_up_unknown(void)
{
    return expect_refused(SYS_io_uring_setup, ENOSYS, -ENOSYS, "seccomp");
}

static int set_up_denied(void)
{
    return expect_refused(SYS_io_uring_setup, EACCES, -EPERM, "seccomp");
}

static int set_up_without_memory(void)
{
    return expect_refused(SYS_io_uring_setup, ENOMEM, -ENOMEM, "ulimit -l");
}

static int set_up_without_descriptors(void)
{
    return expect_refused(SYS_io_uring_setup, EMFILE, -EMFILE, "ulimit -n");
}

static int enter_not_permitted(void)
{
    return expect_refused(SYS_io_uring_enter, EPERM, -EPERM, "seccomp");
}

static int register_not_permitted(void)
{
    return expect_refused(SYS_io_uring_register, EPERM, -EPERM, "seccomp");
}

static int no_threads(void)
{
    return expect_refused(SYS_clone3, EPERM, -EPERM, "");
}

/* Root's rings are not charged, so this is an ordinary user's business, who has no other process
 * that could be charged. */
static bool become_ordinary(rlim_t memlock_bytes)
{
    const struct rlimit limit = {memlock_bytes, memlock_bytes};
    const uid_t user = 70000 + (uid_t)getpid();
    return setrlimit(RLIMIT_MEMLOCK, &limit) == 0 && setresuid(user, user, user) == 0;
}

static int memlock_of_nothing(void)
{
    if (!become_ordinary(0))
        return SCENARIO_SKIPPED;
    int result = start(&(weir_config){.schedulers = 1});
    EXPECT(result == 0 || result == -ENOMEM, "start gave %s", weir_error_name(result));
    EXPECT(result == 0 || strstr(weir_last_error_text(), "ulimit -l"), "no hint at the limit");
    return 0;
}

/* The limit can only be lowered. */
static int any_memlock_from_32_kib_on(void)
{
    enum { KIB = 1024, MOST = 200, LEAST = 32, STEP = 4 };
    if (!become_ordinary(MOST * KIB))
        return SCENARIO_SKIPPED;
    for (rlim_t kib = MOST; kib >= LEAST; kib -= STEP) {
        const struct rlimit limit = {kib * KIB, kib * KIB};
        EXPECT(setrlimit(RLIMIT_MEMLOCK, &limit) == 0, "no limit");
        int result = start(&(weir_config){.schedulers = 1});
        EXPECT(result == 0, "%llu KiB", (unsigned long long)kib);
    }
    return 0;
}

static int many_schedulers_with_the_usual_memlock(void)
{
    if (!become_ordinary(8 << 20))
        return SCENARIO_SKIPPED;
    EXPECT(start(&(weir_config){.schedulers = 46}) == 0, "46 schedulers");
    EXPECT(start(&(weir_config){.schedulers = 64}) == 0, "64 schedulers");
    return 0;
}

/* One that fits: what the one before it had comes back late. */
static int restarts_at_once(void)
{
    enum { TIMES = 12, ONE_RING_BYTES = 180 << 10 };
    if (!become_ordinary(ONE_RING_BYTES))
        return SCENARIO_SKIPPED;
    for (int i = 0; i < TIMES; i++)
        EXPECT(start(&(weir_config){.schedulers = 1}) == 0, "start %d", i);
    return 0;
}

static int few_completions(void)
{
    static const uint32_t counts[] = {2, 3, 4, 100, 256, 511};
    weir_config config = {.schedulers = 1, .submission_entries = 512, .completion_entries = 256};
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        int result = start(&(weir_config){.schedulers = 1, .completion_entries = counts[i]});
        EXPECT(result == 0, "%u completions", counts[i]);
    }
    EXPECT(start(&config) == -EINVAL, "more submissions than completions");
    EXPECT(strstr(weir_last_error_text(), "submission_entries"), "%s", weir_last_error_text());
    return 0;
}

static void use_the_stack(void *data)
{
    volatile char bytes[256 << 10];
    for (size_t i = 0; i < sizeof(bytes); i += 1024)
        bytes[i] = (char)i;
    atomic_store((atomic_int *)data, 1 + bytes[0]);
}

/* Started anew, since the C library asks for the limit as the program begins. */
static int run_with_small_stack(void)
{
    weir_runtime *runtime;
    atomic_int done = 0;
    EXPECT(weir_start(&runtime, &(weir_config){.schedulers = 1}) == 0, "%s",
           weir_last_error_text());
    EXPECT(weir_run_on(runtime, 0, use_the_stack, &done) == 0, "%s", weir_last_error_text());
    while (!atomic_load(&done))
        usleep(1000);
    return weir_stop(runtime);
}

static int stack_of_16_kib(void)
{
    const struct rlimit limit = {16 << 10, 16 << 10};
    char name[] = "start";
    char *arguments[] = {name, name, NULL};
    char *environment[] = {NULL};
    if (setrlimit(RLIMIT_STACK, &limit) < 0)
        return SCENARIO_SKIPPED;
    execve("/proc/self/exe", arguments, environment);
    return SCENARIO_SKIPPED;
}

/* The first that is free, and none behind it: whoever ran this may have left gaps before others. */
static int no_descriptors(void)
{
    int next = dup(STDOUT_FILENO);
    const struct rlimit limit = {(rlim_t)next + 1, 100};
    close(next);
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
        return SCENARIO_SKIPPED;
    weir_runtime *runtime;
    int result = weir_start(&runtime, NULL);
    EXPECT(result == -EMFILE, "start gave %s", weir_error_name(result));
    return 0;
}

int main(int argument_count, char **arguments)
{
    (void)arguments;
    if (argument_count > 1)
        return run_with_small_stack();
    static const struct scenario scenarios[] = {
        {"io_uring_setup gives EPERM", set_up_not_permitted},
        {"io_uring_setup gives ENOSYS", set_up_unknown},
        {"io_uring_setup gives EACCES", set_up_denied},
        {"io_uring_setup gives ENOMEM", set_up_without_memory},
        {"io_uring_setup gives EMFILE", set_up_without_descriptors},
        {"io_uring_enter gives EPERM", enter_not_permitted},
        {"io_uring_register gives EPERM", register_not_permitted},
        {"no thread can be made", no_threads},
        {"any memlock from 32 KiB on, an ordinary user", any_memlock_from_32_kib_on},
        {"46 and 64 schedulers, an ordinary user", many_schedulers_with_the_usual_memlock},
        {"restarts at once, an ordinary user", restarts_at_once},
        {"few completions", few_completions},
        {"a stack of 16 KiB", stack_of_16_kib},
        {"memlock 0, an ordinary user", memlock_of_nothing},
        {"one descriptor more", no_descriptors},
    };
    return scenarios_run(scenarios, sizeof(scenarios) / sizeof(scenarios[0]));
}
