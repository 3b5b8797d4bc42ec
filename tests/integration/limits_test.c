/* SPDX-License-Identifier: MIT */
/* Limits that the headers name: of packets, of what is kept, of descriptors, of hosts. */
#include "support/loopback.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* {packet,4}, of that size. */
static void say_packet(int peer, uint32_t size)
{
    static char bytes[4 + 4096];
    memset(bytes, 'p', sizeof(bytes));
    for (int i = 0; i < 4; i++)
        bytes[i] = (char)(size >> (24 - 8 * i));
    peer_write(peer, bytes, 4 + (size_t)size);
}

enum { KEPT_MAX = 16 };
static struct {
    const uint8_t *lent;
    weir_packet packet;
} kept[KEPT_MAX];
static atomic_int kept_count;

static void keep(weir_socket socket, const weir_packet *packet, void *data)
{
    int index = atomic_load(&kept_count);
    (void)socket;
    (void)data;
    kept[index].lent = packet->bytes;
    GIVES(weir_packet_keep(packet, &kept[index].packet), 0);
    atomic_fetch_add(&kept_count, 1);
}

/* Whether what is kept of a packet of that size lies where the packet came in. */
static bool is_shared(const struct loopback *loopback, uint32_t size)
{
    int index = atomic_load(&kept_count);
    say_packet(loopback->peer, size);
    EVENTUALLY(atomic_load(&kept_count) == index + 1);
    const weir_packet *packet = &kept[index].packet;
    cr_assert(packet->size == size && packet->bytes[0] == 'p' && packet->bytes[size - 1] == 'p');
    return packet->bytes == kept[index].lent;
}

enum { BUFFERS = 8 };

static struct loopback open_keeper(void)
{
    static const weir_handler handler = {.packet = keep};
    struct loopback loopback =
        loopback_start(&(weir_config){.schedulers = 1, .buffer_count = BUFFERS});
    loopback.listener = listen_with(loopback.runtime, "[{active,false},binary,{packet,4}]");
    loopback_reopen(&loopback);
    GIVES(weir_controlling_process(loopback.socket, weir_mailed_to(loopback.mailbox),
                                   weir_handled_by(&handler, NULL)),
          0);
    GIVES(set(loopback.socket, "[{active,true}]"), 0);
    return loopback;
}

static void close_keeper(struct loopback *loopback)
{
    for (int i = 0; i < atomic_load(&kept_count); i++)
        weir_packet_release(&kept[i].packet);
    loopback_close(loopback);
}

Test(limits, a_kept_packet_shares_the_buffer_from_4_kib_on)
{
    struct loopback loopback = open_keeper();
    cr_expect(!is_shared(&loopback, 4095));
    cr_expect(is_shared(&loopback, 4096));
    GIVES(set(loopback.socket, "[list]"), 0);
    cr_expect(!is_shared(&loopback, 4096));
    close_keeper(&loopback);
}

Test(limits, half_of_the_buffers_are_shared_and_then_packets_are_copied)
{
    struct loopback loopback = open_keeper();
    for (int i = 0; i < BUFFERS / 2; i++)
        cr_expect(is_shared(&loopback, 4096), "the %dth", i);
    cr_expect(!is_shared(&loopback, 4096));
    weir_packet_release(&kept[0].packet);
    settle(loopback.socket); /* the scheduler takes back what another thread has released */
    cr_expect(is_shared(&loopback, 4096));
    close_keeper(&loopback);
}

/* {packet_size,0} is no limit of one's own, but header and body are less than 2^31. */
static int receive_announced(uint32_t size, const char *options)
{
    weir_packet packet;
    struct loopback loopback = loopback_open(options);
    const uint8_t header[] = {(uint8_t)(size >> 24), (uint8_t)(size >> 16), (uint8_t)(size >> 8),
                              (uint8_t)size};
    peer_write(loopback.peer, header, sizeof(header));
    settle(loopback.socket);
    int result = weir_recv(loopback.socket, 0, 100, &packet);
    loopback_close(&loopback);
    return result;
}

Test(limits, a_packet_has_at_most_2_gigabytes_less_5_bytes)
{
    static const char *const options = "[{active,false},{packet,4},{packet_size,0}]";
    GIVES(receive_announced((1U << 31) - 5, options), WEIR_TIMEOUT);
    GIVES(receive_announced((1U << 31) - 4, options), -EMSGSIZE);
    GIVES(receive_announced(UINT32_MAX, "[{active,false},{packet,4}]"), -EMSGSIZE);
    GIVES(receive_announced(11, "[{active,false},{packet,4},{packet_size,10}]"), -EMSGSIZE);
}

/* Whoever tries again what has timed out sends it twice. */
Test(limits, a_send_that_timed_out_is_queued_all_the_same)
{
    struct loopback loopback =
        loopback_open("[" SMALL_BUFFERS ",{active,false},{send_timeout,20}]");
    uint64_t size = fill_queue(&loopback);
    GIVES(set(loopback.socket, "[{high_watermark,1},{low_watermark,0}]"), 0);
    for (int i = 0; i < 2; i++)
        GIVES(weir_send(loopback.socket, "once", 4), WEIR_TIMEOUT);
    cr_expect(queued(loopback.socket) == size + 8);
    GIVES(weir_shutdown(loopback.socket, WEIR_WRITE), 0);
    cr_expect(peer_drain(loopback.peer) == FILL_BYTES + 8);
    loopback_close(&loopback);
}

static int open_one(weir_runtime *runtime, int call)
{
    weir_socket socket;
    const weir_option *passive = WEIR_OPTIONS(WEIR_ACTIVE(WEIR_ACTIVE_FALSE));
    weir_owner nobody = weir_owned_by_nobody();
    if (call == 0)
        return weir_tcp_listen(runtime, "127.0.0.1", 0, passive, &socket);
    if (call == 1)
        return weir_tcp_connect(runtime, "127.0.0.1", 1, passive, nobody, WAIT_MS, &socket);
    return weir_udp_open(runtime, 0, passive, nobody, &socket);
}

/* Descriptors are there again afterwards. */
Test(limits, no_descriptor_is_emfile)
{
    struct loopback loopback = loopback_open("[{active,false}]");
    int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    rlim_t before = leave_descriptors(0);
    int results[4];
    for (int i = 0; i < 3; i++)
        results[i] = open_one(loopback.runtime, i);
    results[3] = weir_send_file(loopback.socket, file, 0, 1);
    restore_descriptors(before);
    for (int i = 0; i < 4; i++)
        GIVES(results[i], -EMFILE);
    GIVES(open_one(loopback.runtime, 0), 0);
    GIVES(weir_send_file(loopback.socket, file, 0, 1), 0);
    close(file);
    loopback_close(&loopback);
}

Test(limits, odd_hosts_are_einval)
{
    static const char *const hosts[] = {"a b", " 127.0.0.1", "localhost\n", "\x7f"};
    struct loopback loopback = loopback_start(NULL);
    weir_owner owner = weir_mailed_to(loopback.mailbox);
    weir_socket socket;
    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++)
        GIVES(weir_tcp_connect(loopback.runtime, hosts[i], 1, NULL, owner, WAIT_MS, &socket),
              -EINVAL);
    GIVES(weir_tcp_connect(loopback.runtime, "fe80::1", 1, NULL, owner, WAIT_MS, &socket), -EINVAL);
    GIVES(weir_tcp_connect(loopback.runtime, "", 1, NULL, owner, WAIT_MS, &socket), WEIR_BADARG);
    loopback_close(&loopback);
}

/* Where a scheduler may run. */
static void read_cores(void *data)
{
    cpu_set_t *set = data;
    cr_assert(sched_getaffinity(0, sizeof(*set), set) == 0);
}

static void expect_cores(uint32_t schedulers, const char *cpus, const cpu_set_t *expected)
{
    struct loopback loopback =
        loopback_start(&(weir_config){.schedulers = schedulers, .cpus = cpus});
    for (uint32_t i = 0; i < schedulers; i++) {
        cpu_set_t set;
        run_there(loopback.runtime, i, read_cores, &set);
        cr_expect(CPU_EQUAL(&set, &expected[i]), "%u of %u with cpus %s: %d cores", i, schedulers,
                  cpus ? cpus : "NULL", CPU_COUNT(&set));
    }
    loopback_close(&loopback);
}

Test(limits, schedulers_are_pinned_when_there_are_as_many_as_cores)
{
    enum { SCHEDULERS_MAX = 64 };
    cpu_set_t all, one[SCHEDULERS_MAX], unpinned[SCHEDULERS_MAX], first[2];
    uint32_t count = 0;
    char cpus[16] = "";
    cr_assert(sched_getaffinity(0, sizeof(all), &all) == 0);
    for (int core = 0; core < CPU_SETSIZE && count < SCHEDULERS_MAX; core++)
        if (CPU_ISSET(core, &all)) {
            CPU_ZERO(&one[count]);
            CPU_SET(core, &one[count]);
            unpinned[count] = all;
            if (count++ == 0)
                snprintf(cpus, sizeof(cpus), "%d", core);
        }
    first[0] = first[1] = one[0];
    if (CPU_COUNT(&all) == (int)count)
        expect_cores(count, NULL, one);
    if (count > 1)
        expect_cores(count - 1, NULL, unpinned);
    expect_cores(1, cpus, first);
    expect_cores(2, cpus, first);
}
