/* SPDX-License-Identifier: MIT */
/* A UDP echo server on recvmmsg and sendmmsg: 64 datagrams a call, as they come. */
#include "common/fail.h"
#include "peers/datagrams.h"

#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/socket.h>

enum { BATCH = 64, DATAGRAM_BYTES = 8192 };

static char bytes[BATCH][DATAGRAM_BYTES];
static struct sockaddr_storage names[BATCH];
static struct iovec pieces[BATCH];
static struct mmsghdr messages[BATCH];

static void prepare(void)
{
    for (int i = 0; i < BATCH; i++) {
        pieces[i] = (struct iovec){bytes[i], DATAGRAM_BYTES};
        messages[i].msg_hdr = (struct msghdr){.msg_name = &names[i],
                                              .msg_namelen = sizeof(names[i]),
                                              .msg_iov = &pieces[i],
                                              .msg_iovlen = 1};
    }
}

static void answer(int fd, int count)
{
    for (int i = 0; i < count; i++)
        pieces[i].iov_len = messages[i].msg_len;
    for (int done = 0; done < count;) {
        int sent = sendmmsg(fd, messages + done, (unsigned)(count - done), 0);
        if (sent < 0)
            fail_errno(errno, "sendmmsg");
        done += sent;
    }
}

int main(int argc, char **argv)
{
    (void)argc;
    int fd = datagrams_begin(argv);
    for (;;) {
        prepare();
        int count = recvmmsg(fd, messages, BATCH, MSG_WAITFORONE, NULL);
        if (count < 0 && errno != EINTR)
            fail_errno(errno, "recvmmsg");
        if (count > 0)
            answer(fd, count);
    }
}
