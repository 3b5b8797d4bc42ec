/* SPDX-License-Identifier: MIT */
/*
 * A UDP echo server on io_uring: one multishot receive over provided buffers, and a send for each
 * datagram from the buffer that it came in, which is given back when that is over.
 */
#include "common/fail.h"
#include "peers/datagrams.h"

#include <errno.h>
#include <liburing.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

enum { BUFFERS = 1024, BUFFER_BYTES = 8192 + 128, ENTRIES = 1024, RECEIVE = 1 << 20 };

static struct {
    struct io_uring ring;
    struct io_uring_buf_ring *buffers;
    char *memory;
    int fd;
    struct msghdr asked;
    struct msghdr messages[BUFFERS];
    struct iovec pieces[BUFFERS];
} server;

static char *buffer_at(unsigned index)
{
    return server.memory + (size_t)index * BUFFER_BYTES;
}

static void give_back(unsigned index)
{
    io_uring_buf_ring_add(server.buffers, buffer_at(index), BUFFER_BYTES, (unsigned short)index,
                          io_uring_buf_ring_mask(BUFFERS), 0);
    io_uring_buf_ring_advance(server.buffers, 1);
}

static struct io_uring_sqe *entry(void)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&server.ring);
    while (!sqe) {
        io_uring_submit(&server.ring);
        sqe = io_uring_get_sqe(&server.ring);
    }
    return sqe;
}

static void receive(void)
{
    struct io_uring_sqe *sqe = entry();
    io_uring_prep_recvmsg_multishot(sqe, server.fd, &server.asked, 0);
    sqe->flags |= IOSQE_BUFFER_SELECT;
    sqe->buf_group = 0;
    io_uring_sqe_set_data64(sqe, RECEIVE);
}

static void answer(unsigned index, int size)
{
    struct io_uring_recvmsg_out *out =
        io_uring_recvmsg_validate(buffer_at(index), size, &server.asked);
    if (!out)
        fail("a datagram without a head");
    server.pieces[index] = (struct iovec){
        io_uring_recvmsg_payload(out, &server.asked),
        io_uring_recvmsg_payload_length(out, size, &server.asked),
    };
    server.messages[index] = (struct msghdr){
        .msg_name = io_uring_recvmsg_name(out),
        .msg_namelen = out->namelen,
        .msg_iov = &server.pieces[index],
        .msg_iovlen = 1,
    };
    struct io_uring_sqe *sqe = entry();
    io_uring_prep_sendmsg(sqe, server.fd, &server.messages[index], 0);
    io_uring_sqe_set_data64(sqe, index);
}

static void handle(const struct io_uring_cqe *cqe)
{
    if (cqe->user_data != RECEIVE) {
        give_back((unsigned)cqe->user_data);
        return;
    }
    if (cqe->flags & IORING_CQE_F_BUFFER)
        answer(cqe->flags >> IORING_CQE_BUFFER_SHIFT, cqe->res);
    if (!(cqe->flags & IORING_CQE_F_MORE))
        receive();
}

static void open_ring(void)
{
    struct io_uring_params params = {
        .flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_CQSIZE,
        .cq_entries = 8192,
    };
    int result = io_uring_queue_init_params(ENTRIES, &server.ring, &params);
    if (result < 0)
        fail_errno(-result, "io_uring_queue_init");
    size_t size = BUFFERS * sizeof(struct io_uring_buf);
    void *memory = NULL;
    if (posix_memalign(&memory, 4096, size) != 0)
        fail("no memory");
    server.buffers = memory;
    server.memory = malloc((size_t)BUFFERS * BUFFER_BYTES);
    struct io_uring_buf_reg registration = {
        .ring_addr = (uintptr_t)server.buffers, .ring_entries = BUFFERS, .bgid = 0};
    result = io_uring_register_buf_ring(&server.ring, &registration, 0);
    if (result < 0 || !server.memory)
        fail_errno(-result, "io_uring_register_buf_ring");
    io_uring_buf_ring_init(server.buffers);
    for (unsigned i = 0; i < BUFFERS; i++)
        give_back(i);
}

int main(int argc, char **argv)
{
    (void)argc;
    server.fd = datagrams_begin(argv);
    open_ring();
    server.asked.msg_namelen = sizeof(struct sockaddr_in);
    receive();
    for (;;) {
        struct io_uring_cqe *cqe;
        unsigned head, count = 0;
        io_uring_submit_and_wait(&server.ring, 1);
        io_uring_for_each_cqe(&server.ring, head, cqe)
        {
            handle(cqe);
            count++;
        }
        io_uring_cq_advance(&server.ring, count);
    }
}
