/* SPDX-License-Identifier: MIT */
/* What shapes a socket as it is made: addresses, families, devices, namespaces, descriptors. */
#include "live.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const weir_option none[] = {{.id = WEIR_OPTION_END}};

static int stream_to(int port)
{
    int fd = peer_connect(port);
    fcntl(fd, F_SETFL, O_NONBLOCK); /* as those of event loops are */
    return fd;
}

static void expect_echo(struct loopback *loopback, weir_socket socket, int peer)
{
    loopback->socket = socket;
    peer_say(peer, "there");
    expect_text(loopback, "there");
    GIVES(weir_send(socket, "back", 4), 0);
    peer_expect(peer, "back");
}

/* Connected already: host and port do not matter. */
Test(creation, of_a_connected_descriptor)
{
    struct loopback loopback = loopback_start(NULL);
    int port;
    int listener = peer_listen(5, &port);
    int fd = stream_to(port);
    int peer = accept(listener, NULL, NULL);
    weir_socket socket;
    GIVES(weir_tcp_connect(loopback.runtime, "127.0.0.1", 1,
                           WEIR_OPTIONS(WEIR_FD(fd), WEIR_NODELAY(true), WEIR_HEADER(2)),
                           weir_mailed_to(loopback.mailbox), WAIT_MS, &socket),
          0);
    cr_expect(fcntl(fd, F_GETFD) < 0, "the descriptor is still the caller's");
    expect_reading(socket, "[nodelay,header]", "[{nodelay,true},{header,2}]");
    expect_echo(&loopback, socket, peer);
    weir_close(socket);
    peer_expect_end(peer);
    close(peer);
    close(listener);
    loopback_close(&loopback);
}

Test(creation, of_a_descriptor_that_is_not_connected)
{
    struct loopback loopback = loopback_start(NULL);
    int port;
    int listener = peer_listen(5, &port);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    weir_socket socket;
    GIVES(weir_tcp_connect(loopback.runtime, "127.0.0.1", 1, WEIR_OPTIONS(WEIR_FD(fd)),
                           weir_mailed_to(loopback.mailbox), WAIT_MS, &socket),
          -ECONNREFUSED);
    cr_expect(fcntl(fd, F_GETFD) >= 0, "the descriptor is not the caller's any more");
    GIVES(weir_tcp_connect(loopback.runtime, "127.0.0.1", (uint16_t)port, WEIR_OPTIONS(WEIR_FD(fd)),
                           weir_mailed_to(loopback.mailbox), WAIT_MS, &socket),
          0);
    int peer = accept(listener, NULL, NULL);
    expect_echo(&loopback, socket, peer);
    close(peer);
    close(listener);
    loopback_close(&loopback);
}

Test(creation, of_a_listening_descriptor)
{
    struct loopback loopback = loopback_start(NULL);
    int port;
    int fd = peer_listen(5, &port);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    int peer = peer_connect(port); /* before weir has it */
    weir_socket listener;
    GIVES(weir_tcp_listen(loopback.runtime, NULL, 0,
                          WEIR_OPTIONS(WEIR_FD(fd), WEIR_TOS(16), WEIR_PACKET(WEIR_LINE)),
                          &listener),
          0);
    cr_expect(fcntl(fd, F_GETFD) < 0);
    cr_expect(weir_port(listener) == port);
    expect_reading(listener, "[tos,packet]", "[{tos,16},{packet,line}]");
    weir_socket socket = accept_from(&loopback, listener);
    loopback.socket = socket;
    peer_say(peer, "a\nb\n");
    expect_text(&loopback, "a\n");
    expect_text(&loopback, "b\n");
    close(peer);
    loopback_close(&loopback);
}

static void refuse_fd(struct loopback *loopback, int fd, const weir_option *options, int error)
{
    weir_socket socket;
    int before = descriptor_count();
    GIVES(weir_tcp_listen(loopback->runtime, NULL, 0, options, &socket), error);
    expect_said("option fd");
    GIVES(weir_tcp_connect(loopback->runtime, "127.0.0.1", 1, options,
                           weir_mailed_to(loopback->mailbox), WAIT_MS, &socket),
          error);
    expect_said("option fd");
    cr_expect(descriptor_count() == before, "descriptor %d was closed", fd);
}

Test(creation, of_descriptors_that_will_not_do)
{
    struct loopback loopback = loopback_start(NULL);
    int file = open("/dev/null", O_RDONLY);
    int datagrams = socket(AF_INET, SOCK_DGRAM, 0);
    int local = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    int stream6 = socket(AF_INET6, SOCK_STREAM, 0);
    refuse_fd(&loopback, 9999, WEIR_OPTIONS(WEIR_FD(9999)), -EBADF);
    refuse_fd(&loopback, file, WEIR_OPTIONS(WEIR_FD(file)), -ENOTSOCK);
    refuse_fd(&loopback, datagrams, WEIR_OPTIONS(WEIR_FD(datagrams)), WEIR_BADARG);
    refuse_fd(&loopback, local, WEIR_OPTIONS(WEIR_FD(local)), WEIR_BADARG);
    refuse_fd(&loopback, stream6, WEIR_OPTIONS(WEIR_FD(stream6), WEIR_INET()), WEIR_BADARG);
    close(file);
    close(datagrams);
    close(local);
    close(stream6);
    loopback_close(&loopback);
}

static void expect_local(weir_socket socket, const char *host)
{
    char text[WEIR_ADDRESS_TEXT_SIZE];
    weir_address name;
    GIVES(weir_sockname(socket, &name), 0);
    cr_expect(strcmp(weir_address_format(&name, text), host) == 0, "%s, not %s", text, host);
}

/* Options with an address, and where the socket then is. */
static const struct {
    const char *address; /* that is listened on */
    const char *options; /* of the connect */
    const char *local;
} locals[] = {
    {"127.0.0.1", "[{ip,{127,0,0,9}}]", "127.0.0.9"},
    {"127.0.0.1", "[{ifaddr,{127,0,0,9}}]", "127.0.0.9"},
    {"127.0.0.1", "[{ip,loopback}]", "127.0.0.1"},
    {"127.0.0.1", "[{ip,any}]", "127.0.0.1"},
    {"::1", "[{ip,loopback}]", "::1"},
    {"::1", "[{ip,any}]", "::1"},
    {"::1", "[{ip,{0,0,0,0,0,0,0,1}}]", "::1"},
    {"::1", "[inet6,{port,0}]", "::1"},
};

Test(creation, with_a_local_address)
{
    struct loopback loopback = loopback_start(NULL);
    for (size_t i = 0; i < sizeof(locals) / sizeof(locals[0]); i++) {
        struct trio trio = trio_open(&loopback, locals[i].address, "[]", locals[i].options);
        expect_local(trio.connected, locals[i].local);
        trio_close(&trio);
    }
    weir_socket listener = listen_on(&loopback, NULL, "[{ip,loopback}]");
    weir_socket listener6 = listen_on(&loopback, NULL, "[inet6,{ip,loopback}]");
    expect_local(listener, "127.0.0.1");
    expect_local(listener6, "::1");
    listener = listen_on(&loopback, NULL, "[{ip,{0,0,0,0,0,0,0,1}}]");
    expect_local(listener, "::1");
    loopback_close(&loopback);
}

/* v4 reaches an inet6 listener unless it is inet6 only. */
Test(creation, of_both_families)
{
    struct loopback loopback = loopback_start(NULL);
    weir_socket both = listen_on(&loopback, NULL, "[inet6,{active,false}]");
    int peer = peer_connect(weir_port(both));
    weir_socket socket = accept_from(&loopback, both);
    expect_local(socket, "::ffff:127.0.0.1");
    expect_reading(socket, "[ipv6_v6only,tclass,recvtclass]",
                   "[{ipv6_v6only,false},{tclass,0},{recvtclass,false}]");
    weir_socket only = listen_on(&loopback, NULL, "[inet6,{ipv6_v6only,true}]");
    expect_reading(only, "[ipv6_v6only]", "[{ipv6_v6only,true}]");
    weir_socket refused;
    GIVES(weir_tcp_connect(loopback.runtime, "127.0.0.1", (uint16_t)weir_port(only), none,
                           weir_mailed_to(loopback.mailbox), WAIT_MS, &refused),
          -ECONNREFUSED);
    GIVES(set(only, "[{ipv6_v6only,false}]"), -EINVAL);
    expect_said("ipv6_v6only");
    GIVES(try_connect(&loopback, "[{ipv6_v6only,true}]"), WEIR_BADARG);
    peer_leave(&peer);
    loopback_close(&loopback);
}

Test(creation, on_a_device)
{
    struct loopback loopback = loopback_start(NULL);
    struct trio trio = trio_open(&loopback, "127.0.0.1", "[{bind_to_device,<<\"lo\">>}]",
                                 "[{bind_to_device,<<\"lo\">>}]");
    expect_reading(trio.listener, "[bind_to_device]", "[{bind_to_device,<<\"lo\">>}]");
    expect_reading(trio.accepted, "[bind_to_device]", "[{bind_to_device,<<\"lo\">>}]");
    GIVES(try_listen(&loopback, "[{bind_to_device,<<\"nosuch\">>}]"), -ENODEV);
    loopback_close(&loopback);
}

/* The time-outs that keep a connection honest, given at either end. */
Test(creation, with_timers_and_congestion_control)
{
#define TIMERS                                                                       \
    "[{congestion,<<\"reno\">>},{tcp_keepcnt,4},{tcp_keepidle,7},{tcp_keepintvl,2}," \
    "{user_timeout,9000},{keepalive,true}]"
    struct loopback loopback = loopback_start(NULL);
    struct trio trio = trio_open(&loopback, "127.0.0.1", TIMERS, TIMERS);
    const char *request =
        "[congestion,tcp_keepcnt,tcp_keepidle,tcp_keepintvl,user_timeout,keepalive]";
    expect_reading(trio.connected, request, TIMERS);
    expect_reading(trio.accepted, request, TIMERS);
    expect_reading(trio.listener, request, TIMERS);
    GIVES(try_connect(&loopback, "[{congestion,<<\"nosuch\">>}]"), -ENOENT);
    expect_said("option congestion");
    loopback_close(&loopback);
}

static int send_in_syn(int port, const char *text)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ssize_t sent = sendto(fd, text, strlen(text), MSG_FASTOPEN, (struct sockaddr *)&to, sizeof(to));
    cr_assert(sent == (ssize_t)strlen(text), "sendto: %s", strerror(errno));
    return fd;
}

Test(creation, with_data_in_the_first_segment)
{
    struct loopback loopback = loopback_start(NULL);
    weir_socket listener = listen_on(&loopback, "127.0.0.1", "[{fastopen,5},{active,false}]");
    expect_reading(listener, "[fastopen]", "[{fastopen,5}]");
    for (int i = 0; i < 2; i++) { /* the second has a cookie, where the system gives one */
        int peer = send_in_syn(weir_port(listener), "early");
        weir_socket socket = accept_from(&loopback, listener);
        expect_received(socket, 5, "early");
        weir_close(socket);
        peer_leave(&peer);
    }
    loopback_close(&loopback);
}

/* A namespace of its own has no route to here, and the port is free there. */
static bool make_namespace(const char *path)
{
    char command[128];
    snprintf(command, sizeof(command), "ip netns add %s 2>/dev/null", path);
    return system(command) == 0;
}

Test(creation, in_another_namespace)
{
    char name[32];
    char text[96];
    snprintf(name, sizeof(name), "weir-test-%d", (int)getpid());
    if (!make_namespace(name))
        cr_skip_test("no network namespaces here");
    struct loopback loopback = loopback_start(NULL);
    weir_socket here = listen_on(&loopback, "127.0.0.1", "[]");
    weir_socket there;
    snprintf(text, sizeof(text), "/run/netns/%s", name);
    const weir_option options[] = {WEIR_NETNS(text), {.id = WEIR_OPTION_END}};
    GIVES(weir_tcp_listen(loopback.runtime, "0.0.0.0", (uint16_t)weir_port(here), options, &there),
          0);
    cr_expect(weir_port(there) == weir_port(here));
    weir_socket refused;
    GIVES(weir_tcp_connect(loopback.runtime, "127.0.0.1", (uint16_t)weir_port(here), options,
                           weir_mailed_to(loopback.mailbox), WAIT_MS, &refused),
          -ENETUNREACH);
    snprintf(text, sizeof(text), "/run/netns/no-such-%s", name);
    GIVES(weir_tcp_listen(loopback.runtime, "0.0.0.0", 0, options, &refused), -ENOENT);
    loopback_close(&loopback);
    snprintf(text, sizeof(text), "ip netns delete %s", name);
    cr_expect(system(text) == 0);
}
