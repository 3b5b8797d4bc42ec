/* SPDX-License-Identifier: MIT */
#include "sim/names.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "sim/dice.h"
#include "sim/event.h"
#include "sim/kernel.h"
#include "sim/operation.h"
#include "sim/trace.h"
#include "sim/udp.h"
#include "support/dns_message.h"

enum { SOCKETS_MOST = 4096, WAITING_MOST = 64, ANSWER_SIZE = 600, TTL_S = 2 };

/* An answer on its way, or come and not read. By TCP with its length in front. */
struct answer {
    uint8_t bytes[ANSWER_SIZE];
    size_t size;
    size_t taken;
};

struct name_socket {
    int fd;
    bool tcp;
    bool refused; /* told once: there is no name server */
    struct answer *arrived[WAITING_MOST];
    size_t arrived_count;
};

static struct name_socket sockets[SOCKETS_MOST];
static uint32_t socket_count;
static struct answer on_way[SOCKETS_MOST];
static uint32_t on_way_count;

void names_reset(void)
{
    socket_count = 0;
    on_way_count = 0;
}

static struct name_socket *socket_of(int fd)
{
    for (uint32_t i = socket_count; i-- > 0;)
        if (sockets[i].fd == fd)
            return &sockets[i];
    SIM_CHECK(false, "descriptor %d asks no name server", fd);
    return NULL;
}

int names_socket(int type)
{
    int fd = socket_count < SOCKETS_MOST ? kernel_new_file(FILE_NAMES) : -ENFILE;
    if (fd < 0)
        return fd;
    struct name_socket *socket = &sockets[socket_count++];
    *socket = (struct name_socket){.fd = fd, .tcp = (type & 0xf) == SOCK_STREAM};
    return fd;
}

int names_connect(int fd)
{
    (void)fd;
    return dice_chance(kernel.faults.call) ? -ENETUNREACH : 0;
}

void names_close(int fd)
{
    socket_of(fd)->fd = -1;
}

bool names_may_be_polled(int fd, uint32_t serial)
{
    const struct file *file = &kernel.files[kernel_fd_index(fd)];
    return file->kind == FILE_NAMES && file->serial == serial && names_ready(file);
}

unsigned names_ready(const struct file *file)
{
    int fd = (int)(file - kernel.files) + FIRST_FD;
    for (uint32_t i = socket_count; i-- > 0;)
        if (sockets[i].fd == fd)
            return POLLOUT | (sockets[i].arrived_count > 0 || sockets[i].refused ? POLLIN : 0u);
    return 0;
}

static void take_first(struct name_socket *socket)
{
    socket->arrived_count--;
    memmove(socket->arrived, socket->arrived + 1,
            socket->arrived_count * sizeof(socket->arrived[0]));
}

ssize_t names_receive(int fd, void *bytes, size_t size)
{
    struct name_socket *socket = socket_of(fd);
    if (socket->refused) {
        socket->refused = false;
        return -ECONNREFUSED;
    }
    if (socket->arrived_count == 0)
        return -EAGAIN;
    struct answer *answer = socket->arrived[0];
    size_t rest = answer->size - answer->taken;
    size_t count = rest < size ? rest : size;
    if (socket->tcp && count > 1 && dice_chance(kernel.faults.short_read))
        count = dice_between(1, (uint32_t)count);
    memcpy(bytes, answer->bytes + answer->taken, count);
    answer->taken += count;
    if (!socket->tcp || answer->taken == answer->size)
        take_first(socket);
    return (ssize_t)count;
}

/* `socket` is by its place, and may be gone when the answer comes. */
static void arrive(uint32_t place, uint32_t index)
{
    struct name_socket *socket = &sockets[place];
    if (socket->fd < 0 || socket->arrived_count == WAITING_MOST)
        return;
    socket->arrived[socket->arrived_count++] = &on_way[index];
    kernel_kick(kernel_fd_index(socket->fd), PLACE_OTHER);
}

static void refuse(uint32_t place, uint32_t unused)
{
    (void)unused;
    if (sockets[place].fd < 0)
        return;
    sockets[place].refused = true;
    kernel_kick(kernel_fd_index(sockets[place].fd), PLACE_OTHER);
}

static void send_answer(struct name_socket *socket, const struct dns_message *message)
{
    if (on_way_count == SOCKETS_MOST)
        return;
    struct answer *answer = &on_way[on_way_count++];
    size_t head = socket->tcp ? 2 : 0;
    answer->size = message->size + head;
    answer->taken = 0;
    answer->bytes[0] = (uint8_t)(message->size >> 8);
    answer->bytes[1] = (uint8_t)message->size;
    memcpy(answer->bytes + head, message->bytes, message->size);
    uint64_t delay_ns = dice_chance(100) ? dice_size(200000000) : dice_size(3000000);
    event_after(delay_ns, arrive, (uint32_t)(socket - sockets), on_way_count - 1);
}

static void tell_peers(struct dns_message *message, const struct dns_question *question,
                       uint32_t number)
{
    uint32_t peers[UDP_PEER_COUNT];
    uint32_t count = udp_peers_of_name(number, peers);
    uint32_t ttl_s = dice_below(TTL_S + 1);
    for (uint32_t i = 0; i < count; i++) {
        struct sockaddr_in address = udp_peer_address(peers[i]);
        dns_answer_add(message, question->name, question->type, ttl_s, &address.sin_addr,
                       sizeof(address.sin_addr));
    }
}

static void tell_truth(struct dns_message *message, const struct dns_question *question)
{
    unsigned number;
    char address[32];
    bool known = sscanf(question->name, "known%u.sim", &number) == 1;
    bool peers = !known && sscanf(question->name, "peers%u.sim", &number) == 1;
    dns_answer_begin(message, question->id, question->name, question->type, known || peers ? 0 : 3);
    if (peers && question->type == 1)
        tell_peers(message, question, number);
    if (!known || question->type != 1)
        return;
    snprintf(address, sizeof(address), "10.0.%u.%u", number / 256 % 256, number % 256);
    dns_answer_add_a(message, question->name, dice_below(TTL_S + 1), address);
}

static void lie(struct dns_message *message, const struct dns_question *question)
{
    dns_answer_begin(message, question->id ^ 0x5555, question->name, question->type, 0);
    dns_answer_add_a(message, question->name, 60, "6.6.6.6");
}

static void answer_question(struct name_socket *socket, const struct dns_question *question)
{
    static struct dns_message message;
    uint32_t mood = dice_below(20);
    trace("a name server is asked on descriptor %lld, mood %lld", socket->fd, mood, 0, 0);
    if (mood < 3)
        return; /* silence */
    if (mood == 3) {
        event_after(dice_size(1000000), refuse, (uint32_t)(socket - sockets), 0);
        return;
    }
    if (mood == 4 && !socket->tcp) {
        lie(&message, question);
        send_answer(socket, &message);
    }
    tell_truth(&message, question);
    if (mood == 5)
        dns_answer_begin(&message, question->id, question->name, question->type,
                         dice_chance(500) ? 2 : 5);
    if (mood == 6 && !socket->tcp)
        dns_answer_truncated(&message);
    if (mood == 7)
        message.size -= dice_below(4);
    send_answer(socket, &message);
}

ssize_t names_send(int fd, const struct iovec *pieces, int count)
{
    struct name_socket *socket = socket_of(fd);
    struct dns_question question;
    static uint8_t bytes[65536];
    size_t size = 0;
    size_t head = socket->tcp ? 2 : 0;
    for (int i = 0; i < count; i++) {
        SIM_CHECK(size + pieces[i].iov_len <= sizeof(bytes), "questions that are too long");
        memcpy(bytes + size, pieces[i].iov_base, pieces[i].iov_len);
        size += pieces[i].iov_len;
    }
    for (size_t at = head; at < size;) {
        size_t length = head ? (size_t)(bytes[at - 2] << 8 | bytes[at - 1]) : size;
        SIM_CHECK(dns_question_read(&question, bytes + at, length), "no question");
        answer_question(socket, &question);
        at += length + head;
    }
    return (ssize_t)size;
}
