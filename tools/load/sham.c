/* SPDX-License-Identifier: MIT */
#include "load/sham.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/thread.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum peer_state {
    READING,
    RESTING, /* a slow reader between two reads */
    HOLDING, /* it has the request */
    DEAD,    /* only its end is looked for */
};

enum { SLICES = 10, SMALL_BUFFER = 32768 };

static const uint64_t ms_ns = 1000000, second_ns = 1000000000, never_ns = UINT64_MAX;

static uint64_t hold_ns(struct sham *sham)
{
    uint64_t number = sham->request_count++;
    if (sham->temper == SHAM_BIMODAL)
        return number % 10 == 9 ? 200 * ms_ns : 40 * ms_ns;
    if (sham->temper == SHAM_DEAD && number % 20 == 19)
        return never_ns;
    return 0;
}

static void drop(struct sham *sham, size_t index)
{
    close(sham->polls[index].fd);
    memory_free(sham->peers[index].bytes);
    sham->polls[index] = sham->polls[sham->peer_count];
    sham->peers[index] = sham->peers[sham->peer_count];
    sham->peer_count--;
}

static void accept_peer(struct sham *sham)
{
    int on = 1, small = SMALL_BUFFER;
    int fd = accept4(sham->listener, NULL, NULL, SOCK_CLOEXEC);
    char *bytes = memory_allocate(sham->request_bytes);
    if (fd < 0 || !bytes || sham->peer_count == SHAM_CONNECTIONS_MAX) {
        memory_free(bytes);
        if (fd >= 0)
            close(fd);
        return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (sham->temper == SHAM_SLOW)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
    size_t index = ++sham->peer_count;
    sham->polls[index] = (struct pollfd){.fd = fd, .events = POLLIN};
    sham->peers[index] = (struct sham_peer){.bytes = bytes, .due_ns = never_ns};
}

static void answer(struct sham *sham, size_t index, uint64_t now_ns)
{
    struct sham_peer *peer = &sham->peers[index];
    for (size_t sent = 0; sent < sham->request_bytes;) {
        ssize_t count = send(sham->polls[index].fd, peer->bytes + sent, sham->request_bytes - sent,
                             MSG_NOSIGNAL);
        if (count <= 0)
            break; /* the peer has gone, which the next read says too */
        sent += (size_t)count;
    }
    histogram_add(&sham->held, now_ns - peer->began_ns, 1);
    peer->received = 0;
    peer->state = READING;
    peer->due_ns = never_ns;
}

static void take_request(struct sham *sham, size_t index, uint64_t now_ns)
{
    struct sham_peer *peer = &sham->peers[index];
    uint64_t held_ns = hold_ns(sham);
    peer->state = held_ns == never_ns ? DEAD : HOLDING;
    peer->due_ns = held_ns == never_ns ? never_ns : now_ns + held_ns;
    if (held_ns == 0)
        answer(sham, index, now_ns);
}

/* False: it has gone. */
static bool read_some(struct sham *sham, size_t index, uint64_t now_ns)
{
    struct sham_peer *peer = &sham->peers[index];
    size_t left = sham->request_bytes - peer->received;
    size_t slice = sham->temper == SHAM_SLOW ? sham->request_bytes / SLICES : left;
    char rubbish;
    char *to = left > 0 ? peer->bytes + peer->received : &rubbish;
    size_t size = left == 0 ? 1 : slice < left ? slice : left;
    ssize_t count = recv(sham->polls[index].fd, to, size, MSG_DONTWAIT);
    if (count < 0 && errno == EAGAIN)
        return true;
    if (count <= 0)
        return false;
    if (left == 0)
        return true;
    if (peer->received == 0)
        peer->began_ns = now_ns;
    peer->received += (size_t)count;
    if (peer->received == sham->request_bytes) {
        take_request(sham, index, now_ns);
    } else if (sham->temper == SHAM_SLOW) {
        peer->state = RESTING;
        peer->due_ns = now_ns + 10 * ms_ns;
    }
    return true;
}

static void serve_peer(struct sham *sham, size_t index, uint64_t now_ns)
{
    struct sham_peer *peer = &sham->peers[index];
    bool is_ready = sham->polls[index].revents != 0;
    if (peer->due_ns <= now_ns && peer->state == HOLDING) {
        answer(sham, index, now_ns);
    } else if (peer->due_ns <= now_ns) {
        peer->state = READING;
        peer->due_ns = never_ns;
        is_ready = true;
    }
    bool reads = peer->state == READING || peer->state == DEAD;
    if (is_ready && reads && !read_some(sham, index, now_ns))
        drop(sham, index);
}

static struct timespec timespec_of(uint64_t time_ns)
{
    return (struct timespec){.tv_sec = (time_t)(time_ns / second_ns),
                             .tv_nsec = (long)(time_ns % second_ns)};
}

static void pause_when_due(struct sham *sham)
{
    uint64_t now_ns = clock_now_ns();
    if (sham->temper != SHAM_PAUSES || now_ns < sham->next_pause_ns)
        return;
    struct timespec until = timespec_of(now_ns + 100 * ms_ns);
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
    if (sham->pause_count < SHAM_PAUSES_MAX)
        sham->pauses[sham->pause_count++] = (struct sham_pause){now_ns, clock_now_ns()};
    sham->next_pause_ns += second_ns;
}

static void wait_for_something(struct sham *sham)
{
    const uint64_t look_ns = 50 * ms_ns;
    uint64_t now_ns = clock_now_ns(), due_ns = now_ns + look_ns;
    if (sham->temper == SHAM_PAUSES && sham->next_pause_ns < due_ns)
        due_ns = sham->next_pause_ns;
    for (size_t i = 1; i <= sham->peer_count; i++) {
        bool reads = sham->peers[i].state == READING || sham->peers[i].state == DEAD;
        sham->polls[i].events = reads ? POLLIN : 0;
        if (sham->peers[i].due_ns < due_ns)
            due_ns = sham->peers[i].due_ns;
    }
    struct timespec wait = timespec_of(due_ns > now_ns ? due_ns - now_ns : 0);
    ppoll(sham->polls, sham->peer_count + 1, &wait, NULL);
}

static void *serve(void *data)
{
    struct sham *sham = data;
    prctl(PR_SET_TIMERSLACK, 1);
    while (!__atomic_load_n(&sham->is_over, __ATOMIC_ACQUIRE)) {
        pause_when_due(sham);
        wait_for_something(sham);
        if (sham->temper == SHAM_PAUSES && clock_now_ns() >= sham->next_pause_ns)
            continue;
        for (size_t i = sham->peer_count; i > 0; i--)
            serve_peer(sham, i, clock_now_ns());
        if (sham->polls[0].revents)
            accept_peer(sham);
    }
    return NULL;
}

static int start_listening(struct sham *sham)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    struct sockaddr *bound = (struct sockaddr *)&address;
    sham->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (sham->listener < 0 || bind(sham->listener, bound, size) < 0 ||
        listen(sham->listener, SHAM_CONNECTIONS_MAX) < 0 ||
        getsockname(sham->listener, bound, &size) < 0)
        return -errno;
    sham->port = ntohs(address.sin_port);
    sham->polls[0] = (struct pollfd){.fd = sham->listener, .events = POLLIN};
    return 0;
}

struct sham *sham_start(enum sham_temper temper, size_t request_bytes)
{
    struct sham *sham = memory_allocate_zeroed(1, sizeof(*sham));
    if (!sham)
        return NULL;
    sham->temper = temper;
    sham->request_bytes = request_bytes;
    sham->begin_ns = clock_now_ns();
    sham->next_pause_ns = sham->begin_ns + second_ns / 2;
    int result = start_listening(sham);
    if (result == 0)
        result = thread_create(&sham->thread, serve, sham);
    if (result == 0)
        return sham;
    sham_free(sham);
    errno = -result;
    return NULL;
}

void sham_stop(struct sham *sham)
{
    __atomic_store_n(&sham->is_over, true, __ATOMIC_RELEASE);
    pthread_join(sham->thread, NULL);
    while (sham->peer_count > 0)
        drop(sham, sham->peer_count);
}

void sham_free(struct sham *sham)
{
    if (sham->listener >= 0)
        close(sham->listener);
    memory_free(sham);
}
