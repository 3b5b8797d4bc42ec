/* SPDX-License-Identifier: MIT */
/* In a network of their own: few ports, and addresses that only a link knows. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "scenario.h"
#include <weir/weir.h>

/* As the kernel has it: linux/ipv6.h and netinet/in.h do not go together. */
struct address_request {
    struct in6_addr address;
    uint32_t prefix_bits;
    int interface;
};

static bool enter_new_network(void)
{
    struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
    if (unshare(CLONE_NEWNET) < 0)
        return false;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    EXPECT(ioctl(fd, SIOCSIFFLAGS, &request) == 0, "lo: %s", strerror(errno));
    close(fd);
    return true;
}

static bool add_address(const char *text)
{
    struct address_request request = {.prefix_bits = 64, .interface = (int)if_nametoindex("lo")};
    inet_pton(AF_INET6, text, &request.address);
    int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool added = fd >= 0 && ioctl(fd, SIOCSIFADDR, &request) == 0;
    close(fd);
    return added;
}

/* The kernel makes sure first that nobody else has it. */
static void wait_for_address(const char *text)
{
    struct sockaddr_in6 name = {.sin6_family = AF_INET6, .sin6_scope_id = if_nametoindex("lo")};
    inet_pton(AF_INET6, text, &name.sin6_addr);
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    while (bind(fd, (struct sockaddr *)&name, sizeof(name)) < 0)
        EXPECT(errno == EADDRNOTAVAIL, "%s: %s", text, strerror(errno));
    close(fd);
}

static weir_runtime *started(void)
{
    weir_runtime *runtime;
    int result = weir_start(&runtime, &(weir_config){.schedulers = 1});
    EXPECT(result == 0, "start: %s", weir_last_error_text());
    return runtime;
}

static void write_text(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    EXPECT(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text), "%s: %s", path,
           strerror(errno));
    close(fd);
}

static void connect_all(weir_runtime *runtime, const char *servers, const char *own)
{
    enum { SERVERS = 5, EACH = 8 };
    weir_address address;
    char host[32];
    EXPECT(weir_address_parse(own, &address) == 0, "%s", own);
    for (int i = 0; i < SERVERS * EACH; i++) {
        weir_socket socket;
        snprintf(host, sizeof(host), servers, 2 + i % SERVERS);
        int result = weir_tcp_connect(
            runtime, host, 700, WEIR_OPTIONS(WEIR_ACTIVE(WEIR_ACTIVE_FALSE), WEIR_IP(address)),
            weir_owned_by_nobody(), 10000, &socket);
        EXPECT(result == 0, "connection %d, to %s: %s", i, host, weir_last_error_text());
    }
}

/* Each of eight to a server has a port of its own; servers share them. */
static int ports_are_chosen_when_it_is_known_where_to(void)
{
    weir_socket listener;
    if (!enter_new_network())
        return SCENARIO_SKIPPED;
    write_text("/proc/sys/net/ipv4/ip_local_port_range", "40000 40009");
    weir_runtime *runtime = started();
    int result = weir_tcp_listen(runtime, "::", 700, WEIR_OPTIONS(WEIR_BACKLOG(1000)), &listener);
    EXPECT(result == 0, "listen: %s", weir_last_error_text());
    connect_all(runtime, "127.0.0.%d", "127.0.0.1");
    weir_stop(runtime);
    return 0;
}

static void meet_at(weir_runtime *runtime, const char *address)
{
    weir_socket listener;
    weir_socket socket;
    const weir_option *passive = WEIR_OPTIONS(WEIR_ACTIVE(WEIR_ACTIVE_FALSE));
    int result = weir_tcp_listen(runtime, address, 0, passive, &listener);
    EXPECT(result == 0, "listen on %s: %s", address, weir_last_error_text());
    result = weir_tcp_connect(runtime, address, (uint16_t)weir_port(listener), passive,
                              weir_owned_by_nobody(), 10000, &socket);
    EXPECT(result == 0, "connect to %s: %s", address, weir_last_error_text());
    weir_close(socket);
    weir_close(listener);
}

static void miss(weir_runtime *runtime, const char *address)
{
    weir_socket socket;
    const weir_option *passive = WEIR_OPTIONS(WEIR_ACTIVE(WEIR_ACTIVE_FALSE));
    int result = weir_tcp_listen(runtime, address, 0, passive, &socket);
    EXPECT(result == WEIR_BADARG, "listen on %s: %s", address, weir_error_name(result));
    result = weir_tcp_connect(runtime, address, 1, passive, weir_owned_by_nobody(), 10000, &socket);
    EXPECT(result == WEIR_NXDOMAIN, "connect to %s: %s", address, weir_error_name(result));
    EXPECT(strstr(weir_last_error_text(), "interface"), "%s", weir_last_error_text());
}

static int addresses_of_a_link_are_found(void)
{
    char by_index[64];
    if (!enter_new_network() || !add_address("fe80::77"))
        return SCENARIO_SKIPPED;
    wait_for_address("fe80::77");
    weir_runtime *runtime = started();
    snprintf(by_index, sizeof(by_index), "fe80::77%%%u", if_nametoindex("lo"));
    meet_at(runtime, "fe80::77%lo");
    meet_at(runtime, by_index);
    snprintf(by_index, sizeof(by_index), "fe80::77%%0%u", if_nametoindex("lo"));
    meet_at(runtime, by_index);
    miss(runtime, "fe80::77%nowhere");
    weir_stop(runtime);
    return 0;
}

int main(void)
{
    static const struct scenario scenarios[] = {
        {"ports are chosen when it is known where to", ports_are_chosen_when_it_is_known_where_to},
        {"addresses of a link are found", addresses_of_a_link_are_found},
    };
    return scenarios_run(scenarios, sizeof(scenarios) / sizeof(scenarios[0]));
}
