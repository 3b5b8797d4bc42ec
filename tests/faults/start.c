/* SPDX-License-Identifier: MIT */
/* Starting where io_uring is refused: the code says which way, the text what to do, and nothing is
 * left behind. */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
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

/* Root's rings are not charged, so this is nobody's business. */
static int start_as_nobody(rlim_t memlock_bytes)
{
    const struct rlimit limit = {memlock_bytes, memlock_bytes};
    if (setrlimit(RLIMIT_MEMLOCK, &limit) < 0 || setresuid(65534, 65534, 65534) < 0)
        return SCENARIO_SKIPPED;
    int result = start(&(weir_config){.schedulers = 1});
    EXPECT(result == 0 || result == -ENOMEM, "start gave %s", weir_error_name(result));
    EXPECT(result == 0 || strstr(weir_last_error_text(), "ulimit -l"), "no hint at the limit");
    return 0;
}

static int memlock_of_64_kib(void)
{
    return start_as_nobody(65536);
}

static int memlock_of_nothing(void)
{
    return start_as_nobody(0);
}

static int no_descriptors(void)
{
    const struct rlimit limit = {(rlim_t)scenario_descriptors() + 1, 100};
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
        return SCENARIO_SKIPPED;
    weir_runtime *runtime;
    int result = weir_start(&runtime, NULL);
    EXPECT(result == -EMFILE, "start gave %s", weir_error_name(result));
    return 0;
}

int main(void)
{
    static const struct scenario scenarios[] = {
        {"io_uring_setup gives EPERM", set_up_not_permitted},
        {"io_uring_setup gives ENOSYS", set_up_unknown},
        {"io_uring_setup gives EACCES", set_up_denied},
        {"io_uring_setup gives ENOMEM", set_up_without_memory},
        {"io_uring_setup gives EMFILE", set_up_without_descriptors},
        {"io_uring_enter gives EPERM", enter_not_permitted},
        {"io_uring_register gives EPERM", register_not_permitted},
        {"no thread can be made", no_threads},
        {"memlock 64 KiB, an ordinary user", memlock_of_64_kib},
        {"memlock 0, an ordinary user", memlock_of_nothing},
        {"one descriptor more", no_descriptors},
    };
    return scenarios_run(scenarios, sizeof(scenarios) / sizeof(scenarios[0]));
}
