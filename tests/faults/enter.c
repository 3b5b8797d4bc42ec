/* SPDX-License-Identifier: MIT */
/*
 * The real ring over a system call that is interrupted, refused and cut short: an echo goes on as
 * if nothing were.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "scenario.h"
#include <weir/weir.h>

enum { ROUNDS = 3000, SIZE = 2000, CONNECTIONS = 4 };

static atomic_bool faulty;
static atomic_uint refused_count;
static atomic_uint cut_count;

int __real_io_uring_enter2(unsigned int fd, unsigned int count, unsigned int least,
                           unsigned int flags, sigset_t *mask, size_t size);
int __wrap_io_uring_enter2(unsigned int fd, unsigned int count, unsigned int least,
                           unsigned int flags, sigset_t *mask, size_t size);

/* Only the scheduler's thread comes here. */
int __wrap_io_uring_enter2(unsigned int fd, unsigned int count, unsigned int least,
                           unsigned int flags, sigset_t *mask, size_t size)
{
    static const int errors[] = {-EINTR, -EAGAIN, -EBUSY};
    static uint32_t state = 1;
    state = state * 1664525u + 1013904223u;
    uint32_t choice = state >> 28;
    if (!atomic_load(&faulty) || choice > 4)
        return __real_io_uring_enter2(fd, count, least, flags, mask, size);
    if (choice < 3) {
        atomic_fetch_add(&refused_count, 1);
        return errors[choice];
    }
    if (count < 2)
        return __real_io_uring_enter2(fd, count, least, flags, mask, size);
    atomic_fetch_add(&cut_count, 1);
    return __real_io_uring_enter2(fd, count / 2, 0, flags, mask, size);
}

static void echo(weir_socket socket, const weir_packet *packet, void *data)
{
    (void)data;
    EXPECT(weir_send_packet(socket, packet) == 0, "a send failed");
}

static void talk(uint16_t port)
{
    static char out[SIZE];
    static char in[SIZE];
    int fds[CONNECTIONS];
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (int i = 0; i < CONNECTIONS; i++) {
        fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        EXPECT(connect(fds[i], (struct sockaddr *)&address, sizeof(address)) == 0, "connect: %s",
               strerror(errno));
    }
    for (int round = 0; round < ROUNDS; round++) {
        memset(out, round, sizeof(out));
        for (int i = 0; i < CONNECTIONS; i++)
            EXPECT(write(fds[i], out, sizeof(out)) == SIZE, "write: %s", strerror(errno));
        for (int i = 0; i < CONNECTIONS; i++)
            EXPECT(recv(fds[i], in, sizeof(in), MSG_WAITALL) == SIZE &&
                       memcmp(in, out, sizeof(in)) == 0,
                   "round %d is another", round);
    }
    for (int i = 0; i < CONNECTIONS; i++)
        close(fds[i]);
}

int main(void)
{
    static const weir_handler handler = {.packet = echo};
    weir_runtime *runtime;
    weir_socket listener;
    int result = weir_start(&runtime, &(weir_config){.schedulers = 1, .submission_entries = 4});
    if (result == -EPERM || result == -ENOSYS)
        return SCENARIO_SKIPPED;
    EXPECT(result == 0, "start: %s", weir_last_error_text());
    atomic_store(&faulty, true);
    result =
        weir_tcp_serve(runtime, "127.0.0.1", 0, NULL, weir_handled_by(&handler, NULL), &listener);
    EXPECT(result == 0, "serve: %s", weir_last_error_text());
    talk((uint16_t)weir_port(listener));
    weir_stop(runtime);
    printf("%u calls were refused, %u cut short\n", atomic_load(&refused_count),
           atomic_load(&cut_count));
    EXPECT(atomic_load(&refused_count) > 100, "nothing was refused");
    return 0;
}
