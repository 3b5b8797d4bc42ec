/* SPDX-License-Identifier: MIT */
/*
 * Two network namespaces as two hosts, an Ethernet with an MTU of 1,500 between them: runs are cut
 * apart and put together for real, and refused for real. Skips without the privilege to make them.
 */
#include "integration/plain.h"

#include <stdio.h>
#include <stdlib.h>

static char names[2][32];

static bool set_up_hosts(void)
{
    char command[1024];
    for (int i = 0; i < 2; i++)
        snprintf(names[i], sizeof(names[i]), "weir-udp-%d-%d", (int)getpid(), i);
    snprintf(command, sizeof(command),
             "exec 2>/dev/null; ip netns add %1$s && ip netns add %2$s && "
             "ip -n %1$s link add wire index 77 type veth peer name wire index 77 netns %2$s && "
             "ip -n %1$s addr add 10.77.0.1/24 broadcast 10.77.0.255 dev wire && "
             "ip -n %2$s addr add 10.77.0.2/24 broadcast 10.77.0.255 dev wire && "
             "ip -n %1$s addr add fd77::1/64 dev wire nodad && "
             "ip -n %2$s addr add fd77::2/64 dev wire nodad && "
             "ip -n %1$s link set wire up && ip -n %2$s link set wire up && "
             "ip -n %1$s route add default via 10.77.0.9",
             names[0], names[1]);
    return system(command) == 0;
}

static void take_down_hosts(void)
{
    char command[128];
    snprintf(command, sizeof(command), "ip netns del %s 2>/dev/null; ip netns del %s 2>/dev/null",
             names[0], names[1]);
    (void)!system(command);
}

struct hosts {
    struct loopback loopback;
    weir_socket here;
    weir_socket there;
};

static weir_socket open_on(struct loopback *loopback, int host, const char *options)
{
    char text[512];
    snprintf(text, sizeof(text), "[binary,{active,false},{netns,\"/run/netns/%s\"},%s]",
             names[host], options);
    return open_with(loopback, text, weir_owned_by_nobody());
}

static struct hosts open_hosts(const char *here, const char *there)
{
    if (!set_up_hosts()) {
        take_down_hosts();
        cr_skip_test("no network namespaces to be had");
    }
    struct hosts hosts = {.loopback = loopback_start(NULL)};
    hosts.here = open_on(&hosts.loopback, 0, here);
    hosts.there = open_on(&hosts.loopback, 1, there);
    return hosts;
}

static void close_hosts(struct hosts *hosts)
{
    loopback_close(&hosts->loopback);
    take_down_hosts();
}

static weir_address at(const char *text, weir_socket socket)
{
    weir_address address;
    GIVES(weir_address_parse(text, &address), 0);
    address.port = (uint16_t)weir_port(socket);
    return address;
}

struct burst {
    weir_socket socket;
    weir_address to;
    int count;
    size_t size;
};

static void send_burst(void *data)
{
    const struct burst *burst = data;
    static char bytes[4000];
    for (int i = 0; i < burst->count; i++) {
        memset(bytes, 'a' + i % 26, burst->size);
        GIVES(weir_udp_send(burst->socket, &burst->to, bytes, burst->size), 0);
    }
}

static void expect_burst(weir_socket socket, int count, size_t size)
{
    for (int i = 0; i < count; i++) {
        weir_packet packet;
        GIVES(weir_udp_recv(socket, WAIT_MS, &packet), 0);
        cr_assert(packet.size == size && packet.bytes[0] == 'a' + i % 26 &&
                      packet.bytes[size - 1] == packet.bytes[0],
                  "%zu bytes of %c as number %d", packet.size, packet.bytes[0], i);
        weir_packet_release(&packet);
    }
}

static uint64_t refused_runs(const struct hosts *hosts)
{
    weir_totals totals;
    GIVES(weir_get_totals(hosts->loopback.runtime, -1, &totals), 0);
    return totals.refused_runs;
}

/* From then on runs are cut before they are on the wire, which takes them whole otherwise. */
static void cut_before_the_wire(void)
{
    char command[128];
    snprintf(command, sizeof(command), "ip -n %s link set wire gso_max_segs 1", names[0]);
    cr_assert(system(command) == 0);
}

Test(udp_hosts, runs_cross_the_wire_whole_and_cut_with_and_without_gro)
{
    enum { COUNT = 40, SIZE = 1400, ROUNDS = 4 };
    struct hosts hosts =
        open_hosts("{ip,{10,77,0,1}},{sndbuf,400000}", "{ip,{10,77,0,2}},{recbuf,400000}");
    struct burst burst = {hosts.here, at("10.77.0.2", hosts.there), COUNT, SIZE};
    for (int round = 0; round < ROUNDS; round++) {
        GIVES(set(hosts.there, round % 2 ? "[{udp_gro,true}]" : "[{udp_gro,false}]"), 0);
        if (round == 2)
            cut_before_the_wire();
        run_there(hosts.loopback.runtime, 0, send_burst, &burst);
        expect_burst(hosts.there, COUNT, SIZE);
    }
    cr_expect(refused_runs(&hosts) == 0);
    close_hosts(&hosts);
}

/* Segments that are longer than the path takes are refused late; each goes out as fragments. */
Test(udp_hosts, segments_that_the_path_does_not_take_are_sent_one_by_one)
{
    enum { COUNT = 10, SIZE = 2000, ROUNDS = 3 };
    struct hosts hosts =
        open_hosts("{ip,{10,77,0,1}},{sndbuf,400000}", "{ip,{10,77,0,2}},{recbuf,400000}");
    struct burst burst = {hosts.here, at("10.77.0.2", hosts.there), COUNT, SIZE};
    for (int round = 0; round < ROUNDS; round++) {
        run_there(hosts.loopback.runtime, 0, send_burst, &burst);
        expect_burst(hosts.there, COUNT, SIZE);
    }
    cr_expect(refused_runs(&hosts) == 1, "%lu refused", (unsigned long)refused_runs(&hosts));
    close_hosts(&hosts);
}

/* IP_MTU_DISCOVER is 10, IP_PMTUDISC_DO 2. */
Test(udp_hosts, what_must_not_be_fragmented_is_told_to_be_too_long)
{
    static const char bytes[1473];
    struct hosts hosts = open_hosts("{ip,{10,77,0,1}},{raw,0,10,<<2:32/native>>}",
                                    "{ip,{10,77,0,2}},{recbuf,100000}");
    weir_address to = at("10.77.0.2", hosts.there);
    weir_packet packet;
    GIVES(weir_udp_send(hosts.here, &to, bytes, 1473), -EMSGSIZE);
    GIVES(weir_udp_send(hosts.here, &to, bytes, 1472), 0);
    GIVES(weir_udp_recv(hosts.there, WAIT_MS, &packet), 0);
    cr_expect(packet.size == 1472);
    weir_packet_release(&packet);
    close_hosts(&hosts);
}

static void expect_datagram(weir_socket socket, const char *text)
{
    weir_packet packet;
    GIVES(weir_udp_recv(socket, WAIT_MS, &packet), 0);
    cr_assert(packet.size == strlen(text) && memcmp(packet.bytes, text, packet.size) == 0,
              "%.*s instead of %s", (int)packet.size, packet.bytes, text);
    weir_packet_release(&packet);
}

Test(udp_hosts, broadcasts_are_sent_by_who_asks_for_it)
{
    struct hosts hosts = open_hosts("{ip,{10,77,0,1}}", "{pktinfo,true},{recvttl,true}");
    weir_address to = at("10.77.0.255", hosts.there);
    weir_packet packet;
    GIVES(weir_udp_send(hosts.here, &to, "all", 3), -EACCES);
    GIVES(set(hosts.here, "[{broadcast,true},{ttl,9}]"), 0);
    GIVES(weir_udp_send(hosts.here, &to, "all", 3), 0);
    GIVES(weir_udp_recv(hosts.there, WAIT_MS, &packet), 0);
    cr_expect(packet.size == 3 && packet.datagram->interface == 77 && packet.datagram->ttl == 9);
    weir_packet_release(&packet);
    close_hosts(&hosts);
}

/* A wire that was put up just now loses multicasts for up to a second, whoever sends them; every
 * host is in the group `all`. What came of the trials is gone when what follows them has come. */
static void wait_for_multicasts(const struct hosts *hosts, weir_address all, weir_address there)
{
    weir_packet packet;
    int result = WEIR_TIMEOUT;
    for (int waited_ms = 0; result == WEIR_TIMEOUT && waited_ms < WAIT_MS; waited_ms += 10) {
        GIVES(weir_udp_send(hosts->here, &all, "trial", 5), 0);
        result = weir_udp_recv(hosts->there, 10, &packet);
    }
    GIVES(result, 0);
    GIVES(weir_udp_send(hosts->here, &there, "last", 4), 0);
    while (packet.size != 4) {
        weir_packet_release(&packet);
        GIVES(weir_udp_recv(hosts->there, WAIT_MS, &packet), 0);
    }
    weir_packet_release(&packet);
}

Test(udp_hosts, a_multicast_group_is_joined_and_left)
{
    struct hosts hosts = open_hosts("{ip,{10,77,0,1}},{multicast_if,{10,77,0,1}},"
                                    "{multicast_ttl,3},{multicast_loop,false}",
                                    "{add_membership,{{239,7,7,7},{10,77,0,2}}},{recvttl,true}");
    weir_address to = at("239.7.7.7", hosts.there);
    weir_packet packet;
    wait_for_multicasts(&hosts, at("224.0.0.1", hosts.there), at("10.77.0.2", hosts.there));
    GIVES(weir_udp_send(hosts.here, &to, "group", 5), 0);
    GIVES(weir_udp_recv(hosts.there, WAIT_MS, &packet), 0);
    cr_expect(packet.size == 5 && packet.datagram->ttl == 3);
    weir_packet_release(&packet);
    GIVES(set(hosts.there, "[{drop_membership,{{239,7,7,7},{10,77,0,2}}}]"), 0);
    GIVES(weir_udp_send(hosts.here, &to, "gone", 4), 0);
    to = at("10.77.0.2", hosts.there);
    GIVES(weir_udp_send(hosts.here, &to, "directly", 8), 0);
    expect_datagram(hosts.there, "directly");
    close_hosts(&hosts);
}

/* IPPROTO_IPV6 is 41, IPV6_MULTICAST_HOPS 18: recvttl tells of IPv4 only. */
static void expect_hops(weir_socket socket, int hops)
{
    int found = 0;
    weir_option wanted = WEIR_RAW_REQUEST(41, 18, &found, sizeof(found));
    GIVES(weir_getopts(socket, &wanted, 1), 1);
    cr_expect(found == hops, "%d hops", found);
}

/* 77 is the wire's index on either side, as a group's scope in an address too. */
Test(udp_hosts, an_inet6_group_is_joined_and_left)
{
    struct hosts hosts = open_hosts("inet6,{multicast_if,77},{multicast_ttl,3},"
                                    "{multicast_loop,false}",
                                    "inet6,{add_membership,{{16#ff02,0,0,0,0,0,0,16#77},77}},"
                                    "{pktinfo,true}");
    weir_address to = at("ff02::77", hosts.there);
    weir_packet packet;
    expect_hops(hosts.here, 3);
    wait_for_multicasts(&hosts, at("ff02::1%77", hosts.there), at("fd77::2", hosts.there));
    GIVES(weir_udp_send(hosts.here, &to, "group", 5), 0);
    GIVES(weir_udp_recv(hosts.there, WAIT_MS, &packet), 0);
    cr_expect(packet.size == 5 && packet.datagram->interface == 77);
    cr_expect(memcmp(packet.datagram->destination.bytes, to.bytes, sizeof(to.bytes)) == 0);
    weir_packet_release(&packet);
    GIVES(set(hosts.here, "[{multicast_if,1}]"), 0);
    (void)!weir_udp_send(hosts.here, &to, "astray", 6); /* fails, or gets nowhere */
    GIVES(set(hosts.here, "[{multicast_if,77}]"), 0);
    GIVES(set(hosts.there, "[{drop_membership,{{16#ff02,0,0,0,0,0,0,16#77},77}}]"), 0);
    GIVES(weir_udp_send(hosts.here, &to, "gone", 4), 0);
    to = at("fd77::2", hosts.there);
    GIVES(weir_udp_send(hosts.here, &to, "directly", 8), 0);
    expect_datagram(hosts.there, "directly");
    close_hosts(&hosts);
}

/* Without multicast_if the address says by which interface. Nobody else is in the group. */
Test(udp_hosts, an_inet6_multicast_comes_back_to_who_asks_for_it)
{
    struct hosts hosts = open_hosts("inet6,{add_membership,{{16#ff02,0,0,0,0,0,0,16#77},77}}",
                                    "inet6,{ip,{16#fd77,0,0,0,0,0,0,2}}");
    weir_address to = at("ff02::77%77", hosts.here);
    GIVES(set(hosts.here, "[{multicast_loop,false}]"), 0);
    GIVES(weir_udp_send(hosts.here, &to, "away", 4), 0);
    GIVES(set(hosts.here, "[{multicast_loop,true}]"), 0);
    GIVES(weir_udp_send(hosts.here, &to, "back", 4), 0);
    expect_datagram(hosts.here, "back");
    close_hosts(&hosts);
}

Test(udp_hosts, a_device_is_bound_to)
{
    struct hosts hosts = open_hosts("{bind_to_device,<<\"wire\">>}", "{ip,{10,77,0,2}}");
    weir_address to = at("10.77.0.2", hosts.there);
    weir_packet packet;
    weir_socket other = open_on(&hosts.loopback, 0, "{bind_to_device,<<\"lo\">>}");
    (void)!weir_udp_send(other, &to, "astray", 6); /* fails, or gets nowhere */
    GIVES(weir_udp_send(hosts.here, &to, "wire", 4), 0);
    expect_datagram(hosts.there, "wire");
    GIVES(weir_udp_recv(hosts.there, 0, &packet), WEIR_TIMEOUT);
    close_hosts(&hosts);
}

/* 192.0.2.1 is behind a router. */
Test(udp_hosts, what_is_not_to_be_routed_is_not)
{
    struct hosts hosts = open_hosts("{dontroute,false}", "{ip,{10,77,0,2}}");
    weir_address to = at("10.77.0.2", hosts.there);
    weir_address far = at("192.0.2.1", hosts.there);
    GIVES(weir_udp_send(hosts.here, &far, "far", 3), 0);
    GIVES(set(hosts.here, "[{dontroute,true}]"), 0);
    GIVES(weir_udp_send(hosts.here, &far, "far", 3), -ENETUNREACH);
    GIVES(weir_udp_send(hosts.here, &to, "near", 4), 0);
    expect_datagram(hosts.there, "near");
    close_hosts(&hosts);
}
