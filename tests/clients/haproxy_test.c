/* SPDX-License-Identifier: MIT */
/*
 * HAProxy before services with {proxy_protocol,true}: each connection is told whose it is, by
 * headers of version 1, of version 2, and of version 2 with a checksum and a name; what HAProxy
 * looks at by itself is its own. The last of them is no service, but a listener whose connections
 * accept takes. Skipped where there is no HAProxy.
 */
#include <arpa/inet.h>
#include <semaphore.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <weir/weir.h>

enum {
    WAYS = 5,
    CHECKED = 3,
    ACCEPTED = 4,
    TIMES = 20,
    WAIT_SECONDS = 60,
    TEXT = 160,
    SKIPPED = 77
};

/* From CHECKED on HAProxy itself asks too. */
static const char *const ways[WAYS] = {
    "send-proxy",
    "send-proxy-v2",
    "send-proxy-v2 proxy-v2-options crc32c,unique-id",
    "send-proxy-v2 check inter 100",
    "send-proxy-v2 check inter 100",
};

static sem_t own[WAYS]; /* a connection of HAProxy's own has come */
static int ports[WAYS];
static char config[] = "/tmp/weir_haproxy_XXXXXX";
static int fronts[WAYS];

static void fail(const char *what)
{
    perror(what);
    unlink(config);
    exit(EXIT_FAILURE);
}

static void who_is_it(weir_socket socket, char text[TEXT])
{
    weir_address peer;
    weir_address self;
    char peer_text[WEIR_ADDRESS_TEXT_SIZE];
    char self_text[WEIR_ADDRESS_TEXT_SIZE];
    if (weir_peername(socket, &peer) < 0 || weir_sockname(socket, &self) < 0)
        fail("a connection has no name");
    snprintf(text, TEXT, "%s %s", weir_address_format_endpoint(&peer, peer_text),
             weir_address_format_endpoint(&self, self_text));
}

static void on_accepted(weir_socket socket, void *port)
{
    if (weir_port(socket) == *(int *)port)
        sem_post(&own[(int *)port - ports]);
}

static void on_packet(weir_socket socket, const weir_packet *packet, void *port)
{
    char text[TEXT];
    (void)packet;
    (void)port;
    who_is_it(socket, text);
    if (weir_send(socket, text, strlen(text)) < 0)
        fail("send");
    weir_close(socket);
}

static const weir_handler handler = {.accepted = on_accepted, .packet = on_packet};

static weir_socket listener;

static void accept_next(weir_socket socket, int result, void *port)
{
    if (result == WEIR_CLOSED)
        return;
    if (result < 0)
        fail(weir_error_text(result));
    if (port)
        on_accepted(socket, port);
    if (weir_tcp_accept_async(listener, weir_handled_by(&handler, &ports[ACCEPTED]), WEIR_INFINITY,
                              accept_next, &ports[ACCEPTED]) < 0)
        fail(weir_last_error_text());
}

static void listen_there(weir_runtime *runtime)
{
    if (weir_tcp_listen(runtime, "127.0.0.1", 0, WEIR_OPTIONS(WEIR_PROXY_PROTOCOL(true)),
                        &listener) < 0)
        fail(weir_last_error_text());
    ports[ACCEPTED] = weir_port(listener);
    accept_next(listener, 0, NULL);
}

static int serve(weir_runtime *runtime, int way)
{
    weir_socket socket;
    int *port = &ports[way];
    if (way == ACCEPTED) {
        listen_there(runtime);
        return *port;
    }
    if (weir_tcp_serve(runtime, "127.0.0.1", 0, WEIR_OPTIONS(WEIR_PROXY_PROTOCOL(true)),
                       weir_handled_by(&handler, port), &socket) < 0)
        fail(weir_last_error_text());
    *port = weir_port(socket);
    if (weir_set_data(socket, port) < 0)
        fail("set_data");
    return *port;
}

static struct sockaddr_in name_of(int fd)
{
    struct sockaddr_in address;
    socklen_t size = sizeof(address);
    if (getsockname(fd, (struct sockaddr *)&address, &size) < 0)
        fail("getsockname");
    return address;
}

/* HAProxy inherits it. */
static int listening_socket(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 64) < 0)
        fail("listen");
    return fd;
}

static void write_config(weir_runtime *runtime)
{
    FILE *file = fdopen(mkstemp(config), "w");
    if (!file)
        fail(config);
    fprintf(file,
            "defaults\n mode tcp\n timeout connect %ds\n timeout client %ds\n"
            " timeout server %ds\n",
            WAIT_SECONDS, WAIT_SECONDS, WAIT_SECONDS);
    for (int i = 0; i < WAYS; i++) {
        fronts[i] = listening_socket();
        fprintf(file,
                "listen way%d\n bind fd@%d\n unique-id-format %%pid-%%ci\n"
                " server weir 127.0.0.1:%d %s\n",
                i, fronts[i], serve(runtime, i), ways[i]);
    }
    fclose(file);
}

/* Its warnings are of no interest. */
static pid_t start_haproxy(void)
{
    pid_t pid = fork();
    if (pid < 0)
        fail("fork");
    if (pid > 0)
        return pid;
    execlp("haproxy", "haproxy", "-q", "-db", "-f", config, (char *)NULL);
    _exit(EXIT_FAILURE);
}

static int connect_to(int front)
{
    struct timeval most = {.tv_sec = WAIT_SECONDS};
    struct sockaddr_in address = name_of(front);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof(most));
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        fail("connect");
    return fd;
}

/* Whoever asks is told his own port, and that of the front. */
static bool ask(int way, int time)
{
    char expected[TEXT];
    char told[TEXT] = "";
    int fd = connect_to(fronts[way]);
    snprintf(expected, sizeof(expected), "127.0.0.1:%d 127.0.0.1:%d", ntohs(name_of(fd).sin_port),
             ntohs(name_of(fronts[way]).sin_port));
    if (send(fd, "?", 1, MSG_NOSIGNAL) != 1)
        fail("send");
    for (size_t size = 0; size < sizeof(told) - 1;) {
        ssize_t got = recv(fd, told + size, sizeof(told) - 1 - size, 0);
        if (got <= 0)
            break;
        size += (size_t)got;
    }
    close(fd);
    if (strcmp(told, expected) != 0)
        fprintf(stderr, "%s, %d: '%s', not '%s'\n", ways[way], time, told, expected);
    return strcmp(told, expected) == 0;
}

static bool ask_all(void)
{
    bool good = true;
    for (int way = 0; way < WAYS && good; way++)
        for (int time = 0; time < TIMES && good; time++)
            good = ask(way, time);
    return good;
}

static bool one_is_its_own(int way)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += WAIT_SECONDS;
    return sem_timedwait(&own[way], &until) == 0;
}

static bool has_haproxy(void)
{
    return system("haproxy -v >/dev/null 2>&1") == 0;
}

int main(void)
{
    weir_runtime *runtime;
    if (!has_haproxy())
        return SKIPPED;
    if (weir_start(&runtime, &(weir_config){.schedulers = 2}) < 0)
        fail(weir_last_error_text());
    for (int i = 0; i < WAYS; i++)
        sem_init(&own[i], 0, 0);
    write_config(runtime);
    pid_t haproxy = start_haproxy();
    bool good = ask_all() && one_is_its_own(CHECKED) && one_is_its_own(ACCEPTED);
    kill(haproxy, SIGTERM);
    waitpid(haproxy, NULL, 0);
    unlink(config);
    weir_stop(runtime);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
