/* SPDX-License-Identifier: MIT */
#include "peers/datagrams.h"

#include "common/fail.h"
#include "common/process.h"
#include "common/switches.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>

static int open_at(long port)
{
    const int receive_bytes = 4 << 20;
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                  .sin_port = htons((uint16_t)port)};
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        fail_errno(errno, "socket");
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof(receive_bytes));
    if (bind(fd, (struct sockaddr *)&address, size) < 0)
        fail_errno(errno, "bind");
    if (getsockname(fd, (struct sockaddr *)&address, &size) < 0)
        fail_errno(errno, "getsockname");
    printf("listening on 127.0.0.1:%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

int datagrams_begin(char **argv)
{
    long port = 0, core = PROCESS_NONE;
    const struct switch_row rows[] = {
        {"port", SWITCH_NUMBER, &port, "to bind to, 0 = any"},
        {"cpu", SWITCH_NUMBER, &core, "core to stay on"},
        {0},
    };
    switches_parse(rows, argv);
    process_pin(core);
    return open_at(port);
}
