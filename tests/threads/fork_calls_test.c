/* SPDX-License-Identifier: MIT */
/* In a child of fork every call on what is its parent's answers at once: it says whose it is, or
 * has nothing to say and does what it is to do. */
#include "peer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"

enum { ANSWER_SECONDS = 60, HOUR_MS = 3600000 };

static weir_runtime *runtime;
static weir_mailbox *mailbox;
static weir_socket service;
static weir_socket connection;
static weir_socket datagrams;
static weir_timer timer;
static weir_process process;
static int wrong;

static const weir_option passive[] = {{.id = WEIR_OPTION_ACTIVE, .value.number = WEIR_ACTIVE_FALSE},
                                      {.id = WEIR_OPTION_END}};

static void look(const char *call, int result, int expected)
{
    bool says = strstr(weir_last_error_text(), "forked") != NULL;
    if (result == expected && says)
        return;
    fprintf(stderr, "%s gives %s (\"%s\")\n", call, weir_error_name(result),
            weir_last_error_text());
    wrong++;
}

#define SAYS_SO(call, expected) look(#call, call, expected)

static void never(void)
{
    CHECK(!"a call of the child's calls back");
}

#define NEVER(type) ((type *)never)

static void send_all(void)
{
    const struct iovec piece = {(void *)"x", 1};
    const weir_packet packet = {.bytes = (const uint8_t *)"x", .size = 1};
    const weir_owned_bytes owned = {.bytes = "x", .size = 1};
    const weir_file_part part = {.fd = STDIN_FILENO, .size = 1};
    const weir_local_message local = {.bytes = "x", .size = 1};
    SAYS_SO(weir_send(connection, "x", 1), WEIR_CLOSED);
    SAYS_SO(weir_sendv(connection, &piece, 1), WEIR_CLOSED);
    SAYS_SO(weir_send_packet(connection, &packet), WEIR_CLOSED);
    SAYS_SO(weir_send_owned(connection, "x", 1, NULL, NULL), WEIR_CLOSED);
    SAYS_SO(weir_local_send(connection, &local), WEIR_CLOSED);
    SAYS_SO(weir_send_async(connection, "x", 1, NEVER(weir_sent), NULL), WEIR_CLOSED);
    SAYS_SO(weir_sendv_async(connection, &piece, 1, NEVER(weir_sent), NULL), WEIR_CLOSED);
    SAYS_SO(weir_send_packet_async(connection, &packet, NEVER(weir_sent), NULL), WEIR_CLOSED);
    SAYS_SO(weir_send_owned_async(connection, &owned, NEVER(weir_sent), NULL), WEIR_CLOSED);
    SAYS_SO(weir_local_send_async(connection, &local, NEVER(weir_sent), NULL), WEIR_CLOSED);
    FILE *file = tmpfile();
    CHECK(file && fputc('x', file) == 'x' && fflush(file) == 0);
    weir_file_part of_file = part;
    of_file.fd = fileno(file);
    SAYS_SO(weir_send_file(connection, of_file.fd, 0, 1), WEIR_CLOSED);
    SAYS_SO(weir_send_file_async(connection, &of_file, NEVER(weir_sent), NULL), WEIR_CLOSED);
    fclose(file);
}

static void receive_all(void)
{
    weir_packet packet;
    weir_socket made;
    weir_owner nobody = weir_owned_by_nobody();
    SAYS_SO(weir_recv(connection, 0, WEIR_INFINITY, &packet), WEIR_CLOSED);
    SAYS_SO(weir_recv_async(connection, 0, WEIR_INFINITY, NEVER(weir_received), NULL), WEIR_CLOSED);
    SAYS_SO(weir_udp_recv(datagrams, WEIR_INFINITY, &packet), WEIR_CLOSED);
    SAYS_SO(weir_udp_recv_async(datagrams, WEIR_INFINITY, NEVER(weir_received), NULL), WEIR_CLOSED);
    SAYS_SO(weir_tcp_accept(service, nobody, WEIR_INFINITY, &made), WEIR_CLOSED);
    SAYS_SO(weir_tcp_accept_async(service, nobody, WEIR_INFINITY, NEVER(weir_opened), NULL),
            WEIR_CLOSED);
    SAYS_SO(weir_cancel(connection, NULL), WEIR_CLOSED);
}

static void send_datagrams(void)
{
    const weir_address to = {.family = WEIR_INET, .bytes = {127, 0, 0, 1}, .port = 1};
    const char *host = "127.0.0.1";
    SAYS_SO(weir_udp_connect(datagrams, &to), WEIR_CLOSED);
    SAYS_SO(weir_udp_send(datagrams, &to, "x", 1), WEIR_CLOSED);
    SAYS_SO(weir_udp_send_async(datagrams, &to, "x", 1, NEVER(weir_sent), NULL), WEIR_CLOSED);
    SAYS_SO(weir_udp_send_to(datagrams, host, 1, "x", 1, WEIR_INFINITY), WEIR_CLOSED);
    SAYS_SO(weir_udp_connect_to(datagrams, host, 1, WEIR_INFINITY), WEIR_CLOSED);
    SAYS_SO(
        weir_udp_send_to_async(datagrams, host, 1, "x", 1, WEIR_INFINITY, NEVER(weir_sent), NULL),
        WEIR_CLOSED);
    SAYS_SO(weir_udp_connect_to_async(datagrams, host, 1, WEIR_INFINITY, NEVER(weir_sent), NULL),
            WEIR_CLOSED);
}

static void ask_sockets(void)
{
    void *data;
    int descriptors[WEIR_FDS_MAX];
    weir_address address;
    weir_local_address local;
    weir_credentials credentials;
    weir_statistics statistics;
    weir_option asked[] = {WEIR_REQUEST(ACTIVE)};
    SAYS_SO(weir_getopts(connection, asked, 1), -EINVAL);
    SAYS_SO(weir_setopts(connection, passive), -EINVAL);
    SAYS_SO(weir_getstat(connection, &statistics), -EINVAL);
    SAYS_SO(weir_peername(connection, &address), -EINVAL);
    SAYS_SO(weir_sockname(connection, &address), -EINVAL);
    SAYS_SO(weir_port(connection), -EINVAL);
    SAYS_SO(weir_set_data(connection, NULL), -EINVAL);
    SAYS_SO(weir_get_data(connection, &data), -EINVAL);
    SAYS_SO(weir_local_sockname(connection, &local), -EINVAL);
    SAYS_SO(weir_local_peername(connection, &local), -EINVAL);
    SAYS_SO(weir_local_credentials(connection, &credentials), -EINVAL);
    SAYS_SO(weir_local_take(connection, descriptors, 1), -EINVAL);
    SAYS_SO(weir_is_busy(connection), WEIR_CLOSED);
    SAYS_SO(weir_scheduler_of(connection), WEIR_CLOSED);
    SAYS_SO(weir_duplicate_fds(service, descriptors), WEIR_CLOSED);
}

static void change_sockets(void)
{
    weir_owner nobody = weir_owned_by_nobody();
    SAYS_SO(weir_run_for(connection, NEVER(weir_worked), NULL), WEIR_CLOSED);
    SAYS_SO(weir_controlling_process(connection, nobody, nobody), WEIR_CLOSED);
    SAYS_SO(weir_give(connection, nobody, process), WEIR_NOPROC);
    SAYS_SO(weir_shutdown(connection, WEIR_WRITE), WEIR_CLOSED);
    SAYS_SO(weir_leave(service), WEIR_CLOSED);
    CHECK_EQ(weir_close(service), 0);
    CHECK_EQ(weir_close(connection), 0);
    CHECK_EQ(weir_close(datagrams), 0);
}

static void open_sockets(void)
{
    weir_socket made;
    int fd = STDIN_FILENO;
    const char *host = "127.0.0.1";
    weir_owner nobody = weir_owned_by_nobody();
    SAYS_SO(weir_tcp_listen(runtime, host, 0, NULL, &made), WEIR_CLOSED);
    SAYS_SO(weir_tcp_serve(runtime, host, 0, passive, nobody, &made), WEIR_CLOSED);
    SAYS_SO(weir_tcp_serve_fds(runtime, &fd, 1, passive, nobody, &made), WEIR_CLOSED);
    SAYS_SO(weir_tcp_connect(runtime, host, 1, passive, nobody, WEIR_INFINITY, &made), WEIR_CLOSED);
    SAYS_SO(weir_tcp_connect_async(runtime, host, 1, passive, nobody, WEIR_INFINITY,
                                   NEVER(weir_opened), NULL),
            WEIR_CLOSED);
    SAYS_SO(weir_udp_open(runtime, 0, passive, nobody, &made), WEIR_CLOSED);
    SAYS_SO(weir_udp_serve(runtime, host, 0, passive, nobody, &made), WEIR_CLOSED);
}

static void look_up(void)
{
    const char *name = "localhost";
    const weir_address here = {.family = WEIR_INET, .bytes = {127, 0, 0, 1}};
    weir_hostent *hostent;
    weir_address address;
    weir_parameter *parameters;
    size_t count;
    SAYS_SO(weir_gethostbyname(runtime, name, WEIR_INFINITY, &hostent), WEIR_CLOSED);
    SAYS_SO(weir_gethostbyname2(runtime, name, WEIR_INET, WEIR_INFINITY, &hostent), WEIR_CLOSED);
    SAYS_SO(weir_gethostbyaddr(runtime, &here, WEIR_INFINITY, &hostent), WEIR_CLOSED);
    SAYS_SO(weir_getaddr(runtime, name, WEIR_INET, WEIR_INFINITY, &address), WEIR_CLOSED);
    SAYS_SO(weir_getaddrs(runtime, name, WEIR_INET, WEIR_INFINITY, &address, 1), WEIR_CLOSED);
    SAYS_SO(weir_gethostbyname_async(runtime, name, WEIR_INET, 0, NEVER(weir_found), NULL),
            WEIR_CLOSED);
    SAYS_SO(weir_gethostbyaddr_async(runtime, &here, 0, NEVER(weir_found), NULL), WEIR_CLOSED);
    SAYS_SO(weir_getaddrs_async(runtime, name, WEIR_INET, 0, NEVER(weir_found), NULL), WEIR_CLOSED);
    SAYS_SO(weir_get_rc(runtime, &parameters, &count), WEIR_CLOSED);
    SAYS_SO(weir_load_rc(runtime, NULL, NULL), WEIR_CLOSED);
}

static void ask_runtime(void)
{
    int in_use = 1;
    weir_totals totals;
    weir_turn_times times;
    weir_timer another;
    const weir_owned_bytes bytes = {.bytes = "x", .size = 1};
    SAYS_SO(weir_drain(runtime, WEIR_INFINITY), WEIR_CLOSED);
    SAYS_SO(weir_get_totals(runtime, -1, &totals), WEIR_CLOSED);
    SAYS_SO(weir_get_turn_times(runtime, -1, &times), WEIR_CLOSED);
    SAYS_SO(weir_metrics(runtime, NULL, 0), WEIR_CLOSED);
    SAYS_SO(weir_run_on(runtime, 0, (void (*)(void *))never, NULL), WEIR_CLOSED);
    SAYS_SO(weir_broadcast(runtime, &bytes, &(weir_broadcast_plan){.data = NULL}), WEIR_CLOSED);
    SAYS_SO(weir_timer_start(runtime, 0, 0, 0, NEVER(weir_fired), NULL, &another), WEIR_CLOSED);
    SAYS_SO(weir_timer_cancel(timer), -ENOENT);
    CHECK(weir_feature(runtime, 0, &in_use) && !in_use);
    CHECK_EQ(weir_scheduler_count(runtime), 0u);
}

static void call_processes(void)
{
    weir_process another;
    weir_message message;
    weir_mailbox *own;
    SAYS_SO(
        weir_spawn(runtime, WEIR_ANY_SCHEDULER, NEVER(weir_process_function), NULL, NULL, &another),
        WEIR_CLOSED);
    SAYS_SO(weir_post(process, NULL), WEIR_CLOSED);
    SAYS_SO(weir_kill(process), WEIR_CLOSED);
    SAYS_SO(weir_monitor(process, mailbox, NULL), WEIR_CLOSED);
    SAYS_SO(weir_demonitor(process, mailbox, NULL), WEIR_CLOSED);
    CHECK_EQ(weir_mailbox_create(&own), 0);
    CHECK_EQ(weir_monitor(process, own, NULL), 0);
    CHECK_EQ(strcmp(weir_last_error_text(), ""), 0);
    CHECK_EQ(weir_mailbox_receive(own, 0, &message), 0);
    CHECK_EQ(message.error, WEIR_NOPROC);
    CHECK_EQ(weir_demonitor(process, own, NULL), 0);
    CHECK_EQ(strcmp(weir_last_error_text(), ""), 0);
    CHECK_EQ(weir_mailbox_destroy(own), 0);
}

static int live(void *data)
{
    weir_message message;
    (void)data;
    return weir_receive(WEIR_INFINITY, &message);
}

/* The thread sanitizer lets a child start no thread. */
static void tell_parents_mailbox(void)
{
#ifndef __SANITIZE_THREAD__
    weir_runtime *own;
    weir_socket made;
    weir_process living;
    weir_owner nobody = weir_owned_by_nobody();
    weir_owner parents = weir_mailed_to(mailbox);
    CHECK_EQ(weir_start(&own, &(weir_config){.schedulers = 1}), 0);
    SAYS_SO(weir_tcp_serve(own, "127.0.0.1", 0, NULL, parents, &made), WEIR_BADARG);
    SAYS_SO(weir_udp_open(own, 0, NULL, parents, &made), WEIR_BADARG);
    CHECK_EQ(weir_udp_open(own, 0, passive, nobody, &made), 0);
    SAYS_SO(weir_controlling_process(made, nobody, parents), WEIR_BADARG);
    CHECK_EQ(weir_spawn(own, 0, live, NULL, NULL, &living), 0);
    SAYS_SO(weir_monitor(living, mailbox, NULL), WEIR_CLOSED);
    CHECK_EQ(weir_stop(own), 0);
#endif
}

static void call_mailbox(void)
{
    weir_message message;
    SAYS_SO(weir_mailbox_receive(mailbox, WEIR_INFINITY, &message), WEIR_CLOSED);
    SAYS_SO(weir_mailbox_post(mailbox, NULL), WEIR_CLOSED);
    CHECK_EQ(weir_mailbox_count(mailbox), 0u);
    tell_parents_mailbox();
    CHECK_EQ(weir_mailbox_destroy(mailbox), 0);
}

static void be_child(void)
{
    alarm(ANSWER_SECONDS);
    send_all();
    receive_all();
    send_datagrams();
    ask_sockets();
    change_sockets();
    open_sockets();
    look_up();
    ask_runtime();
    call_processes();
    call_mailbox();
    SAYS_SO(weir_stop(runtime), WEIR_CLOSED);
    _exit(wrong > 0);
}

static void set_up(int *peer)
{
    weir_socket listener;
    weir_owner nobody = weir_owned_by_nobody();
    CHECK_EQ(weir_mailbox_create(&mailbox), 0);
    CHECK_EQ(weir_start(&runtime, &(weir_config){.schedulers = 2}), 0);
    (void)serve(runtime, NULL, weir_mailed_to(mailbox), &service);
    CHECK_EQ(weir_tcp_listen(runtime, "127.0.0.1", 0, passive, &listener), 0);
    *peer = peer_connect(weir_port(listener));
    CHECK_EQ(weir_tcp_accept(listener, nobody, 60000, &connection), 0);
    CHECK_EQ(weir_udp_open(runtime, 0, passive, nobody, &datagrams), 0);
    CHECK_EQ(weir_timer_start(runtime, 0, HOUR_MS, 0, NEVER(weir_fired), NULL, &timer), 0);
    CHECK_EQ(weir_spawn(runtime, 0, live, NULL, NULL, &process), 0);
    CHECK_EQ(weir_mailbox_post(mailbox, NULL), 0);
}

int main(void)
{
#ifdef __SANITIZE_ADDRESS__ /* a lock of its allocator, held at the fork, stays so in the child */
    return 77;
#endif
    int peer;
    int status;
    set_up(&peer);
    pid_t child = fork();
    CHECK_GE(child, 0);
    if (child == 0)
        be_child();
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(status, 0);
    CHECK_EQ(weir_mailbox_count(mailbox), 1u);
    CHECK_EQ(weir_send(connection, "x", 1), 0);
    close(peer);
    CHECK_EQ(weir_stop(runtime), 0);
    CHECK_EQ(weir_mailbox_destroy(mailbox), 0);
    return 0;
}
