/* SPDX-License-Identifier: MIT */
/* A process that overflows its stack ends the program by SIGSEGV, and stderr says which it was. A
 * fault of another kind is nobody's but the program's. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <weir/weir.h>

static __attribute__((noinline)) int go_deeper(int depth)
{
    volatile char room[1000];
    room[0] = (char)depth;
    return depth == 1000000 ? 0 : go_deeper(depth + 1) + room[0];
}

static int overflow(void *data)
{
    (void)data;
    return go_deeper(0);
}

static int touch_nothing(void *data)
{
    return *(volatile int *)data;
}

/* As `kill -SEGV` does. */
static int send_the_signal(void *data)
{
    (void)data;
    raise(SIGSEGV);
    _exit(0);
}

static void run(weir_process_function *function)
{
    const weir_process_options options = {.name = "the deep one"};
    weir_runtime *runtime;
    if (weir_start(&runtime, &(weir_config){.schedulers = 1}) < 0 ||
        weir_spawn(runtime, 0, function, (void *)16, &options, NULL) < 0)
        _exit(3);
    for (;;)
        pause();
}

/* What a child has said that ended in a fault. */
static void run_in_child(weir_process_function *function, char *text, size_t size)
{
    int ends[2];
    int status;
    if (pipe(ends) < 0)
        exit(2);
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        run(function);
    }
    close(ends[1]);
    size_t got = 0;
    ssize_t more;
    while (got + 1 < size && (more = read(ends[0], text + got, size - 1 - got)) > 0)
        got += (size_t)more;
    text[got] = '\0';
    close(ends[0]); /* a sanitizer has more to say than there is room for */
    waitpid(child, &status, 0);
    int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    if (signal != SIGSEGV && signal != SIGPIPE && !strstr(text, "Sanitizer")) {
        printf("it ended with status %#x, and said: %s\n", (unsigned)status, text);
        exit(1);
    }
}

int main(void)
{
    static char text[100000];
    run_in_child(overflow, text, sizeof(text));
    if (!strstr(text, "the process the deep one (0x") ||
        !strstr(text, ") has overflowed its stack of 65536 bytes")) {
        printf("it said: %s\n", text);
        return 1;
    }
    run_in_child(touch_nothing, text, sizeof(text));
    if (strstr(text, "has overflowed")) {
        printf("of another fault it said: %s\n", text);
        return 1;
    }
    run_in_child(send_the_signal, text, sizeof(text));
    return 0;
}
