/* SPDX-License-Identifier: MIT */
/*
 * Threads that look names up, send datagrams to them and load other configurations, on a runtime of
 * two schedulers, until it is stopped under all of them. A plain program, so that the thread
 * sanitizer sees nothing but weir.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <weir/weir.h>

#include "base/check.h"
#include "base/memory.h"
#include "support/dns_server.h"

enum { ROLES = 5, THREADS = 2 * ROLES, ENOUGH = 400, SKIPPED = 77 };

static weir_runtime *runtime;
static struct dns_server *servers[2];
static atomic_uint done[ROLES]; /* of what each role does */
static atomic_uint called;      /* _async calls */
static atomic_uint given;

static bool may_be(int result)
{
    return result == 0 || result == WEIR_CLOSED;
}

static bool look_up(unsigned number, weir_socket socket)
{
    char name[32];
    weir_hostent *hostent;
    (void)socket;
    snprintf(name, sizeof(name), "known%u.test.", number % 64);
    int result = weir_gethostbyname(runtime, name, -1, &hostent);
    CHECK(may_be(result));
    weir_hostent_free(hostent);
    return result == 0;
}

static void found(const weir_hostent *hostent, int result, void *data)
{
    (void)data;
    CHECK(may_be(result));
    CHECK((hostent != NULL) == (result == 0));
    atomic_fetch_add(&called, 1);
}

static bool look_up_async(unsigned number, weir_socket socket)
{
    char name[32];
    (void)socket;
    snprintf(name, sizeof(name), number % 8 ? "known%u.test." : "localhost", number % 64);
    int result = weir_gethostbyname_async(runtime, name, WEIR_INET, -1, found, NULL);
    CHECK(may_be(result));
    atomic_fetch_add(&given, result == 0);
    while (atomic_load(&given) - atomic_load(&called) > 1000)
        usleep(100);
    return result == 0;
}

static void sent(weir_socket socket, int result, void *data)
{
    (void)socket;
    (void)data;
    CHECK(may_be(result));
    atomic_fetch_add(&called, 1);
}

/* Nobody listens at port 9, of which nobody hears. */
static bool send_to(unsigned number, weir_socket socket)
{
    char name[32];
    snprintf(name, sizeof(name), "loopback%u.test.", number % 64);
    int result = weir_udp_send_to(socket, name, 9, "x", 1, -1);
    CHECK(may_be(result));
    if (result == 0) {
        result = weir_udp_send_to_async(socket, name, 9, "y", 1, -1, sent, NULL);
        CHECK(may_be(result));
        atomic_fetch_add(&given, result == 0);
    }
    return result == 0;
}

static bool load(unsigned number, weir_socket socket)
{
    char terms[256];
    (void)socket;
    snprintf(terms, sizeof(terms),
             "{lookup,[dns,native]}. {resolv_conf,\"\"}. {hosts_file,\"\"}. clear_search. "
             "{domain,\"\"}. {timeout,60000}. {cache_size,%u}. {inet6,%s}. "
             "{nameserver,{127,0,0,1},%u}.",
             number % 3 * 20, number % 5 ? "false" : "true", dns_server_port(servers[number % 2]));
    int result = weir_load_rc(runtime, "", terms);
    CHECK(may_be(result));
    return result == 0;
}

static bool tell(unsigned number, weir_socket socket)
{
    weir_parameter *parameters;
    size_t count;
    (void)number;
    (void)socket;
    int result = weir_get_rc(runtime, &parameters, &count);
    CHECK(may_be(result));
    if (result == 0)
        CHECK_GT(count, 0u);
    weir_parameters_free(parameters);
    usleep(1000);
    return result == 0;
}

static bool (*const roles[ROLES])(unsigned number, weir_socket socket) = {look_up, look_up_async,
                                                                          send_to, load, tell};

struct player {
    pthread_t thread;
    unsigned role;
    weir_socket socket;
};

static void *play(void *data)
{
    const struct player *player = data;
    for (unsigned number = 0; roles[player->role](number, player->socket); number++)
        atomic_fetch_add(&done[player->role], 1);
    return NULL;
}

static void start_player(struct player *player, unsigned role)
{
    player->role = role;
    CHECK_EQ(weir_udp_open(runtime, 0, WEIR_OPTIONS(WEIR_ACTIVE(WEIR_ACTIVE_FALSE)),
                           weir_owned_by_nobody(), &player->socket),
             0);
    CHECK_EQ(pthread_create(&player->thread, NULL, play, player), 0);
}

static bool is_enough(void)
{
    static const unsigned enough[ROLES] = {ENOUGH, ENOUGH, ENOUGH, ENOUGH / 8, ENOUGH / 8};
    for (int role = 0; role < ROLES; role++)
        if (atomic_load(&done[role]) < enough[role])
            return false;
    return true;
}

int main(void)
{
    static struct player players[THREADS];
    for (int i = 0; i < 2; i++)
        servers[i] = dns_server_start();
    int result = weir_start(&runtime, &(weir_config){.schedulers = 2});
    if (result == -EPERM || result == -ENOSYS)
        return SKIPPED;
    CHECK_EQ(result, 0);
    CHECK(load(0, (weir_socket){0}));
    for (unsigned i = 0; i < THREADS; i++)
        start_player(&players[i], i % ROLES);
    while (!is_enough())
        usleep(1000);
    CHECK_EQ(weir_stop(runtime), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(players[i].thread, NULL);
    CHECK_EQ(atomic_load(&called), atomic_load(&given));
    CHECK_EQ(memory_live_count(), 0);
    for (int i = 0; i < 2; i++)
        dns_server_stop(servers[i]);
}
