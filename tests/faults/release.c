/* SPDX-License-Identifier: MIT */
/* Packets that are given back by whom they do not belong to, or twice: it is noticed at once, and
 * not as some other packet's bytes that change later. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "scenario.h"
#include <weir/weir.h>

enum { SIZE = 8000 };

static void release_lent(weir_socket socket, const weir_packet *packet, void *data)
{
    weir_packet copy = *packet;
    (void)socket;
    (void)data;
    weir_packet_release(&copy);
}

static void release_twice(weir_socket socket, const weir_packet *packet, void *data)
{
    weir_packet kept;
    (void)socket;
    (void)data;
    EXPECT(weir_packet_keep(packet, &kept) == 0, "keep: %s", weir_last_error_text());
    weir_packet copy = kept;
    weir_packet_release(&kept);
    weir_packet_release(&kept); /* which is clear by now, and nothing */
    weir_packet_release(&copy);
    weir_packet_release(&copy);
}

/* The dispatch is over, and its buffer free. */
static weir_packet kept_for_later;

static void release_later(weir_socket socket, const weir_packet *packet, void *data)
{
    (void)data;
    if (kept_for_later.bytes) {
        weir_packet copy = kept_for_later;
        weir_packet_release(&kept_for_later);
        weir_packet_release(&copy);
    }
    EXPECT(weir_packet_keep(packet, &kept_for_later) == 0, "keep: %s", weir_last_error_text());
    (void)!weir_send(socket, "x", 1);
}

static void *write_packets(int port)
{
    static const char bytes[SIZE];
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    char back;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    EXPECT(connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0, "no connection");
    for (int i = 0; i < 2; i++)
        EXPECT(send(fd, bytes, SIZE, MSG_NOSIGNAL) == SIZE && recv(fd, &back, 1, 0) == 1,
               "no answer");
    return NULL;
}

static void give(void (*on_packet)(weir_socket, const weir_packet *, void *), enum weir_mode mode)
{
    const weir_handler handler = {.packet = on_packet};
    weir_runtime *runtime;
    weir_socket service;
    int result = weir_start(&runtime, &(weir_config){.schedulers = 1});
    if (result == -EPERM || result == -ENOSYS)
        exit(SCENARIO_SKIPPED);
    EXPECT(result == 0, "start: %s", weir_last_error_text());
    EXPECT(weir_tcp_serve(runtime, "127.0.0.1", 0, WEIR_OPTIONS(WEIR_MODE(mode), WEIR_BUFFER(SIZE)),
                          weir_handled_by(&handler, NULL), &service) == 0,
           "serve: %s", weir_last_error_text());
    write_packets(weir_port(service));
}

static void give_lent(void)
{
    give(release_lent, WEIR_LIST);
}

static void give_copies_twice(void)
{
    give(release_twice, WEIR_LIST);
}

static void give_shares_twice(void)
{
    give(release_later, WEIR_BINARY);
}

static int a_lent_one(void)
{
    return scenario_expect_abort(give_lent, "packet_is_lent");
}

/* Its memory has been freed, which the address sanitizer says before we can. */
static int a_copy_twice(void)
{
#ifdef __SANITIZE_ADDRESS__
    return SCENARIO_SKIPPED;
#endif
    return scenario_expect_abort(give_copies_twice, "holders_of_packet");
}

static int a_share_twice(void)
{
    return scenario_expect_abort(give_shares_twice, "holders_of_packet");
}

int main(void)
{
    static const struct scenario scenarios[] = {
        {"a packet that is lent is released", a_lent_one},
        {"a copy of a packet's own is released twice", a_copy_twice},
        {"a share of a buffer is released twice", a_share_twice},
    };
    return scenarios_run(scenarios, sizeof(scenarios) / sizeof(scenarios[0]));
}
