/* SPDX-License-Identifier: MIT */
/* {udp_gro,true}: what the kernel has put together is told one by one. */
#include "integration/plain.h"

#include <netinet/udp.h>
#include <stdatomic.h>

#include "base/memory.h"

/* A run that the kernel does not cut apart before it is with who takes runs. */
static void send_run(const struct plain *plain, weir_socket to, size_t size, uint16_t segment)
{
    static char bytes[65507];
    int on = segment;
    for (size_t i = 0; i < size; i++)
        bytes[i] = (char)('a' + i / segment % 26);
    cr_assert(setsockopt(plain->fd, IPPROTO_UDP, UDP_SEGMENT, &on, sizeof(on)) == 0);
    plain_send(plain, to, bytes, size);
    on = 0;
    cr_assert(setsockopt(plain->fd, IPPROTO_UDP, UDP_SEGMENT, &on, sizeof(on)) == 0);
}

static void expect_number(const weir_packet *packet, const struct plain *plain, int number,
                          size_t size)
{
    char letter = (char)('a' + number % 26);
    cr_assert(packet->size == size, "number %d has %zu bytes", number, packet->size);
    for (size_t i = 0; i < size; i++)
        cr_assert(packet->bytes[i] == (uint8_t)letter, "number %d says %c", number,
                  packet->bytes[i]);
    cr_assert(weir_address_equal(&packet->datagram->source, &plain->address));
}

static weir_socket open_taking_runs(struct loopback *loopback, const char *options)
{
    weir_socket socket = open_with(loopback, options, weir_owned_by_nobody());
    cr_assert(get(socket, WEIR_OPTION_UDP_GRO) == 1);
    return socket;
}

Test(udp_gro, a_run_is_told_one_by_one_with_all_that_is_known_of_it)
{
    enum { COUNT = 30, SIZE = 1000, LAST = 70 };
    struct loopback loopback = loopback_start(NULL);
    struct plain plain = plain_open();
    weir_socket socket = open_taking_runs(
        &loopback, "[{ip,{127,0,0,1}},{active,false},{recbuf,400000},{udp_gro,true},{recvttl,true},"
                   "{timestamp,true}]");
    send_run(&plain, socket, COUNT * SIZE + LAST, SIZE);
    for (int i = 0; i <= COUNT; i++) {
        weir_packet packet;
        GIVES(weir_udp_recv(socket, WAIT_MS, &packet), 0);
        expect_number(&packet, &plain, i, i < COUNT ? SIZE : LAST);
        cr_assert(!packet.datagram->truncated && packet.datagram->ttl == 64);
        cr_assert(packet.datagram->received_ns > 0);
        weir_packet_release(&packet);
    }
    weir_packet none;
    GIVES(weir_udp_recv(socket, 0, &none), WEIR_TIMEOUT);
    cr_expect(statistics_of(socket).recv_cnt == COUNT + 1);
    cr_expect(statistics_of(socket).recv_oct == COUNT * SIZE + LAST);
    plain_say(&plain, socket, "alone");
    expect_receive(socket, &plain, "alone");
    plain_say(&plain, socket, "");
    expect_receive(socket, &plain, "");
    end(&loopback, &plain);
}

Test(udp_gro, each_of_a_run_is_cut_by_itself)
{
    enum { COUNT = 4, SIZE = 100, LAST = 40, BUFFER = 60 };
    struct loopback loopback = loopback_start(NULL);
    struct plain plain = plain_open();
    weir_socket socket =
        open_taking_runs(&loopback, "[{ip,{127,0,0,1}},{active,false},{buffer,60},{udp_gro,true}]");
    send_run(&plain, socket, COUNT * SIZE + LAST, SIZE);
    for (int i = 0; i <= COUNT; i++) {
        weir_packet packet;
        GIVES(weir_udp_recv(socket, WAIT_MS, &packet), 0);
        expect_number(&packet, &plain, i, i < COUNT ? BUFFER : LAST);
        cr_assert(packet.datagram->truncated == (i < COUNT), "number %d", i);
        weir_packet_release(&packet);
    }
    end(&loopback, &plain);
}

Test(udp_gro, it_can_be_set_later_and_taken_back)
{
    enum { SIZE = 500 };
    struct loopback loopback = loopback_start(NULL);
    struct plain plain = plain_open();
    weir_socket socket = open_passive(&loopback);
    for (int round = 0; round < 4; round++) {
        GIVES(set(socket, round % 2 ? "[{udp_gro,false}]" : "[{udp_gro,true}]"), 0);
        send_run(&plain, socket, 6 * SIZE, SIZE);
        for (int i = 0; i < 6; i++) {
            weir_packet packet;
            GIVES(weir_udp_recv(socket, WAIT_MS, &packet), 0);
            expect_number(&packet, &plain, i, SIZE);
            weir_packet_release(&packet);
        }
    }
    end(&loopback, &plain);
}

/* The kernel says of what size those of a run are only while it is asked to. */
Test(udp_gro, a_run_that_waits_is_told_one_by_one_though_it_was_taken_back)
{
    enum { COUNT = 6, SIZE = 500, LAST = 70 };
    struct loopback loopback = loopback_start(NULL);
    struct plain plain = plain_open();
    weir_socket socket =
        open_taking_runs(&loopback, "[{ip,{127,0,0,1}},{active,false},{udp_gro,true}]");
    weir_packet packet;
    send_run(&plain, socket, COUNT * SIZE + LAST, SIZE);
    GIVES(set(socket, "[{udp_gro,false}]"), 0);
    send_run(&plain, socket, COUNT * SIZE + LAST, SIZE);
    for (int i = 0; i < 2 * (COUNT + 1); i++) {
        int number = i % (COUNT + 1);
        GIVES(weir_udp_recv(socket, WAIT_MS, &packet), 0);
        expect_number(&packet, &plain, number, number < COUNT ? SIZE : LAST);
        weir_packet_release(&packet);
    }
    GIVES(weir_udp_recv(socket, 0, &packet), WEIR_TIMEOUT);
    cr_expect(get(socket, WEIR_OPTION_UDP_GRO) == 0);
    end(&loopback, &plain);
}

struct counting {
    atomic_int before; /* of the first's, when the second's came */
    atomic_int count;
    weir_socket second;
};

static void note(weir_socket socket, const weir_packet *packet, void *data)
{
    struct counting *counting = data;
    (void)packet;
    if (weir_same_socket(socket, counting->second))
        atomic_store(&counting->before, atomic_load(&counting->count));
    else
        atomic_fetch_add(&counting->count, 1);
}

static const weir_handler counter = {.packet = note};

struct both {
    const struct plain *plain;
    weir_socket first;
    weir_socket second;
};

static void send_both(void *data)
{
    const struct both *both = data;
    send_run(both->plain, both->first, 20000, 1000);
    plain_say(both->plain, both->second, "one");
}

/* It counts datagrams, not receives. */
Test(udp_gro, read_packets_holds_for_runs)
{
    struct loopback loopback = loopback_start(NULL);
    struct plain plain = plain_open();
    struct counting counting = {.before = -1};
    weir_socket first =
        open_with(&loopback, "[{ip,{127,0,0,1}},{recbuf,200000},{read_packets,3},{udp_gro,true}]",
                  weir_handled_by(&counter, &counting));
    counting.second =
        open_with(&loopback, "[{ip,{127,0,0,1}}]", weir_handled_by(&counter, &counting));
    struct both both = {&plain, first, counting.second};
    run_there(loopback.runtime, 0, send_both, &both);
    EVENTUALLY(atomic_load(&counting.count) == 20 && atomic_load(&counting.before) >= 0);
    cr_expect(atomic_load(&counting.before) <= 3, "%d before the other's", counting.before);
    end(&loopback, &plain);
}

struct closing {
    atomic_int count;
};

static void close_at_third(weir_socket socket, const weir_packet *packet, void *data)
{
    struct closing *closing = data;
    (void)packet;
    if (atomic_fetch_add(&closing->count, 1) == 2)
        (void)!weir_close(socket);
}

static void note_gone(weir_socket socket, void *data)
{
    struct closing *closing = data;
    (void)socket;
    atomic_fetch_add(&closing->count, 100);
}

static const weir_handler closer = {.packet = close_at_third, .gone = note_gone};

Test(udp_gro, a_socket_may_be_closed_in_the_middle_of_a_run)
{
    struct loopback loopback = loopback_start(NULL);
    struct plain plain = plain_open();
    struct closing closing = {0};
    weir_socket socket = open_with(&loopback, "[{ip,{127,0,0,1}},{recbuf,200000},{udp_gro,true}]",
                                   weir_handled_by(&closer, &closing));
    send_run(&plain, socket, 20000, 1000);
    EVENTUALLY(atomic_load(&closing.count) == 103);
    end(&loopback, &plain);
}
