/* SPDX-License-Identifier: MIT */
/* Threads: a scheduler's that loses a completion, is ended by a callback, or has another one use
 * its ring; and those that the kernel makes for work that would block. */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "runtime/runtime.h"
#include "runtime/scheduler/scheduler.h"
#include "scenario.h"
#include <weir/weir.h>

static atomic_bool loses;

int __real_io_uring_enter2(unsigned int fd, unsigned int count, unsigned int least,
                           unsigned int flags, sigset_t *mask, size_t size);
int __wrap_io_uring_enter2(unsigned int fd, unsigned int count, unsigned int least,
                           unsigned int flags, sigset_t *mask, size_t size);

/* What the kernel says once when it had no memory to keep a completion in. Said before it waits:
 * nobody might wake it to say so afterwards. */
int __wrap_io_uring_enter2(unsigned int fd, unsigned int count, unsigned int least,
                           unsigned int flags, sigset_t *mask, size_t size)
{
    if (atomic_exchange(&loses, false))
        return -EBADR;
    return __real_io_uring_enter2(fd, count, least, flags, mask, size);
}

static weir_runtime *start(void)
{
    weir_runtime *runtime;
    int result = weir_start(&runtime, &(weir_config){.schedulers = 1});
    if (result == -EPERM || result == -ENOSYS)
        exit(SCENARIO_SKIPPED);
    EXPECT(result == 0, "start: %s", weir_last_error_text());
    return runtime;
}

static void nothing(void *unused)
{
    (void)unused;
}

static void end_thread(void *unused)
{
    (void)unused;
    pthread_exit(NULL);
}

/* The process ends by what its scheduler does then. Until it has, this thread is in no call of the
 * C library that could end it before. */
static void run_there(weir_runtime *runtime, void (*work)(void *))
{
    EXPECT(weir_run_on(runtime, 0, work, NULL) == 0, "run_on: %s", weir_last_error_text());
    for (;;)
        pause();
}

static void lose_a_completion(void)
{
    weir_runtime *runtime = start();
    atomic_store(&loses, true);
    run_there(runtime, nothing);
}

static int a_completion_is_lost(void)
{
    return scenario_expect_abort(lose_a_completion, "result == 0 (-53");
}

static void let_a_callback_end_the_thread(void)
{
    run_there(start(), end_thread);
}

static int a_callback_ends_its_thread(void)
{
    return scenario_expect_abort(let_a_callback_end_the_thread, "a callback");
}

static void *turn_elsewhere(void *scheduler)
{
    scheduler_turn(scheduler);
    return NULL;
}

/* A ring takes submissions of the thread that it was opened on, and of no other. */
static void use_the_ring_of_another(void)
{
    weir_runtime *runtime;
    pthread_t thread;
    if (runtime_create(&runtime, &(weir_config){.schedulers = 1}) < 0 ||
        scheduler_open(runtime->schedulers[0]) < 0)
        _exit(SCENARIO_SKIPPED);
    EXPECT(pthread_create(&thread, NULL, turn_elsewhere, runtime->schedulers[0]) == 0, "no thread");
    pthread_join(thread, NULL);
}

static int another_thread_uses_a_ring(void)
{
    return scenario_expect_abort(use_the_ring_of_another, "scheduler_own == scheduler");
}

static bool is_kernel_worker(const char *task)
{
    char path[300];
    char name[32] = "";
    snprintf(path, sizeof(path), "/proc/self/task/%s/comm", task);
    FILE *file = fopen(path, "r");
    if (!file)
        return false;
    bool found = fgets(name, sizeof(name), file) && strncmp(name, "iou-wrk", 7) == 0;
    fclose(file);
    return found;
}

static int kernel_workers(void)
{
    int count = 0;
    DIR *tasks = opendir("/proc/self/task");
    for (struct dirent *task; (task = readdir(tasks));)
        count += is_kernel_worker(task->d_name);
    closedir(tasks);
    return count;
}

enum { PEERS = 40, FILE_SIZE = 20 << 20, ECHO_SIZE = 3000 };

struct service {
    weir_runtime *runtime;
    weir_socket listener;
    int fds[PEERS];
    weir_socket sockets[PEERS];
    atomic_uint count;
};

static void note(weir_socket socket, void *data)
{
    struct service *service = data;
    unsigned index = atomic_load(&service->count);
    if (index < PEERS)
        service->sockets[index] = socket;
    atomic_store(&service->count, index + 1);
}

static void echo(weir_socket socket, const weir_packet *packet, void *data)
{
    (void)data;
    int result = weir_send_packet(socket, packet);
    EXPECT(result == 0 || result == -EAGAIN, "send: %s", weir_error_name(result));
}

static int connect_plainly(const struct service *service)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)weir_port(service->listener))};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT(fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0, "connect: %s",
           strerror(errno));
    return fd;
}

static void pause_briefly(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

static void open_service(struct service *service)
{
    static const weir_handler handler = {.accepted = note, .packet = echo};
    service->runtime = start();
    int result = weir_tcp_serve(service->runtime, "127.0.0.1", 0, WEIR_OPTIONS(WEIR_SNDBUF(4096)),
                                weir_handled_by(&handler, service), &service->listener);
    EXPECT(result == 0, "serve: %s", weir_last_error_text());
    for (int i = 0; i < PEERS; i++)
        service->fds[i] = connect_plainly(service);
    while (atomic_load(&service->count) < PEERS)
        pause_briefly();
}

static void close_service(struct service *service)
{
    weir_stop(service->runtime);
    for (int i = 0; i < PEERS; i++)
        close(service->fds[i]);
}

static void expect_echo(int fd)
{
    char bytes[ECHO_SIZE] = "";
    EXPECT(write(fd, bytes, sizeof(bytes)) == ECHO_SIZE &&
               recv(fd, bytes, sizeof(bytes), MSG_WAITALL) == ECHO_SIZE,
           "no echo: %s", strerror(errno));
}

/* Peers that write and do not read, one that half-closes, connects that are refused. */
static void misbehave(const struct service *service)
{
    static char bytes[200000];
    for (int i = 0; i < PEERS; i++)
        (void)!send(service->fds[i], bytes, sizeof(bytes), MSG_DONTWAIT);
    for (int i = 0; i < PEERS / 2; i++)
        shutdown(service->fds[i], SHUT_WR);
    for (int i = 0; i < PEERS / 4; i++)
        (void)weir_close(service->sockets[i]);
    for (int i = 0; i < 10; i++) {
        weir_socket socket;
        int result = weir_tcp_connect(service->runtime, "127.0.0.1", 1, NULL,
                                      weir_owned_by_nobody(), 1000, &socket);
        EXPECT(result < 0, "somebody listens on port 1");
    }
}

static int sockets_need_no_worker(void)
{
    struct service service = {0};
    open_service(&service);
    for (int i = 0; i < PEERS; i++)
        expect_echo(service.fds[i]);
    misbehave(&service);
    int fd = connect_plainly(&service);
    for (int i = 0; i < 100; i++)
        expect_echo(fd);
    int workers = kernel_workers();
    close(fd);
    close_service(&service);
    EXPECT(workers == 0, "%d threads of the kernel", workers);
    return 0;
}

/* Each file that is stuck has one worker at most, and holds nobody else up. */
static int files_have_one_worker_each(void)
{
    struct service service = {0};
    int file = memfd_create("file", MFD_CLOEXEC);
    EXPECT(file >= 0 && ftruncate(file, FILE_SIZE) == 0, "no file: %s", strerror(errno));
    open_service(&service);
    for (int i = 0; i < PEERS - 1; i++) {
        int result = weir_send_file_async(service.sockets[i], &(weir_file_part){file, 0, FILE_SIZE},
                                          NULL, NULL);
        EXPECT(result == 0, "send_file: %s", weir_last_error_text());
    }
    for (int i = 0; i < 100; i++)
        expect_echo(service.fds[PEERS - 1]);
    int workers = kernel_workers();
    EXPECT(workers <= PEERS, "%d threads of the kernel for %d files", workers, PEERS - 1);
    printf("    %d threads of the kernel for %d files that are stuck\n", workers, PEERS - 1);
    close_service(&service);
    close(file);
    return 0;
}

int main(void)
{
    static const struct scenario scenarios[] = {
        {"a completion is lost", a_completion_is_lost},
        {"a callback ends its thread", a_callback_ends_its_thread},
        {"another thread uses a ring", another_thread_uses_a_ring},
        {"sockets need no thread of the kernel", sockets_need_no_worker},
        {"files have one thread each at most", files_have_one_worker_each},
    };
    return scenarios_run(scenarios, sizeof(scenarios) / sizeof(scenarios[0]));
}
