/* SPDX-License-Identifier: MIT */
/* weir doctor on machines that lack something: each is made out of this one in a child. */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SKIPPED = 77, TEXT_SIZE = 8192, NOBODY = 65534 };

static const char *command;

static void must(int result, const char *what)
{
    if (result == 0)
        return;
    perror(what);
    _exit(EXIT_FAILURE);
}

/* From now on the system call fails with this errno, as behind a container's filter. */
static void refuse(unsigned number, unsigned error)
{
    struct sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof(rules) / sizeof(rules[0]), rules};
    must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "PR_SET_NO_NEW_PRIVS");
    must(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), "PR_SET_SECCOMP");
}

static void limit(int resource, rlim_t value)
{
    struct rlimit limit = {value, value};
    must(setrlimit(resource, &limit), "setrlimit");
}

static void as_it_is(void)
{
}

static void setup_not_permitted(void)
{
    refuse(__NR_io_uring_setup, EPERM);
}

static void setup_hidden(void)
{
    refuse(__NR_io_uring_setup, ENOSYS);
}

static void enter_not_permitted(void)
{
    refuse(__NR_io_uring_enter, EPERM);
}

static void no_socket_options(void)
{
    refuse(__NR_setsockopt, EPERM);
}

static void no_descriptors(void)
{
    limit(RLIMIT_NOFILE, 4); /* the dynamic linker needs one */
}

static void little_locked_memory(void)
{
    limit(RLIMIT_MEMLOCK, 65536);
    if (geteuid() == 0)
        must(setuid(NOBODY), "setuid");
}

static void no_features(void)
{
    must(setenv("WEIR_FEATURES_OFF", "kernel=5.17", 1), "setenv");
}

static void wrong_features(void)
{
    must(setenv("WEIR_FEATURES_OFF", "warp_drive", 1), "setenv");
}

static int read_all(int fd, char text[TEXT_SIZE])
{
    size_t size = 0;
    ssize_t count;
    while ((count = read(fd, text + size, TEXT_SIZE - 1 - size)) > 0)
        size += (size_t)count;
    text[size] = '\0';
    return count < 0 ? -errno : 0;
}

/* The doctor's exit status on a machine so prepared, and all that it says. */
static int consult(void (*prepare)(void), char text[TEXT_SIZE])
{
    int ends[2];
    int status;
    must(pipe(ends), "pipe");
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDOUT_FILENO);
        dup2(ends[1], STDERR_FILENO);
        close_range(STDERR_FILENO + 1, ~0u, 0); /* also what was open before this test */
        /* Opened now: an ordinary user may not be let into the folder that it is in. */
        int program = open(command, O_RDONLY | O_CLOEXEC);
        must(program < 0 ? -1 : 0, command);
        prepare();
        static char weir[] = "weir";
        static char doctor[] = "doctor";
        fexecve(program, (char *[]){weir, doctor, NULL}, environ);
        must(-1, command);
    }
    close(ends[1]);
    must(read_all(ends[0], text), "read");
    close(ends[0]);
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

struct machine {
    const char *name;
    void (*prepare)(void);
    int status; /* -1: either */
    const char *says[4];
};

static const struct machine machines[] = {
    {"as it is",
     as_it_is,
     0,
     {"io_uring       works, with", "  gso                works\n  gro                works\n",
      "  pktinfo            works\n", "This machine can run weir."}},
    {"setup not permitted",
     setup_not_permitted,
     1,
     {"io_uring       eperm: ", "a seccomp filter is at work", "schedulers     ",
      "This machine cannot run weir."}},
    {"setup hidden",
     setup_hidden,
     1,
     {"io_uring       enosys: ", "a seccomp filter is at work", "This machine cannot run weir."}},
    {"enter not permitted",
     enter_not_permitted,
     1,
     {"io_uring       eperm: ", "a seccomp filter is at work", "This machine cannot run weir."}},
    {"no socket options",
     no_socket_options,
     0,
     {"udp            does not work: ", "This machine can run weir."}},
    {"no descriptors",
     no_descriptors,
     1,
     {"which do not start: emfile: ", "ulimit -n",
      "open files     at most 4, so about 0 connections", "This machine cannot run weir."}},
    {"little locked memory", little_locked_memory, -1, {"locked memory  at most 64 KiB"}},
    {"old features only",
     no_features,
     0,
     {"multishot_receive  is switched off (Linux 6.0): one receive operation per receive",
      "This machine can run weir."}},
    {"a feature that is none",
     wrong_features,
     1,
     {"WEIR_FEATURES_OFF: no feature is named \"warp_drive\""}},
};

static int examine(const struct machine *machine)
{
    char text[TEXT_SIZE];
    int failures = 0;
    int status = consult(machine->prepare, text);
    if (machine->status >= 0 && status != machine->status)
        failures++;
    for (size_t i = 0; i < 4 && machine->says[i]; i++)
        failures += !strstr(text, machine->says[i]);
    if (failures)
        printf("%s: status %d, said:\n%s\n", machine->name, status, text);
    return failures;
}

int main(int argc, char **argv)
{
    char text[TEXT_SIZE];
    if (argc != 2)
        return EXIT_FAILURE;
    command = argv[1];
    if (consult(as_it_is, text) == 1) {
        printf("no machine to try this on:\n%s", text);
        return SKIPPED;
    }
    int failures = 0;
    for (size_t i = 0; i < sizeof(machines) / sizeof(machines[0]); i++)
        failures += examine(&machines[i]);
    return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
