/* SPDX-License-Identifier: MIT */
#include "support/loopback.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <linux/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"

uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

const char *result_text(int result)
{
    return result >= 0 ? "success" : weir_error_name(result);
}

int descriptor_count(void)
{
    DIR *folder = opendir("/proc/self/fd");
    int count = -3; /* ".", ".." and the folder's own */
    while (readdir(folder))
        count++;
    closedir(folder);
    return count;
}

static rlim_t set_descriptor_limit(rlim_t most)
{
    struct rlimit limit;
    cr_assert(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    rlim_t before = limit.rlim_cur;
    limit.rlim_cur = most;
    cr_assert(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    return before;
}

/* Those behind the lowest that is free are taken to be free too. */
rlim_t leave_descriptors(int left)
{
    int lowest_free = dup(0);
    close(lowest_free);
    return set_descriptor_limit((rlim_t)(lowest_free + left));
}

void restore_descriptors(rlim_t before)
{
    (void)set_descriptor_limit(before);
}

struct loopback loopback_start(const weir_config *config)
{
    struct loopback loopback = {
        .peer = -1,
        .descriptors = descriptor_count(),
        .blocks = memory_live_count(),
    };
    weir_config one = {.schedulers = 1};
    GIVES(weir_start(&loopback.runtime, config ? config : &one), 0);
    GIVES(weir_mailbox_create(&loopback.mailbox), 0);
    return loopback;
}

static weir_option *parse(const char *text)
{
    weir_option *options;
    GIVES(weir_options_parse(text, &options), 0);
    return options;
}

weir_socket listen_with(weir_runtime *runtime, const char *text)
{
    weir_socket listener;
    weir_option *options = parse(text);
    GIVES(weir_tcp_listen(runtime, "127.0.0.1", 0, options, &listener), 0);
    weir_options_free(options);
    return listener;
}

void loopback_reopen(struct loopback *loopback)
{
    weir_close(loopback->socket); /* first: else its owner would be told that the peer has gone */
    peer_leave(&loopback->peer);
    loopback->peer = peer_connect(weir_port(loopback->listener));
    GIVES(weir_tcp_accept(loopback->listener, weir_mailed_to(loopback->mailbox), WAIT_MS,
                          &loopback->socket),
          0);
}

struct loopback loopback_open(const char *options)
{
    struct loopback loopback = loopback_start(NULL);
    loopback.listener = listen_with(loopback.runtime, options);
    loopback_reopen(&loopback);
    return loopback;
}

static bool is_named(const char *task, const char *wanted)
{
    char path[300];
    char name[32] = "";
    snprintf(path, sizeof(path), "/proc/self/task/%s/comm", task);
    FILE *file = fopen(path, "re");
    if (!file)
        return false; /* it has ended meanwhile */
    bool found = fgets(name, sizeof(name), file) && strncmp(name, wanted, strlen(wanted)) == 0;
    fclose(file);
    return found;
}

/* A stop does not wait for the C library, which a thread may be asking for a name yet. */
static bool asks_for_names(void)
{
    bool found = false;
    DIR *tasks = opendir("/proc/self/task");
    for (struct dirent *task; !found && (task = readdir(tasks));)
        found = is_named(task->d_name, "weir-names");
    closedir(tasks);
    return found;
}

void loopback_close(struct loopback *loopback)
{
    peer_leave(&loopback->peer);
    weir_stop(loopback->runtime);
    EVENTUALLY(!asks_for_names());
    weir_mailbox_destroy(loopback->mailbox);
    cr_expect(descriptor_count() == loopback->descriptors, "%d descriptors, not %d",
              descriptor_count(), loopback->descriptors);
    cr_expect(memory_live_count() == loopback->blocks, "%ld blocks of memory, not %ld",
              (long)memory_live_count(), (long)loopback->blocks);
}

int set(weir_socket socket, const char *text)
{
    weir_option *options = parse(text);
    int result = weir_setopts(socket, options);
    weir_options_free(options);
    return result;
}

int64_t get(weir_socket socket, enum weir_option_id id)
{
    weir_option option = weir_option_number(id, 0);
    GIVES(weir_getopts(socket, &option, 1), 1);
    return option.value.number;
}

weir_statistics statistics_of(weir_socket socket)
{
    weir_statistics statistics = {0};
    GIVES(weir_getstat(socket, &statistics), 0);
    return statistics;
}

/* Each call takes a turn of the scheduler, and completions are dealt with after calls. */
void settle(weir_socket socket)
{
    weir_statistics statistics;
    for (int turn = 0; turn < 4; turn++)
        (void)!weir_getstat(socket, &statistics);
}

static void bound_waits(int fd)
{
    struct timeval most = {.tv_sec = WAIT_MS / 1000};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof(most));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &most, sizeof(most));
}

static struct sockaddr_in loopback_address(int port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    return address;
}

int peer_connect_with(int port, int receive_buffer)
{
    struct sockaddr_in address = loopback_address(port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert(fd >= 0, "socket: %s", strerror(errno));
    if (receive_buffer)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof(receive_buffer));
    bound_waits(fd);
    cr_assert(connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0, "connect: %s",
              strerror(errno));
    return fd;
}

int peer_connect(int port)
{
    return peer_connect_with(port, 0);
}

int peer_bind(int *port)
{
    struct sockaddr_in address = loopback_address(0);
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bound_waits(fd);
    cr_assert(bind(fd, (struct sockaddr *)&address, size) == 0);
    getsockname(fd, (struct sockaddr *)&address, &size);
    *port = ntohs(address.sin_port);
    return fd;
}

int peer_listen(int backlog, int *port)
{
    int fd = peer_bind(port);
    cr_assert(listen(fd, backlog) == 0);
    return fd;
}

void peer_write(int fd, const void *bytes, size_t size)
{
    size_t done = 0;
    while (done < size) {
        ssize_t count = send(fd, (const char *)bytes + done, size - done, MSG_NOSIGNAL);
        cr_assert(count > 0, "the peer cannot write: %s", strerror(errno));
        done += (size_t)count;
    }
}

void peer_say(int fd, const char *text)
{
    peer_write(fd, text, strlen(text));
}

void peer_finish(int fd)
{
    shutdown(fd, SHUT_WR);
}

void peer_leave(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

void peer_reset(int *fd)
{
    struct linger none = {.l_onoff = 1};
    setsockopt(*fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
    peer_leave(fd);
}

void peer_read(int fd, void *bytes, size_t size)
{
    ssize_t count = recv(fd, bytes, size, MSG_WAITALL);
    cr_assert(count == (ssize_t)size, "the peer reads %zd of %zu bytes: %s", count, size,
              strerror(errno));
}

void peer_expect(int fd, const char *text)
{
    char bytes[256];
    size_t size = strlen(text);
    peer_read(fd, bytes, size);
    cr_assert(memcmp(bytes, text, size) == 0, "the peer reads \"%.*s\", not \"%s\"", (int)size,
              bytes, text);
}

int64_t peer_drain(int fd)
{
    static char bytes[65536];
    int64_t total = 0;
    for (;;) {
        ssize_t count = recv(fd, bytes, sizeof(bytes), 0);
        if (count < 0)
            return -errno;
        if (count == 0)
            return total;
        total += count;
    }
}

void peer_expect_end(int fd)
{
    int64_t rest = peer_drain(fd);
    cr_assert(rest == 0, "not the end, but %ld", (long)rest);
}

void peer_expect_reset(int fd)
{
    int64_t rest = peer_drain(fd);
    cr_assert(rest == -ECONNRESET, "no reset, but %ld", (long)rest);
}

weir_message next_message(weir_mailbox *mailbox)
{
    weir_message message = {0};
    GIVES(weir_mailbox_receive(mailbox, WAIT_MS, &message), 0);
    return message;
}

static void expect_bytes(const weir_packet *packet, const void *bytes, size_t size)
{
    cr_assert(packet->size == size && memcmp(packet->bytes, bytes, size) == 0,
              "%zu bytes \"%.*s\", not %zu bytes \"%.*s\"", packet->size,
              packet->size > 80 ? 80 : (int)packet->size, (const char *)packet->bytes, size,
              size > 80 ? 80 : (int)size, (const char *)bytes);
}

void expect_data(struct loopback *loopback, const void *bytes, size_t size)
{
    weir_message message = next_message(loopback->mailbox);
    cr_assert(message.kind == WEIR_MESSAGE_DATA, "message %d (%s) instead of data", message.kind,
              result_text(message.error));
    cr_assert(weir_same_socket(message.socket, loopback->socket));
    expect_bytes(&message.packet, bytes, size);
    weir_packet_release(&message.packet);
}

void expect_text(struct loopback *loopback, const char *text)
{
    expect_data(loopback, text, strlen(text));
}

void expect_told(struct loopback *loopback, enum weir_message_kind kind, int error)
{
    weir_message message = next_message(loopback->mailbox);
    cr_assert(message.kind == kind, "message %d instead of %d", message.kind, kind);
    cr_assert(message.error == error, "error %s instead of %s", result_text(message.error),
              result_text(error));
    cr_assert(weir_same_socket(message.socket, loopback->socket));
}

void expect_quiet(struct loopback *loopback)
{
    settle(loopback->listener);
    cr_assert(weir_mailbox_count(loopback->mailbox) == 0, "%zu messages instead of none",
              weir_mailbox_count(loopback->mailbox));
}

void expect_received(weir_socket socket, size_t length, const char *text)
{
    weir_packet packet;
    GIVES(weir_recv(socket, length, WAIT_MS, &packet), 0);
    expect_bytes(&packet, text, strlen(text));
    weir_packet_release(&packet);
}

uint64_t queued(weir_socket socket)
{
    return statistics_of(socket).send_pend;
}

/* The peer's connection as the runtime has it. */
static int other_end(int peer)
{
    enum { DESCRIPTORS_MOST = 4096 };
    struct sockaddr_in wanted;
    struct sockaddr_in there;
    socklen_t size = sizeof(wanted);
    getsockname(peer, (struct sockaddr *)&wanted, &size);
    for (int fd = 0; fd < DESCRIPTORS_MOST; fd++) {
        size = sizeof(there);
        if (getpeername(fd, (struct sockaddr *)&there, &size) == 0 &&
            there.sin_port == wanted.sin_port)
            return fd;
    }
    cr_assert_fail("nobody is at the other end");
    return -1;
}

/* The peer's window is closed, all that it had room for is acknowledged, and the kernel has no more
 * room either: from here on nothing moves before the peer reads. */
static bool is_full(int fd)
{
    struct pollfd room = {.fd = fd, .events = POLLOUT};
    struct tcp_info info = {0};
    socklen_t size = sizeof(info);
    getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size);
    return info.tcpi_unacked == 0 && info.tcpi_snd_wnd == 0 && info.tcpi_notsent_bytes > 0 &&
           poll(&room, 1, 0) == 0;
}

uint64_t settled_queue(struct loopback *loopback)
{
    int fd = other_end(loopback->peer);
    EVENTUALLY(is_full(fd) || sched_yield() != 0);
    settle(loopback->socket);
    return queued(loopback->socket);
}

uint64_t fill_queue(struct loopback *loopback)
{
    char *bytes = calloc(1, FILL_BYTES);
    GIVES(weir_send(loopback->socket, bytes, FILL_BYTES), 0);
    free(bytes);
    uint64_t size = settled_queue(loopback);
    cr_assert(size > FILL_BYTES / 2, "only %lu bytes are queued", (unsigned long)size);
    return size;
}

int send_until_it_fails(weir_socket socket)
{
    int result;
    EVENTUALLY((result = weir_send(socket, "x", 1)) != 0);
    return result;
}

static void answer(struct answer *answer, weir_socket socket, int result)
{
    answer->socket = socket;
    answer->result = result;
    __atomic_fetch_add(&answer->count, 1, __ATOMIC_RELEASE);
}

void answer_opened(weir_socket socket, int result, void *data)
{
    answer(data, socket, result);
}

void answer_sent(weir_socket socket, int result, void *data)
{
    answer(data, socket, result);
}

void answer_received(weir_socket socket, int result, const weir_packet *packet, void *data)
{
    struct answer *to = data;
    if (packet) {
        to->size = packet->size;
        memcpy(to->bytes, packet->bytes,
               packet->size < sizeof(to->bytes) ? packet->size : sizeof(to->bytes));
    }
    answer(to, socket, result);
}

uint32_t answer_count(struct answer *answer)
{
    return __atomic_load_n(&answer->count, __ATOMIC_ACQUIRE);
}

int answer_wait(struct answer *answer)
{
    EVENTUALLY(answer_count(answer) > 0 || sched_yield() != 0);
    return answer->result;
}

struct work {
    void (*run)(void *data);
    void *data;
    struct answer done;
};

static void work_and_answer(void *data)
{
    struct work *work = data;
    work->run(work->data);
    answer(&work->done, (weir_socket){0}, 0);
}

void run_there(weir_runtime *runtime, uint32_t scheduler, void (*run)(void *), void *data)
{
    struct work work = {.run = run, .data = data};
    GIVES(weir_run_on(runtime, scheduler, work_and_answer, &work), 0);
    answer_wait(&work.done);
}

static int work_as_process(void *data)
{
    work_and_answer(data);
    return 0;
}

/* With room for what a check takes to say that it has failed. */
void run_in_process(weir_runtime *runtime, int scheduler, void (*run)(void *), void *data)
{
    const weir_process_options options = {.stack_bytes = 1 << 20};
    struct work work = {.run = run, .data = data};
    GIVES(weir_spawn(runtime, scheduler, work_as_process, &work, &options, NULL), 0);
    answer_wait(&work.done);
}

int send_in_background(struct background *background)
{
    return weir_send(background->socket, background->bytes, background->size);
}

int receive_in_background(struct background *background)
{
    weir_packet packet = {0};
    int result;
    do /* who looks whether this waits by now may be in its way */
        result = weir_recv(background->socket, background->size, WEIR_INFINITY, &packet);
    while (result == -EALREADY);
    weir_packet_release(&packet);
    return result;
}

int accept_in_background(struct background *background)
{
    return weir_tcp_accept(background->socket, weir_mailed_to(background->mailbox), WEIR_INFINITY,
                           &background->opened);
}

static void *run_background(void *data)
{
    struct background *background = data;
    background->result = background->work(background);
    return NULL;
}

void background_start(struct background *background)
{
    cr_assert(pthread_create(&background->thread, NULL, run_background, background) == 0);
}

int background_join(struct background *background)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += WAIT_MS / 1000;
    cr_assert(pthread_timedjoin_np(background->thread, NULL, &until) == 0,
              "a thread never came back");
    return background->result;
}
