/* SPDX-License-Identifier: MIT */
#include "support/dns_server.h"

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "support/dns_message.h"

enum { LOG_SIZE = 65536, LATER_MAX = 16, TCP_MAX = 16, RECEIVE_BUFFER = 1 << 22 };
enum { LATE_MS = 100, NEVER_MS = 1000000 };

struct entry {
    char name[256];
    bool tcp;
    uint64_t at_ms;
};

/* An answer that is sent later. */
struct later {
    bool used;
    uint64_t due_ms;
    struct sockaddr_in to;
    struct dns_message message;
};

struct dns_server {
    int udp;
    int tcp;
    int other; /* another port, to answer from */
    int stop[2];
    int connections[TCP_MAX];
    uint16_t port;
    atomic_bool silent;
    atomic_int connected;
    pthread_t thread;
    pthread_mutex_t lock;
    struct entry *log;
    size_t log_size;
    struct later later[LATER_MAX];
};

/* A question and what is being made of it. */
struct request {
    struct dns_server *server;
    struct dns_question question;
    bool tcp;
    struct sockaddr_in from; /* UDP */
    struct dns_message *answer;
    bool is_answered; /* with `answer` */
};

static void must(bool ok, const char *what)
{
    if (ok)
        return;
    perror(what);
    abort();
}

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void begin(struct request *request, unsigned code)
{
    dns_answer_begin(request->answer, request->question.id, request->question.name,
                     request->question.type, code);
    request->is_answered = true;
}

static void add_record(struct request *request, const char *owner, uint32_t ttl_s)
{
    switch (request->question.type) {
    case ns_t_a:
        dns_answer_add_a(request->answer, owner, ttl_s, "192.0.2.1");
        break;
    case ns_t_aaaa:
        dns_answer_add_aaaa(request->answer, owner, ttl_s, "2001:db8::1");
        break;
    case ns_t_ptr:
        dns_answer_add_name(request->answer, owner, ns_t_ptr, ttl_s, "pointed.test");
        break;
    default:
        break;
    }
}

static void know(struct request *request)
{
    begin(request, 0);
    add_record(request, request->question.name, 60);
}

static void know_for_a_second(struct request *request)
{
    begin(request, 0);
    add_record(request, request->question.name, 1);
}

static void know_several(struct request *request)
{
    begin(request, 0);
    if (request->question.type != ns_t_a)
        return;
    dns_answer_add_a(request->answer, request->question.name, 60, "192.0.2.1");
    dns_answer_add_a(request->answer, request->question.name, 60, "192.0.2.2");
    dns_answer_add_a(request->answer, request->question.name, 60, "127.0.0.1");
}

static void know_loopback(struct request *request)
{
    begin(request, 0);
    if (request->question.type == ns_t_a)
        dns_answer_add_a(request->answer, request->question.name, 60, "127.0.0.1");
    if (request->question.type == ns_t_aaaa)
        dns_answer_add_aaaa(request->answer, request->question.name, 60, "::1");
}

static void keep_silent(struct request *request)
{
    (void)request;
}

static void have_nothing(struct request *request)
{
    begin(request, 0);
}

static void know_no_such_name(struct request *request)
{
    begin(request, 3);
}

static void fail(struct request *request)
{
    begin(request, 2);
}

static void refuse(struct request *request)
{
    begin(request, 5);
}

static void call_malformed(struct request *request)
{
    begin(request, 1);
}

static void not_implement(struct request *request)
{
    begin(request, 4);
}

static void fail_edns(struct request *request)
{
    if (request->question.edns)
        begin(request, 1);
    else
        know(request);
}

static void truncate_udp(struct request *request)
{
    know(request);
    if (request->tcp)
        return;
    begin(request, 0);
    dns_answer_truncated(request->answer);
}

static void answer_hugely(struct request *request)
{
    begin(request, 0);
    if (!request->tcp)
        dns_answer_truncated(request->answer);
    while (request->tcp && request->answer->size + 64 < DNS_MESSAGE_SIZE_MAX)
        add_record(request, request->question.name, 60);
}

/* TCP is what `truncate_udp` leads to; there nothing comes, and the connection is closed. */
static void lead_nowhere(struct request *request)
{
    begin(request, 0);
    dns_answer_truncated(request->answer);
    request->is_answered = !request->tcp;
}

static void chain(struct request *request)
{
    begin(request, 0);
    dns_answer_add_name(request->answer, request->question.name, ns_t_cname, 60, "second.test");
    dns_answer_add_name(request->answer, "second.test", ns_t_cname, 60, "third.test");
    add_record(request, "third.test", 60);
}

static void loop(struct request *request)
{
    begin(request, 0);
    dns_answer_add_name(request->answer, request->question.name, ns_t_cname, 60, "round.test");
    dns_answer_add_name(request->answer, "round.test", ns_t_cname, 60, request->question.name);
}

static void answer_for_another(struct request *request)
{
    begin(request, 0);
    add_record(request, "another.test", 60);
}

static void talk_nonsense(struct request *request)
{
    know(request);
    request->answer->size -= 3;
}

static void send_udp(const struct request *request, int from)
{
    sendto(from, request->answer->bytes, request->answer->size, MSG_NOSIGNAL,
           (const struct sockaddr *)&request->from, sizeof(request->from));
}

/* First a lie, and then, as nobody is to believe it, the truth. */
static void lie_about_id(struct request *request)
{
    begin(request, 3);
    request->answer->bytes[0] ^= 0x55;
    send_udp(request, request->server->udp);
    know(request);
}

static void lie_from_elsewhere(struct request *request)
{
    begin(request, 3);
    send_udp(request, request->server->other);
    know(request);
}

static void lie_about_question(struct request *request)
{
    dns_answer_begin(request->answer, request->question.id, "lie.test", request->question.type, 3);
    send_udp(request, request->server->udp);
    know(request);
}

static void send_rubbish_first(struct request *request)
{
    request->answer->size = 40;
    for (size_t i = 0; i < request->answer->size; i++)
        request->answer->bytes[i] = (uint8_t)(i * 37);
    send_udp(request, request->server->udp);
    know(request);
}

static void put_off(struct request *request, uint64_t delay_ms)
{
    struct later *later = request->server->later;
    know(request);
    request->is_answered = false;
    for (size_t i = 0; i < LATER_MAX; i++, later++)
        if (!later->used) {
            *later = (struct later){true, now_ms() + delay_ms, request->from, *request->answer};
            return;
        }
}

static void answer_late(struct request *request)
{
    put_off(request, LATE_MS);
}

/* Each when the next one has come. */
static void answer_the_one_before(struct request *request)
{
    for (size_t i = 0; i < LATER_MAX; i++)
        request->server->later[i].due_ms = 0;
    put_off(request, NEVER_MS);
}

static const struct {
    const char *label;
    void (*answer)(struct request *request);
} rows[] = {
    {"silent", keep_silent},
    {"late", answer_late},
    {"before", answer_the_one_before},
    {"nothing", have_nothing},
    {"nx", know_no_such_name},
    {"servfail", fail},
    {"refused", refuse},
    {"formerr", call_malformed},
    {"notimp", not_implement},
    {"noedns", fail_edns},
    {"truncated", truncate_udp},
    {"huge", answer_hugely},
    {"nowhere", lead_nowhere},
    {"chain", chain},
    {"loop", loop},
    {"another", answer_for_another},
    {"nonsense", talk_nonsense},
    {"wrongid", lie_about_id},
    {"wrongport", lie_from_elsewhere},
    {"wrongname", lie_about_question},
    {"rubbish", send_rubbish_first},
    {"second", know_for_a_second},
    {"several", know_several},
    {"loopback", know_loopback},
    {"known", know},
};

enum { ROW_COUNT = sizeof(rows) / sizeof(rows[0]) };

/* The first label without the digits behind it. Names of addresses are known. */
static void dispatch(struct request *request)
{
    const char *name = request->question.name;
    size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
    if (strstr(name, ".arpa")) {
        know(request);
        return;
    }
    for (size_t i = 0; i < ROW_COUNT; i++)
        if (strlen(rows[i].label) == length && strncasecmp(rows[i].label, name, length) == 0) {
            rows[i].answer(request);
            return;
        }
    know_no_such_name(request);
}

static void note(struct dns_server *server, const struct request *request)
{
    pthread_mutex_lock(&server->lock);
    if (server->log_size < LOG_SIZE) {
        struct entry *entry = &server->log[server->log_size++];
        snprintf(entry->name, sizeof(entry->name), "%.255s", request->question.name);
        entry->tcp = request->tcp;
        struct timeval at; /* when it came, however late the server is */
        bool stamped = !request->tcp && ioctl(server->udp, SIOCGSTAMP, &at) == 0;
        entry->at_ms = stamped ? (uint64_t)(at.tv_sec * 1000 + at.tv_usec / 1000) : now_ms();
    }
    pthread_mutex_unlock(&server->lock);
}

static void take_datagram(struct dns_server *server, struct request *request)
{
    uint8_t bytes[2048];
    socklen_t size = sizeof(request->from);
    ssize_t count = recvfrom(server->udp, bytes, sizeof(bytes), MSG_DONTWAIT,
                             (struct sockaddr *)&request->from, &size);
    if (count < 0 || !dns_question_read(&request->question, bytes, (size_t)count))
        return;
    request->tcp = false;
    request->is_answered = false;
    note(server, request);
    if (!atomic_load(&server->silent))
        dispatch(request);
    if (request->is_answered)
        send_udp(request, server->udp);
}

/* In two pieces, so that who reads must put them together. */
static bool write_answer(int fd, const struct dns_message *answer)
{
    uint8_t head[2] = {(uint8_t)(answer->size >> 8), (uint8_t)answer->size};
    return dns_write_all(fd, head, 1) && dns_write_all(fd, head + 1, 1) &&
           dns_write_all(fd, answer->bytes, answer->size / 2) &&
           dns_write_all(fd, answer->bytes + answer->size / 2, answer->size - answer->size / 2);
}

/* One question of a connection. False: it is to be closed. */
static bool serve_connection(struct dns_server *server, struct request *request, int fd)
{
    uint8_t head[2];
    uint8_t bytes[2048];
    if (!dns_read_all(fd, head, 2))
        return false;
    size_t size = (size_t)(head[0] << 8 | head[1]);
    if (size > sizeof(bytes) || !dns_read_all(fd, bytes, size) ||
        !dns_question_read(&request->question, bytes, size))
        return false;
    request->tcp = true;
    request->is_answered = false;
    note(server, request);
    if (!atomic_load(&server->silent))
        dispatch(request);
    return request->is_answered && write_answer(fd, request->answer);
}

static void take_connection(struct dns_server *server)
{
    int fd = accept(server->tcp, NULL, NULL);
    for (size_t i = 0; fd >= 0 && i < TCP_MAX; i++)
        if (server->connections[i] < 0) {
            server->connections[i] = fd;
            atomic_fetch_add(&server->connected, 1);
            return;
        }
    if (fd >= 0)
        close(fd);
}

static int send_what_is_due(struct dns_server *server)
{
    int wait_ms = 1000;
    for (size_t i = 0; i < LATER_MAX; i++) {
        struct later *later = &server->later[i];
        uint64_t now = now_ms();
        if (!later->used)
            continue;
        if (later->due_ms > now) {
            int rest = (int)(later->due_ms - now);
            wait_ms = rest < wait_ms ? rest : wait_ms;
            continue;
        }
        sendto(server->udp, later->message.bytes, later->message.size, MSG_NOSIGNAL,
               (struct sockaddr *)&later->to, sizeof(later->to));
        later->used = false;
    }
    return wait_ms;
}

static void serve_all(struct dns_server *server, struct request *request, struct pollfd *fds)
{
    if (fds[0].revents)
        for (int i = 0; i < 64; i++)
            take_datagram(server, request);
    for (size_t i = 0; i < TCP_MAX; i++)
        if (fds[3 + i].revents && !serve_connection(server, request, server->connections[i])) {
            close(server->connections[i]);
            server->connections[i] = -1;
            atomic_fetch_sub(&server->connected, 1);
        }
    if (fds[1].revents)
        take_connection(server);
}

static void *run(void *argument)
{
    struct dns_server *server = argument;
    struct request request = {.server = server, .answer = malloc(sizeof(struct dns_message))};
    struct pollfd fds[3 + TCP_MAX] = {
        {server->udp, POLLIN, 0}, {server->tcp, POLLIN, 0}, {server->stop[0], POLLIN, 0}};
    must(request.answer, "malloc");
    while (!fds[2].revents) {
        int wait_ms = send_what_is_due(server);
        for (size_t i = 0; i < TCP_MAX; i++)
            fds[3 + i] = (struct pollfd){server->connections[i], POLLIN, 0};
        if (poll(fds, 3 + TCP_MAX, wait_ms) > 0)
            serve_all(server, &request, fds);
    }
    free(request.answer);
    return NULL;
}

static int open_socket(int type, const char *on, uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    must(inet_pton(AF_INET, on, &address.sin_addr) == 1, "an address");
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    if (fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static uint16_t port_of(int fd)
{
    struct sockaddr_in address;
    socklen_t size = sizeof(address);
    must(getsockname(fd, (struct sockaddr *)&address, &size) == 0, "getsockname");
    return ntohs(address.sin_port);
}

/* The same port twice. */
static void open_sockets(struct dns_server *server, const char *on, uint16_t port)
{
    int size = RECEIVE_BUFFER;
    server->tcp = -1;
    for (int tries = 0; server->tcp < 0 && tries < 100; tries++) {
        server->udp = open_socket(SOCK_DGRAM, on, port);
        must(server->udp >= 0, "socket");
        server->port = port_of(server->udp);
        server->tcp = open_socket(SOCK_STREAM, on, server->port);
        if (server->tcp < 0)
            close(server->udp);
    }
    must(server->tcp >= 0 && listen(server->tcp, TCP_MAX) == 0, "a port for UDP and TCP");
    (void)ioctl(server->udp, SIOCGSTAMP, &(struct timeval){0}); /* from now on it is noted */
    setsockopt(server->udp, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
    setsockopt(server->udp, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
    server->other = open_socket(SOCK_DGRAM, on, 0);
    must(server->other >= 0, "socket");
}

struct dns_server *dns_server_start(void)
{
    return dns_server_start_on("127.0.0.1", 0);
}

struct dns_server *dns_server_start_on(const char *address, uint16_t port)
{
    struct dns_server *server = calloc(1, sizeof(*server));
    must(server, "calloc");
    server->log = calloc(LOG_SIZE, sizeof(*server->log));
    must(server->log, "calloc");
    for (size_t i = 0; i < TCP_MAX; i++)
        server->connections[i] = -1;
    pthread_mutex_init(&server->lock, NULL);
    open_sockets(server, address, port);
    must(pipe(server->stop) == 0, "pipe");
    must(pthread_create(&server->thread, NULL, run, server) == 0, "pthread_create");
    return server;
}

void dns_server_stop(struct dns_server *server)
{
    must(write(server->stop[1], "x", 1) == 1, "write");
    pthread_join(server->thread, NULL);
    for (size_t i = 0; i < TCP_MAX; i++)
        if (server->connections[i] >= 0)
            close(server->connections[i]);
    close(server->udp);
    close(server->tcp);
    close(server->other);
    close(server->stop[0]);
    close(server->stop[1]);
    pthread_mutex_destroy(&server->lock);
    free(server->log);
    free(server);
}

void dns_server_settle(struct dns_server *server)
{
    for (int i = 0; i < 5000 && atomic_load(&server->connected) > 0; i++)
        usleep(1000);
}

uint16_t dns_server_port(const struct dns_server *server)
{
    return server->port;
}

void dns_server_set_silent(struct dns_server *server, bool silent)
{
    atomic_store(&server->silent, silent);
}

static size_t count(struct dns_server *server, const char *name, bool tcp)
{
    size_t found = 0;
    pthread_mutex_lock(&server->lock);
    for (size_t i = 0; i < server->log_size; i++)
        found += server->log[i].tcp == tcp && strcasecmp(server->log[i].name, name) == 0;
    pthread_mutex_unlock(&server->lock);
    return found;
}

size_t dns_server_count(struct dns_server *server, const char *name)
{
    return count(server, name, false);
}

size_t dns_server_count_tcp(struct dns_server *server, const char *name)
{
    return count(server, name, true);
}

size_t dns_server_times(struct dns_server *server, const char *name, uint64_t *times_ms,
                        size_t room)
{
    size_t found = 0;
    uint64_t first_ms = 0;
    pthread_mutex_lock(&server->lock);
    for (size_t i = 0; i < server->log_size && found < room; i++) {
        const struct entry *entry = &server->log[i];
        if (strcasecmp(entry->name, name) != 0)
            continue;
        if (found == 0)
            first_ms = entry->at_ms;
        times_ms[found++] = entry->at_ms - first_ms;
    }
    pthread_mutex_unlock(&server->lock);
    return found;
}
