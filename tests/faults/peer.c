/* SPDX-License-Identifier: MIT */
/* Peers that die, links that go down, and an application that forks. */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scenario.h"
#include <weir/weir.h>

enum { PATIENCE_MS = 60000 };

struct setting {
    weir_runtime *runtime;
    weir_socket listener;
    uint16_t port;
};

static void start(struct setting *setting)
{
    int result = weir_start(&setting->runtime, &(weir_config){.schedulers = 1});
    EXPECT(result == 0, "start: %s", weir_last_error_text());
    result = weir_tcp_listen(setting->runtime, "127.0.0.1", 0,
                             WEIR_OPTIONS(WEIR_ACTIVE(WEIR_ACTIVE_FALSE), WEIR_PACKET(4)),
                             &setting->listener);
    EXPECT(result == 0, "listen: %s", weir_last_error_text());
    setting->port = (uint16_t)weir_port(setting->listener);
}

static weir_socket accept_one(const struct setting *setting)
{
    weir_socket socket;
    int result = weir_tcp_accept(setting->listener, weir_owned_by_nobody(), PATIENCE_MS, &socket);
    EXPECT(result == 0, "accept: %s", weir_error_name(result));
    return socket;
}

static int connect_plainly(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT(fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0, "connect: %s",
           strerror(errno));
    return fd;
}

static void expect_packet(weir_socket socket, const char *text)
{
    weir_packet packet;
    int result = weir_recv(socket, 0, PATIENCE_MS, &packet);
    EXPECT(result == 0, "recv: %s", weir_error_name(result));
    EXPECT(packet.size == strlen(text) && memcmp(packet.bytes, text, packet.size) == 0,
           "another packet");
    weir_packet_release(&packet);
}

/* It has written one packet and half of the next when it is killed. */
static int peer_is_killed(void)
{
    struct setting setting;
    weir_packet packet;
    start(&setting);
    pid_t peer = fork();
    if (peer == 0) {
        int fd = connect_plainly(setting.port);
        if (write(fd, "\0\0\0\5whole\0\0\0\4ha", 15) != 15)
            _exit(1);
        pause();
    }
    weir_socket socket = accept_one(&setting);
    expect_packet(socket, "whole");
    kill(peer, SIGKILL);
    int result = weir_recv(socket, 0, PATIENCE_MS, &packet);
    EXPECT(result == WEIR_CLOSED, "recv of a dead peer gave %s", weir_error_name(result));
    waitpid(peer, NULL, 0);
    return weir_stop(setting.runtime);
}

static bool set_loopback(bool up)
{
    struct ifreq request = {.ifr_name = "lo"};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    request.ifr_flags = up ? IFF_UP | IFF_RUNNING | IFF_LOOPBACK : IFF_LOOPBACK;
    bool done = fd >= 0 && ioctl(fd, SIOCSIFFLAGS, &request) == 0;
    close(fd);
    return done;
}

/* In a network of its own, whose only link goes down under a connection. */
static int link_goes_down(void)
{
    struct setting setting;
    weir_packet packet;
    weir_socket other;
    if (unshare(CLONE_NEWNET) < 0 || !set_loopback(true))
        return SCENARIO_SKIPPED;
    start(&setting);
    int fd = connect_plainly(setting.port);
    weir_socket socket = accept_one(&setting);
    EXPECT(weir_setopts(socket, WEIR_OPTIONS(WEIR_USER_TIMEOUT(300))) == 0, "no user_timeout");
    EXPECT(set_loopback(false), "the link stays up");
    EXPECT(weir_send(socket, "lost", 4) == 0, "the first send failed");
    int result = weir_recv(socket, 0, PATIENCE_MS, &packet);
    EXPECT(result == -ETIMEDOUT || result == -ENETUNREACH || result == -EHOSTUNREACH,
           "recv over a dead link gave %s", weir_error_name(result));
    result = weir_tcp_connect(setting.runtime, "127.0.0.1", setting.port,
                              WEIR_OPTIONS(WEIR_ACTIVE(WEIR_ACTIVE_FALSE)), weir_owned_by_nobody(),
                              300, &other);
    EXPECT(result == -ENETUNREACH || result == WEIR_TIMEOUT || result == -EHOSTUNREACH,
           "connect over a dead link gave %s", weir_error_name(result));
    close(fd);
    return weir_stop(setting.runtime);
}

static void talk(weir_socket socket, int fd)
{
    char answer[8];
    EXPECT(write(fd, "\0\0\0\4ping", 8) == 8, "write: %s", strerror(errno));
    expect_packet(socket, "ping");
    EXPECT(weir_send(socket, "pong", 4) == 0, "send failed");
    EXPECT(recv(fd, answer, sizeof(answer), MSG_WAITALL) == 8 && memcmp(answer + 4, "pong", 4) == 0,
           "another answer");
}

/* Neither a child that goes nor one that becomes another program takes anything along. */
static int application_forks(void)
{
    struct setting setting;
    int status;
    start(&setting);
    int fd = connect_plainly(setting.port);
    weir_socket socket = accept_one(&setting);
    talk(socket, fd);
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    waitpid(child, &status, 0);
    talk(socket, fd);
    child = fork();
    if (child == 0) {
        execl("/bin/sh", "sh", "-c",
              "for fd in /proc/self/fd/*; do case $(readlink $fd) in *io_uring*|socket:*|*eventfd*)"
              " exit 1;; esac; done",
              (char *)NULL);
        _exit(2);
    }
    waitpid(child, &status, 0);
    EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 0, "another program got a descriptor");
    talk(socket, fd);
    close(fd);
    return weir_stop(setting.runtime);
}

int main(void)
{
    static const struct scenario scenarios[] = {
        {"a peer is killed", peer_is_killed},
        {"a link goes down", link_goes_down},
        {"the application forks", application_forks},
    };
    return scenarios_run(scenarios, sizeof(scenarios) / sizeof(scenarios[0]));
}
