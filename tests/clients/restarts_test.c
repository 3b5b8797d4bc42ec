/* SPDX-License-Identifier: MIT */
/*
 * A server that is replaced again and again, `weir serve --takeover`, under clients that connect
 * and ask all the time: no connection is refused, no request is lost. The successors have one, two
 * or three schedulers, so sockets are shared, and schedulers have several. Arguments: the command,
 * how often.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CLIENTS = 4, REQUESTS_MOST = 20, WAIT_SECONDS = 60, TEXT = 128 };

extern char **environ;

static char folder[] = "/tmp/weir_restarts_XXXXXX";
static char local_place[TEXT];
static char control[TEXT];
static int port;
static atomic_bool over;
static atomic_ulong connections;
static atomic_ulong requests;
static atomic_ulong refused;
static atomic_ulong lost;

struct server {
    pid_t pid;
    FILE *output;
};

static void fail(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    exit(1);
}

static struct server spawn(const char *weir, const char *place, int schedulers)
{
    char count[16];
    int output[2];
    posix_spawn_file_actions_t actions;
    snprintf(count, sizeof(count), "%d", schedulers);
    const char *const arguments[] = {
        weir,       "serve",     "echo",       "--listen",  place,
        "--listen", local_place, "--takeover", control,     "--schedulers",
        count,      "--drain",   "50000",      "--options", "[{packet,raw},{reuseaddr,true}]",
        NULL};
    if (pipe(output) < 0 || posix_spawn_file_actions_init(&actions) != 0)
        fail("pipe");
    posix_spawn_file_actions_adddup2(&actions, output[1], STDOUT_FILENO);
    posix_spawn_file_actions_addclose(&actions, output[0]);
    struct server server = {.output = fdopen(output[0], "r")};
    errno = posix_spawn(&server.pid, weir, &actions, NULL, (char *const *)arguments, environ);
    if (errno != 0)
        fail(weir);
    posix_spawn_file_actions_destroy(&actions);
    close(output[1]);
    return server;
}

/* "listening on 127.0.0.1:PORT", and one line more. */
static void wait_until_it_serves(const struct server *server)
{
    char line[2][256];
    for (int i = 0; i < 2; i++)
        if (!fgets(line[i], sizeof(line[i]), server->output)) {
            fprintf(stderr, "a server says nothing\n");
            exit(1);
        }
    int said = (int)strtol(strrchr(line[0], ':') + 1, NULL, 10);
    if (port != 0 && said != port)
        fprintf(stderr, "the port is %d, not %d any more\n", said, port);
    port = said;
}

static void wait_until_it_ends(struct server *server)
{
    char line[256];
    int status;
    while (fgets(line, sizeof(line), server->output))
        continue;
    fclose(server->output);
    if (waitpid(server->pid, &status, 0) < 0 || status != 0) {
        fprintf(stderr, "a server ended with status %x\n", (unsigned)status);
        exit(1);
    }
}

/* Each from an address of its own, so that the ports last. */
static int open_tcp(unsigned number)
{
    struct sockaddr_in own = {.sin_family = AF_INET,
                              .sin_addr.s_addr = htonl(0x7F020000u + number % 60000)};
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
    if (bind(fd, (struct sockaddr *)&own, sizeof(own)) < 0)
        fail("bind");
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
        return fd;
    close(fd);
    return -1;
}

static int open_local(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    memcpy(address.sun_path, local_place + 5, strlen(local_place + 5));
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
        return fd;
    close(fd);
    return -1;
}

static bool ask(int fd, uint64_t number)
{
    uint64_t answer = 0;
    return send(fd, &number, sizeof(number), MSG_NOSIGNAL) == sizeof(number) &&
           recv(fd, &answer, sizeof(answer), MSG_WAITALL) == sizeof(answer) && answer == number;
}

static void *be_client(void *argument)
{
    const struct timeval wait = {WAIT_SECONDS, 0};
    unsigned client = (unsigned)(uintptr_t)argument;
    for (unsigned number = 0; !over; number++) {
        int fd = client % 2 == 0 ? open_tcp(number * CLIENTS + client) : open_local();
        if (fd < 0) {
            fprintf(stderr, "client %u is refused: %s\n", client, strerror(errno));
            refused++;
            continue;
        }
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
        connections++;
        for (unsigned i = 0; i < 1 + number % REQUESTS_MOST; i++) {
            bool answered = ask(fd, (uint64_t)client << 32 | number);
            requests++;
            if (answered)
                continue;
            lost++;
            fprintf(stderr, "client %u, request %u: %s\n", client, i, strerror(errno));
            break;
        }
        close(fd);
    }
    return NULL;
}

static void stop_clients(pthread_t *threads)
{
    over = true;
    for (int i = 0; i < CLIENTS; i++)
        pthread_join(threads[i], NULL);
}

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    pthread_t threads[CLIENTS];
    int restarts = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 5;
    if (argc < 2 || !mkdtemp(folder))
        fail("arguments");
    snprintf(local_place, sizeof(local_place), "unix:%s/echo", folder);
    snprintf(control, sizeof(control), "%s/control", folder);
    double began_s = now_s();
    struct server server = spawn(argv[1], "127.0.0.1:0", 2);
    wait_until_it_serves(&server);
    for (uintptr_t i = 0; i < CLIENTS; i++)
        if (pthread_create(&threads[i], NULL, be_client, (void *)i) != 0)
            fail("pthread_create");
    for (int i = 0; i < restarts; i++) {
        struct server next = spawn(argv[1], "127.0.0.1:0", 1 + i % 3);
        wait_until_it_serves(&next);
        wait_until_it_ends(&server);
        server = next;
    }
    stop_clients(threads);
    kill(server.pid, SIGTERM);
    wait_until_it_ends(&server);
    printf("%d restarts in %.1f s: %lu connections, %lu requests, %lu refused, %lu lost\n",
           restarts, now_s() - began_s, connections, requests, refused, lost);
    bool clean = rmdir(folder) == 0;
    if (!clean)
        fprintf(stderr, "files are left in %s\n", folder);
    return refused > 0 || lost > 0 || requests == 0 || !clean;
}
