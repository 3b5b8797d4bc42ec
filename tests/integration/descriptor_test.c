/* SPDX-License-Identifier: MIT */
/* {fd,_} and {netns,_}: what is the caller's, and what is not what it should be. */
#include "support/loopback.h"

#include "address/address.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static int stream_of(int family)
{
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    cr_assert(fd >= 0);
    return fd;
}

enum { NO_IP, IP_ANY, IP_LOOPBACK, IP_INET, IP_INET6, IP_COUNT };

/* {ip,_} as an option; its place is static for as long as the call. */
static const weir_option *options_of(int fd, int ip)
{
    static weir_option options[4];
    weir_address inet;
    weir_address inet6;
    cr_assert(weir_address_parse("127.0.0.1", &inet) == 0 &&
              weir_address_parse("::1", &inet6) == 0);
    const weir_option ips[IP_COUNT] = {
        [IP_ANY] = WEIR_IP_ANY(),
        [IP_LOOPBACK] = WEIR_IP_LOOPBACK(),
        [IP_INET] = WEIR_IP(inet),
        [IP_INET6] = WEIR_IP(inet6),
    };
    int count = 0;
    options[count++] = (weir_option)WEIR_FD(fd);
    options[count++] = (weir_option)WEIR_ACTIVE(WEIR_ACTIVE_FALSE);
    if (ip != NO_IP)
        options[count++] = ips[ip];
    options[count] = (weir_option){0};
    return options;
}

/* Where listening is told to be, in the descriptor's family; NULL: it is of the other one. */
static const char *expected_place(int family, const char *address, int ip)
{
    bool inet = family == AF_INET;
    if (address)
        return (strchr(address, ':') == NULL) != inet ? NULL : address;
    if (ip == IP_INET)
        return inet ? "127.0.0.1" : NULL;
    if (ip == IP_INET6)
        return inet ? NULL : "::1";
    if (ip == IP_LOOPBACK)
        return inet ? "127.0.0.1" : "::1";
    return inet ? "0.0.0.0" : "::";
}

static bool contradicts(const char *address, int ip)
{
    bool inet = address && !strchr(address, ':');
    return address && ((ip == IP_INET && !inet) || (ip == IP_INET6 && inet));
}

static void listen_on(struct loopback *loopback, int family, const char *address, int ip)
{
    char text[WEIR_ADDRESS_TEXT_SIZE] = "";
    weir_address bound;
    weir_socket listener;
    int fd = stream_of(family);
    const char *place = contradicts(address, ip) ? NULL : expected_place(family, address, ip);
    int result = weir_tcp_listen(loopback->runtime, address, 0, options_of(fd, ip), &listener);
    cr_assert(result == (place ? 0 : WEIR_BADARG), "family %d, %s, ip %d: %s (%s)", family,
              address ? address : "-", ip, result_text(result), weir_last_error_text());
    if (!place) {
        cr_expect(fcntl(fd, F_GETFL) & O_NONBLOCK, "the descriptor waits now");
        close(fd);
        return;
    }
    GIVES(weir_sockname(listener, &bound), 0);
    cr_expect_str_eq(weir_address_format(&bound, text), place);
    GIVES(weir_close(listener), 0);
}

Test(descriptor, listens_where_it_was_told_to_or_nowhere)
{
    static const char *const addresses[] = {NULL, "0.0.0.0", "127.0.0.1", "::", "::1"};
    static const int families[] = {AF_INET, AF_INET6};
    struct loopback loopback = loopback_start(NULL);
    for (size_t f = 0; f < 2; f++)
        for (size_t a = 0; a < 5; a++)
            for (int ip = NO_IP; ip < IP_COUNT; ip++)
                listen_on(&loopback, families[f], addresses[a], ip);
    loopback_close(&loopback);
}

Test(descriptor, of_the_other_family_does_not_connect)
{
    weir_socket socket;
    struct loopback loopback = loopback_start(NULL);
    int fd = stream_of(AF_INET6);
    GIVES(weir_tcp_connect(loopback.runtime, "127.0.0.1", 1, options_of(fd, NO_IP),
                           weir_owned_by_nobody(), WAIT_MS, &socket),
          -EAFNOSUPPORT);
    cr_expect(fcntl(fd, F_GETFL) & O_NONBLOCK);
    close(fd);
    loopback_close(&loopback);
}

static void expect_as_it_was(int fd, bool waited)
{
    cr_expect(((fcntl(fd, F_GETFL) & O_NONBLOCK) == 0) == waited);
    close(fd);
}

/* Nobody listens on the port that it is bound to. */
static void fail_to_connect(struct loopback *loopback, int fd)
{
    int port;
    weir_socket socket;
    struct answer answer = {0};
    int refusing = peer_bind(&port);
    GIVES(weir_tcp_connect(loopback->runtime, "127.0.0.1", (uint16_t)port, options_of(fd, NO_IP),
                           weir_owned_by_nobody(), WAIT_MS, &socket),
          -ECONNREFUSED);
    GIVES(weir_tcp_connect_async(loopback->runtime, "127.0.0.1", (uint16_t)port,
                                 options_of(fd, NO_IP), weir_owned_by_nobody(), WAIT_MS,
                                 answer_opened, &answer),
          0);
    GIVES(answer_wait(&answer), -ECONNREFUSED);
    close(refusing);
}

Test(descriptor, is_as_it_was_when_a_call_fails)
{
    struct loopback loopback = loopback_open("[]");
    struct sockaddr_in taken = {.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)weir_port(loopback.listener))};
    taken.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (int waits = 0; waits < 2; waits++) {
        weir_socket socket;
        int fd = stream_of(AF_INET);
        cr_assert(!waits || fcntl(fd, F_SETFL, 0) == 0);
        fail_to_connect(&loopback, fd);
        GIVES(weir_tcp_listen(loopback.runtime, "127.0.0.1", ntohs(taken.sin_port),
                              options_of(fd, NO_IP), &socket),
              -EADDRINUSE);
        expect_as_it_was(fd, waits);
    }
    loopback_close(&loopback);
}

static int listen_in(struct loopback *loopback, const char *netns)
{
    weir_socket listener;
    return weir_tcp_listen(loopback->runtime, NULL, 0, WEIR_OPTIONS(WEIR_NETNS(netns)), &listener);
}

/* A FIFO nobody writes to would keep who opens it for ever. */
Test(descriptor, a_network_namespace_that_is_none_is_refused)
{
    char folder[] = "/tmp/weirXXXXXX";
    char fifo[sizeof(folder) + 8];
    cr_assert(mkdtemp(folder));
    snprintf(fifo, sizeof(fifo), "%s/fifo", folder);
    cr_assert(mkfifo(fifo, 0600) == 0);
    struct loopback loopback = loopback_start(NULL);
    GIVES(listen_in(&loopback, fifo), -EINVAL);
    GIVES(listen_in(&loopback, folder), -EINVAL);
    GIVES(listen_in(&loopback, "/dev/null"), -EINVAL);
    GIVES(listen_in(&loopback, "/none/such"), -ENOENT);
    loopback_close(&loopback);
    unlink(fifo);
    rmdir(folder);
}

/* tcp_info of a listener has its backlog here. */
static uint32_t backlog_of(weir_socket listener)
{
    for (int fd = 0; fd < 256; fd++) {
        struct sockaddr_in name = {0};
        struct tcp_info info = {0};
        int listens = 0;
        socklen_t size = sizeof(name);
        socklen_t info_size = sizeof(info);
        socklen_t int_size = sizeof(listens);
        if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &int_size) == 0 && listens &&
            getsockname(fd, (struct sockaddr *)&name, &size) == 0 &&
            ntohs(name.sin_port) == weir_port(listener) &&
            getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &info_size) == 0)
            return info.tcpi_sacked;
    }
    cr_assert(false, "no listener");
    return 0;
}

static uint32_t most_backlog(void)
{
    unsigned most = 0;
    FILE *file = fopen("/proc/sys/net/core/somaxconn", "r");
    cr_assert(file && fscanf(file, "%u", &most) == 1);
    fclose(file);
    return most;
}

static void accepted(weir_socket socket, void *data)
{
    (void)data;
    weir_close(socket);
}

static uint32_t backlog_of_service(struct loopback *loopback, const weir_option *options)
{
    static const weir_handler handler = {.accepted = accepted};
    weir_socket listener;
    GIVES(weir_tcp_serve(loopback->runtime, "127.0.0.1", 0, options,
                         weir_handled_by(&handler, NULL), &listener),
          0);
    return backlog_of(listener);
}

Test(descriptor, a_service_has_the_longest_backlog_and_a_listener_the_documents)
{
    struct loopback loopback = loopback_open("[]");
    cr_expect(backlog_of(loopback.listener) == 5);
    cr_expect(backlog_of_service(&loopback, NULL) == most_backlog());
    cr_expect(backlog_of_service(&loopback, WEIR_OPTIONS(WEIR_BACKLOG(7))) == 7);
    loopback_close(&loopback);
}

static int free_port(int family)
{
    weir_address bound;
    struct sockaddr_storage name = {.ss_family = (sa_family_t)family};
    socklen_t size = sizeof(name);
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert(bind(fd, (struct sockaddr *)&name, size) == 0);
    cr_assert(getsockname(fd, (struct sockaddr *)&name, &size) == 0);
    cr_assert(address_from_sockaddr(&name, &bound) == 0);
    close(fd);
    return bound.port;
}

/* Of its own family, whichever that is, and with the port that listen was told. */
Test(descriptor, listens_on_the_port_that_it_was_told)
{
    static const int families[] = {AF_INET, AF_INET6};
    struct loopback loopback = loopback_start(NULL);
    for (size_t i = 0; i < 2; i++) {
        weir_address bound;
        weir_socket listener;
        int port = free_port(families[i]);
        GIVES(weir_tcp_listen(loopback.runtime, NULL, (uint16_t)port,
                              options_of(stream_of(families[i]), NO_IP), &listener),
              0);
        GIVES(weir_sockname(listener, &bound), 0);
        cr_expect(bound.port == port && bound.family == families[i], "port %d, not %d", bound.port,
                  port);
        GIVES(weir_close(listener), 0);
    }
    loopback_close(&loopback);
}

/* It is a number like any other: whoever has closed his standard input gets it. */
Test(descriptor, may_be_number_0)
{
    struct loopback loopback = loopback_start(NULL);
    weir_socket listener;
    close(0);
    GIVES(weir_tcp_listen(loopback.runtime, "127.0.0.1", 0, WEIR_OPTIONS(WEIR_KEEPALIVE(true)),
                          &listener),
          0);
    cr_expect(fcntl(0, F_GETFD) >= 0, "it is not the one with number 0");
    cr_expect(get(listener, WEIR_OPTION_KEEPALIVE) == 1, "its options were not set");
    GIVES(weir_close(listener), 0);
    EVENTUALLY(fcntl(0, F_GETFD) < 0);
    int other = stream_of(AF_INET);
    cr_assert(other == 0);
    GIVES(weir_tcp_listen(loopback.runtime, NULL, 0, options_of(0, NO_IP), &listener), 0);
    GIVES(weir_close(listener), 0);
    EVENTUALLY(fcntl(0, F_GETFD) < 0);
    int far = fcntl(stream_of(AF_INET), F_DUPFD, 100);
    close(0); /* what is given away lies at 100, so its duplicate is 0 */
    GIVES(weir_tcp_listen(loopback.runtime, NULL, 0, options_of(far, NO_IP), &listener), 0);
    cr_expect(!(fcntl(0, F_GETFL) & O_NONBLOCK), "it was not prepared");
    GIVES(weir_close(listener), 0);
    loopback.descriptors--;
    loopback_close(&loopback);
}
