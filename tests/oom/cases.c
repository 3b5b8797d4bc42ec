/* SPDX-License-Identifier: MIT */
#include "cases.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <semaphore.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PATIENCE_MS = 60000, SEND_SIZE = 100000 };

static int start_and_stop(weir_runtime *runtime)
{
    const weir_config config = {.schedulers = 1,
                                .buffer_count = 4,
                                .submission_entries = 16,
                                .completion_entries = 32,
                                .default_listen_options = "[{packet,4}]"};
    weir_runtime *another;
    (void)runtime;
    int result = weir_start(&another, &config);
    return result < 0 ? result : weir_stop(another);
}

static int listen_and_close(weir_runtime *runtime)
{
    weir_socket listener;
    int result = weir_tcp_listen(runtime, "127.0.0.1", 0, WEIR_OPTIONS(WEIR_PACKET(4)), &listener);
    return result < 0 ? result : weir_close(listener);
}

static int serve_and_close(weir_runtime *runtime)
{
    static const weir_handler nothing;
    weir_socket listener;
    int result =
        weir_tcp_serve(runtime, "127.0.0.1", 0, NULL, weir_handled_by(&nothing, NULL), &listener);
    return result < 0 ? result : weir_close(listener);
}

/* The first listener of which has the other's handle. */
static int serve_on_two(weir_runtime *runtime)
{
    (void)runtime;
    return serve_and_close(oom_two);
}

static int serve_udp_on_two(weir_runtime *runtime)
{
    static const weir_handler nothing;
    weir_socket socket;
    (void)runtime;
    int result =
        weir_udp_serve(oom_two, "127.0.0.1", 0, NULL, weir_handled_by(&nothing, NULL), &socket);
    return result < 0 ? result : weir_close(socket);
}

/* With one in its place, one in hand and one in the backlog. */
static int serve_few_and_close(weir_runtime *runtime)
{
    static const weir_handler nothing;
    weir_socket listener;
    weir_socket peers[3] = {{0}};
    int result = weir_tcp_serve(runtime, "127.0.0.1", 0, WEIR_OPTIONS(WEIR_MAX_CONNECTIONS(1)),
                                weir_handled_by(&nothing, NULL), &listener);
    if (result < 0)
        return result;
    int port = weir_port(listener);
    for (int i = 0; i < 3 && result == 0; i++)
        result = weir_tcp_connect(runtime, "127.0.0.1", (uint16_t)port,
                                  WEIR_OPTIONS(WEIR_ACTIVE(WEIR_ACTIVE_FALSE)),
                                  weir_owned_by_nobody(), 5000, &peers[i]);
    for (int i = 0; i < 3; i++)
        (void)!weir_close(peers[i]);
    int closed = weir_close(listener);
    return result < 0 ? result : closed;
}

static void on_proxied(weir_socket socket, void *data)
{
    (void)data;
    weir_close(socket);
}

/* Each that comes is told whose it is, or closed. */
static int serve_proxied(weir_runtime *runtime)
{
    static const weir_handler handler = {.accepted = on_proxied};
    static const char header[] = "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n";
    weir_socket listener;
    weir_socket peer = {0};
    weir_packet packet;
    int result = weir_tcp_serve(runtime, "127.0.0.1", 0,
                                WEIR_OPTIONS(WEIR_PROXY_PROTOCOL(true), WEIR_MAX_CONNECTIONS(2)),
                                weir_handled_by(&handler, NULL), &listener);
    if (result < 0)
        return result;
    result = weir_tcp_connect(runtime, "127.0.0.1", (uint16_t)weir_port(listener),
                              WEIR_OPTIONS(WEIR_ACTIVE(WEIR_ACTIVE_FALSE)), weir_owned_by_nobody(),
                              5000, &peer);
    if (result == 0)
        result = weir_send(peer, header, sizeof(header) - 1);
    int end = result == 0 ? weir_recv(peer, 0, 5000, &packet) : result;
    if (result == 0 && end != WEIR_CLOSED && end != -ENOMEM)
        oom_fail("a connection with a header ends by %s", weir_error_name(end));
    (void)!weir_close(peer);
    int closed = weir_close(listener);
    return result < 0 ? result : closed;
}

struct taken {
    int result;
    sem_t done;
};

static void on_taken(weir_socket socket, int result, void *data)
{
    struct taken *taken = data;
    taken->result = result;
    if (result == 0)
        weir_close(socket);
    sem_post(&taken->done);
}

/* Says a header, and waits until its connection has an end: it is taken, or closed. */
static int be_taken(weir_runtime *runtime, weir_socket listener, struct taken *taken)
{
    static const char header[] = "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n";
    weir_socket peer;
    weir_packet packet;
    int result = weir_tcp_connect(runtime, "127.0.0.1", (uint16_t)weir_port(listener),
                                  WEIR_OPTIONS(WEIR_ACTIVE(WEIR_ACTIVE_FALSE)),
                                  weir_owned_by_nobody(), PATIENCE_MS, &peer);
    if (result < 0)
        return result;
    result = weir_send(peer, header, sizeof(header) - 1);
    if (result == 0)
        result =
            weir_tcp_accept_async(listener, weir_owned_by_nobody(), WEIR_INFINITY, on_taken, taken);
    bool asked = result == 0;
    if (asked && weir_recv(peer, 0, PATIENCE_MS, &packet) == WEIR_TIMEOUT)
        oom_fail("a connection with a header does not end");
    weir_close(peer);
    weir_close(listener);
    while (asked && sem_wait(&taken->done) < 0)
        continue;
    return result;
}

static int accept_proxied(weir_runtime *runtime)
{
    weir_socket listener;
    struct taken taken = {.result = 0};
    int result = weir_tcp_listen(runtime, "127.0.0.1", 0,
                                 WEIR_OPTIONS(WEIR_PROXY_PROTOCOL(true), WEIR_MAX_CONNECTIONS(2),
                                              WEIR_ACTIVE(WEIR_ACTIVE_FALSE)),
                                 &listener);
    if (result < 0)
        return result;
    sem_init(&taken.done, 0, 0);
    result = be_taken(runtime, listener, &taken);
    weir_close(listener);
    sem_destroy(&taken.done);
    if (taken.result != 0 && taken.result != -ENOMEM && taken.result != WEIR_CLOSED)
        oom_fail("accept gives %s", weir_error_name(taken.result));
    return result < 0 ? result : taken.result == -ENOMEM ? -ENOMEM : 0;
}

static int plain_socket(struct sockaddr_in *address, uint16_t port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    *address = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
    address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0)
        oom_fail("socket: %s", strerror(errno));
    return fd;
}

static int plain_listener(uint16_t *port)
{
    struct sockaddr_in address;
    socklen_t size = sizeof(address);
    int fd = plain_socket(&address, 0);
    if (bind(fd, (struct sockaddr *)&address, size) < 0 || listen(fd, 8) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) < 0)
        oom_fail("listen: %s", strerror(errno));
    *port = ntohs(address.sin_port);
    return fd;
}

static int connect_to(weir_runtime *runtime, const char *host)
{
    uint16_t port;
    weir_socket socket;
    int fd = plain_listener(&port);
    int result = weir_tcp_connect(runtime, host, port, WEIR_OPTIONS(WEIR_ACTIVE(WEIR_ACTIVE_FALSE)),
                                  weir_owned_by_nobody(), PATIENCE_MS, &socket);
    close(fd);
    return result < 0 ? result : weir_close(socket);
}

static int connect_and_close(weir_runtime *runtime)
{
    return connect_to(runtime, "127.0.0.1");
}

int resolve_on_thread(weir_runtime *runtime)
{
    return connect_to(runtime, "localhost");
}

/* Through the resolver alone. */
static int resolve(weir_runtime *runtime, const char *name)
{
    weir_hostent *hostent;
    int result = weir_gethostbyname(runtime, name, PATIENCE_MS, &hostent);
    weir_hostent_free(hostent);
    return result;
}

/* Through a name server and c-ares, whose memory is weir's too. */
static int resolve_by_udp(weir_runtime *runtime)
{
    return resolve(runtime, "chain.test.");
}

static int resolve_by_tcp(weir_runtime *runtime)
{
    return resolve(runtime, "truncated.test.");
}

static int resolve_by_file(weir_runtime *runtime)
{
    return resolve(runtime, "host.of.file");
}

static int list_interfaces(weir_runtime *runtime)
{
    weir_interface *interfaces = NULL;
    size_t count;
    (void)runtime;
    int result = weir_getifaddrs(&interfaces, &count);
    weir_interfaces_free(interfaces);
    return result;
}

static int list_parameters(weir_runtime *runtime)
{
    weir_parameter *parameters;
    size_t count;
    int result = weir_get_rc(runtime, &parameters, &count);
    weir_parameters_free(parameters);
    return result;
}

struct letter {
    int result;
    sem_t done;
};

static void sent(weir_socket socket, int result, void *data)
{
    struct letter *letter = data;
    (void)socket;
    letter->result = result;
    sem_post(&letter->done);
}

static int send_and_wait(weir_socket socket)
{
    struct letter letter;
    sem_init(&letter.done, 0, 0);
    int result =
        weir_udp_send_to_async(socket, "host.of.file", 9, "x", 1, PATIENCE_MS, sent, &letter);
    while (result == 0 && sem_wait(&letter.done) < 0)
        continue;
    sem_destroy(&letter.done);
    return result < 0 ? result : letter.result;
}

static int send_to_name(weir_runtime *runtime)
{
    weir_socket socket;
    int result = weir_udp_open(runtime, 0, WEIR_OPTIONS(WEIR_ACTIVE(WEIR_ACTIVE_FALSE)),
                               weir_owned_by_nobody(), &socket);
    if (result < 0)
        return result;
    result = weir_udp_send_to(socket, "host.of.file", 9, "x", 1, PATIENCE_MS);
    if (result == 0)
        result = send_and_wait(socket);
    weir_close(socket);
    return result;
}

/* "localhost" stays known to the C library alone. */
static int load_parameters(weir_runtime *runtime)
{
    weir_parameter *parameters;
    size_t count;
    int result = weir_load_rc(runtime, "",
                              "{resolv_conf,\"\"}. {hosts_file,\"\"}. {lookup,[file,native]}. "
                              "{host,{10,0,0,1},[\"host.of.file\"]}.");
    if (result < 0)
        return result;
    result = resolve(runtime, "host.of.file");
    if (result == 0)
        result = weir_get_rc(runtime, &parameters, &count);
    if (result == 0)
        weir_parameters_free(parameters);
    return result;
}

/* A handler's connect, whose name a thread of the runtime's looks up. */
struct look_up {
    weir_runtime *runtime;
    uint16_t port;
    int result;
    weir_socket socket;
    sem_t done;
};

static void opened(weir_socket socket, int result, void *data)
{
    struct look_up *look_up = data;
    look_up->socket = socket;
    look_up->result = result;
    sem_post(&look_up->done);
}

static void ask(void *data)
{
    struct look_up *look_up = data;
    look_up->result = weir_tcp_connect_async(look_up->runtime, "localhost", look_up->port,
                                             WEIR_OPTIONS(WEIR_ACTIVE(WEIR_ACTIVE_FALSE)),
                                             weir_owned_by_nobody(), PATIENCE_MS, opened, look_up);
    if (look_up->result < 0)
        sem_post(&look_up->done);
}

int resolve_on_scheduler(weir_runtime *runtime)
{
    struct look_up look_up = {.runtime = runtime};
    int fd = plain_listener(&look_up.port);
    sem_init(&look_up.done, 0, 0);
    int result = weir_run_on(runtime, 0, ask, &look_up);
    while (result == 0 && sem_wait(&look_up.done) < 0)
        continue;
    close(fd);
    sem_destroy(&look_up.done);
    result = result < 0 ? result : look_up.result;
    return result < 0 ? result : weir_close(look_up.socket);
}

/* What was to fail has failed before, or nothing is to. */
int oom_open_pair(weir_runtime *runtime, struct oom_pair *pair)
{
    struct sockaddr_in address;
    int result = weir_tcp_listen(runtime, "127.0.0.1", 0,
                                 WEIR_OPTIONS(WEIR_ACTIVE(WEIR_ACTIVE_FALSE)), &pair->listener);
    if (result < 0)
        return result;
    pair->client = plain_socket(&address, (uint16_t)weir_port(pair->listener));
    if (connect(pair->client, (struct sockaddr *)&address, sizeof(address)) < 0)
        oom_fail("connect: %s", strerror(errno));
    result = weir_tcp_accept(pair->listener, weir_owned_by_nobody(), PATIENCE_MS, &pair->socket);
    if (result < 0) {
        close(pair->client);
        weir_close(pair->listener);
    }
    return result;
}

void oom_close_pair(struct oom_pair *pair)
{
    weir_close(pair->socket);
    weir_close(pair->listener);
    close(pair->client);
}

static int accept_and_close(weir_runtime *runtime)
{
    struct oom_pair pair;
    int result = oom_open_pair(runtime, &pair);
    if (result == 0)
        oom_close_pair(&pair);
    return result;
}

static size_t read_to_the_end(int fd)
{
    static char bytes[65536];
    size_t size = 0;
    ssize_t count;
    while ((count = read(fd, bytes, sizeof(bytes))) > 0)
        size += (size_t)count;
    return size;
}

/* All of what is accepted arrives, nothing of what is not. */
static int send_and_close(weir_runtime *runtime)
{
    static char bytes[SEND_SIZE];
    struct oom_pair pair;
    int result = oom_open_pair(runtime, &pair);
    if (result < 0)
        return result;
    result = weir_send(pair.socket, bytes, sizeof(bytes));
    weir_close(pair.socket);
    size_t arrived = read_to_the_end(pair.client);
    if (arrived != (result == 0 ? sizeof(bytes) : 0))
        oom_fail("send gave %s, and %zu bytes arrived", weir_error_name(result), arrived);
    oom_close_pair(&pair);
    return result;
}

static int set_options(weir_runtime *runtime)
{
    struct oom_pair pair;
    int result = oom_open_pair(runtime, &pair);
    if (result < 0)
        return result;
    result = weir_setopts(pair.socket, WEIR_OPTIONS(WEIR_PACKET(2), WEIR_HIGH_WATERMARK(1000)));
    if (result == 0)
        result = weir_setopts(pair.listener, WEIR_OPTIONS(WEIR_NODELAY(true)));
    oom_close_pair(&pair);
    return result;
}

/* A recv that had no memory has lost nothing: the next one gets it. */
static int receive(weir_runtime *runtime)
{
    struct oom_pair pair;
    weir_packet packet;
    int result = oom_open_pair(runtime, &pair);
    if (result < 0)
        return result;
    if (write(pair.client, "0123456789", 10) != 10)
        oom_fail("write: %s", strerror(errno));
    result = weir_recv(pair.socket, 10, PATIENCE_MS, &packet);
    if (result == -ENOMEM && weir_recv(pair.socket, 10, PATIENCE_MS, &packet) < 0) {
        oom_close_pair(&pair);
        return result;
    }
    if (result < 0 && result != -ENOMEM)
        oom_fail("recv: %s", weir_error_name(result));
    if (packet.size != 10 || memcmp(packet.bytes, "0123456789", 10) != 0)
        oom_fail("recv: %zu other bytes", packet.size);
    weir_packet_release(&packet);
    oom_close_pair(&pair);
    return result;
}

const struct oom_case oom_cases[] = {
    {"start", false, start_and_stop, NEEDS_ALL},
    {"listen", true, listen_and_close, NEEDS_ALL},
    {"serve", true, serve_and_close, NEEDS_ALL},
    {"serve two", true, serve_on_two, NEEDS_ALL},
    {"serve few", true, serve_few_and_close, DOES_WITHOUT_SOME},
    {"proxied", true, serve_proxied, DOES_WITHOUT_SOME},
    {"accept proxied", true, accept_proxied, DOES_WITHOUT_SOME},
    {"connect", true, connect_and_close, NEEDS_ALL},
    {"accept", true, accept_and_close, NEEDS_ALL},
    {"send", true, send_and_close, DOES_WITHOUT_SOME},
    {"setopts", true, set_options, NEEDS_ALL},
    {"recv", true, receive, DOES_WITHOUT_SOME},
    {"by name", true, resolve_on_thread, DOES_WITHOUT_SOME},
    {"resolve", true, resolve_on_scheduler, DOES_WITHOUT_SOME},
    {"by udp", true, resolve_by_udp, DOES_WITHOUT_SOME},
    {"by tcp", true, resolve_by_tcp, DOES_WITHOUT_SOME},
    {"by file", true, resolve_by_file, DOES_WITHOUT_SOME},
    {"interfaces", false, list_interfaces, NEEDS_ALL},
    {"get_rc", true, list_parameters, NEEDS_ALL},
    {"udp name", true, send_to_name, DOES_WITHOUT_SOME},
    {"load_rc", true, load_parameters, DOES_WITHOUT_SOME},
    {"udp open", true, oom_udp_open_and_close, NEEDS_ALL},
    {"udp connect", true, oom_udp_connect, NEEDS_ALL},
    {"udp send", true, oom_udp_send, DOES_WITHOUT_SOME},
    {"udp recv", true, oom_udp_receive, DOES_WITHOUT_SOME},
    {"udp serve", true, oom_udp_serve, NEEDS_ALL},
    {"udp two", true, serve_udp_on_two, NEEDS_ALL},
    {"local", true, oom_local_open_and_close, NEEDS_ALL},
    {"local send", true, oom_local_stream, DOES_WITHOUT_SOME},
    {"local udp", true, oom_local_datagrams, DOES_WITHOUT_SOME},
    {"spawn", true, oom_spawn, DOES_WITHOUT_SOME},
    {"first one", false, oom_first_process, NEEDS_ALL},
    {"process", true, oom_process_talks, DOES_WITHOUT_SOME},
    {"timers", true, oom_timers, DOES_WITHOUT_SOME},
    {"broadcast", true, oom_broadcast, DOES_WITHOUT_SOME},
    {"work", true, oom_work, DOES_WITHOUT_SOME},
};

const unsigned oom_case_count = sizeof(oom_cases) / sizeof(oom_cases[0]);
