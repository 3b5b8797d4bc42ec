/* SPDX-License-Identifier: MIT */
/*
 * Every service with every option that its socket takes, at its least, its most and each of its
 * words, given by --options, by --default-listen-options and by the environment: it says in a line
 * why not, or serves a request and ends as it was told to. Argument: the command.
 */
#include "options/row.h"
#include "options/word.h"
#include "server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <weir/error.h>

enum { TEXT_SIZE = 256 };

struct exchange {
    const char *service;
    const char *request;
    size_t request_size;
    const char *reply; /* how it begins */
    size_t reply_size;
    const char *zone; /* a file; NULL: the service takes none */
    bool is_datagram;
};

#define BYTES(literal) (literal), sizeof(literal) - 1
static const struct exchange http = {
    "http", BYTES("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
    BYTES("HTTP/1.1 200 OK\r\n"), NULL, false};

static char zone[] = "/tmp/weir_zone_XXXXXX";

/* {buffer,_} may cut what goes back to a byte. */
static const struct exchange datagrams[] = {
    {"udp-echo", BYTES("hello"), BYTES("h"), NULL, true},
    {"dns", BYTES("\x12\x34\0\0\0\1\0\0\0\0\0\0\1a\4test\0\0\1\0\1"), BYTES("\x12\x34"), zone,
     true},
};

/* What comes back unchanged, framed as {packet,_} says. */
static const struct {
    const char *bytes;
    size_t size;
} framed[WEIR_PACKET_TYPE_COUNT] = {
    [WEIR_RAW] = {BYTES("hello\n")},
    [WEIR_1] = {BYTES("\5hello")},
    [WEIR_2] = {BYTES("\0\5hello")},
    [WEIR_ASN1] = {BYTES("\4\5hello")},
    [WEIR_4] = {BYTES("\0\0\0\5hello")},
    [WEIR_CDR] = {BYTES("GIOP\1\0\0\0\0\0\0\5hello")},
    [WEIR_SUNRM] = {BYTES("\x80\0\0\5hello")},
    [WEIR_FCGI] = {BYTES("\1\0\0\0\0\5\0\0hello")},
    [WEIR_TPKT] = {BYTES("\3\0\0\11hello")},
    [WEIR_LINE] = {BYTES("hello\n")},
    [WEIR_HTTP] = {BYTES("GET / HTTP/1.0\r\n\r\n")},
    [WEIR_HTTP_BIN] = {BYTES("GET / HTTP/1.0\r\n\r\n")},
    [WEIR_HTTPH] = {BYTES("a: b\r\n\r\n")},
    [WEIR_HTTPH_BIN] = {BYTES("a: b\r\n\r\n")},
};

static struct exchange echo_of(const weir_option *option)
{
    size_t type = option->id == WEIR_OPTION_PACKET ? (size_t)option->value.number : WEIR_RAW;
    return (struct exchange){
        "echo", framed[type].bytes, framed[type].size, framed[type].bytes, framed[type].size, NULL,
        false};
}

/* How the list gets there. */
enum way { BY_OPTIONS, BY_DEFAULTS, BY_ENVIRONMENT, WAY_COUNT };

static const char *command;
static const char *header = ""; /* what goes before the request on a connection */

static pid_t start(const struct exchange *exchange, enum way way, const char *list, int *out)
{
    int fds[2];
    const char *arguments[] = {command,    "serve",       exchange->service,
                               "--listen", "127.0.0.1:0", "--schedulers",
                               "1",        "--drain",     "0",
                               NULL,       NULL,          NULL,
                               NULL,       NULL};
    const char *const names[] = {"--options", "--default-listen-options", NULL};
    size_t count = 9;
    if (exchange->zone) {
        arguments[count++] = "--zone";
        arguments[count++] = exchange->zone;
    }
    if (way != BY_ENVIRONMENT) {
        arguments[count++] = names[way];
        arguments[count] = list;
    }
    if (pipe(fds) < 0)
        exit(EXIT_FAILURE);
    pid_t pid = fork();
    if (pid == 0) {
        if (way == BY_ENVIRONMENT)
            setenv("WEIR_DEFAULT_LISTEN_OPTIONS", list, 1);
        dup2(fds[1], STDOUT_FILENO);
        dup2(fds[1], STDERR_FILENO);
        execv(command, (char *const *)arguments);
        _exit(127);
    }
    close(fds[1]);
    *out = fds[0];
    return pid;
}

static bool read_line(int fd, char line[TEXT_SIZE])
{
    size_t size = 0;
    while (size < TEXT_SIZE - 1 && read(fd, line + size, 1) == 1 && line[size] != '\n')
        size++;
    line[size] = '\0';
    return size > 0;
}

static bool talk(const struct exchange *exchange, uint16_t port)
{
    char reply[1024];
    bool is_reset;
    const struct server server = {.port = port};
    int fd = server_connect(&server);
    server_write(fd, header, strlen(header));
    server_write(fd, exchange->request, exchange->request_size);
    long count = 0;
    while (count < (long)exchange->reply_size) {
        ssize_t got = recv(fd, reply + count, sizeof(reply) - (size_t)count, 0);
        if (got <= 0)
            break;
        count += got;
    }
    shutdown(fd, SHUT_WR);
    (void)server_read_all(fd, reply + count, sizeof(reply) - (size_t)count, &is_reset);
    close(fd);
    return count >= (long)exchange->reply_size &&
           memcmp(reply, exchange->reply, exchange->reply_size) == 0;
}

static bool talk_by_datagrams(const struct exchange *exchange, uint16_t port)
{
    const struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const struct timeval wait = {.tv_sec = 30};
    char reply[1024];
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) < 0)
        exit(EXIT_FAILURE);
    (void)!sendto(fd, exchange->request, exchange->request_size, 0, (const struct sockaddr *)&to,
                  sizeof(to));
    ssize_t size = recv(fd, reply, sizeof(reply), 0);
    close(fd);
    return size >= (ssize_t)exchange->reply_size &&
           memcmp(reply, exchange->reply, exchange->reply_size) == 0;
}

/* Whether it served, or said why it does not. */
static bool run(const struct exchange *exchange, enum way way, const char *list, bool *is_served)
{
    char line[TEXT_SIZE] = "";
    int out;
    int status;
    unsigned port = 0;
    pid_t pid = start(exchange, way, list, &out);
    bool said = read_line(out, line);
    *is_served = sscanf(line, "listening on 127.0.0.1:%u", &port) == 1;
    bool good = said;
    if (*is_served)
        good = exchange->is_datagram ? talk_by_datagrams(exchange, (uint16_t)port)
                                     : talk(exchange, (uint16_t)port);
    kill(pid, SIGTERM);
    waitpid(pid, &status, 0);
    close(out);
    good = good && WIFEXITED(status) && WEXITSTATUS(status) == (*is_served ? 0 : 1);
    if (!good)
        printf("serve %s, %s, way %d: '%s', status %x\n", exchange->service, list, way, line,
               (unsigned)status);
    return good;
}

static int served_count;

static int try_ways(const struct exchange *exchange, enum way count, const char *list)
{
    int failures = 0;
    for (enum way way = 0; way < count; way++) {
        bool is_served;
        failures += !run(exchange, way, list, &is_served);
        served_count += is_served;
    }
    return failures;
}

/* Datagrams have no defaults. */
static int try_option(const weir_option *option)
{
    char text[TEXT_SIZE];
    const weir_option list[] = {*option, WEIR_REQUEST(END)};
    const struct exchange echo = echo_of(option);
    if (weir_options_format(list, text, sizeof(text)) < 0) {
        printf("%s: %s\n", option_row_of(option)->atom, weir_last_error_text());
        return 1;
    }
    int failures = 0;
    bool proxied = option->id == WEIR_OPTION_PROXY_PROTOCOL && option->value.number != 0;
    header = proxied ? "PROXY UNKNOWN\r\n" : "";
    if (option_row_of(option)->scopes & OPTION_LISTEN)
        failures += try_ways(&http, WAY_COUNT, text) + try_ways(&echo, WAY_COUNT, text);
    for (size_t i = 0; i < sizeof(datagrams) / sizeof(datagrams[0]); i++)
        failures += try_ways(&datagrams[i], BY_DEFAULTS, text);
    return failures;
}

static int try_numbers(const struct option_row *row, enum weir_option_id id)
{
    /* A client is not there within a millisecond, and its connection would have ended. */
    int64_t least = id == WEIR_OPTION_IDLE_TIMEOUT ? 10000 : row->least;
    const int64_t numbers[] = {least, row->most, least < 0 ? -5 : least, least <= 0 ? 0 : least};
    int failures = 0;
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        weir_option option = weir_option_number(id, numbers[i]);
        bool is_new = i < 2 || (numbers[i] != numbers[0] && numbers[i] != numbers[i - 1]);
        failures += is_new ? try_option(&option) : 0;
    }
    return failures;
}

static int try_words(const struct option_row *row, enum weir_option_id id)
{
    int failures = 0;
    for (int64_t number = -2; number < 70000; number++) {
        weir_option option = weir_option_number(id, number);
        if (word_exists((enum option_type)row->type, number))
            failures += try_option(&option);
    }
    return failures;
}

static int try_others(void)
{
    const int one = 1;
    const weir_address address = {WEIR_INET, {127, 0, 0, 1}, 0, 0};
    const weir_option options[] = {
        WEIR_IP(address),
        WEIR_IP_LOOPBACK(),
        WEIR_IP_ANY(),
        WEIR_IFADDR(address),
        WEIR_INET(),
        WEIR_INET6(),
        WEIR_LINGER(true, 0),
        WEIR_LINGER(true, 1),
        WEIR_LINGER(false, 0),
        WEIR_NETNS("/proc/self/ns/net"),
        WEIR_RAW(6, 1, &one, sizeof(one)),
        weir_option_name_value(WEIR_OPTION_BIND_TO_DEVICE, "lo"),
        weir_option_name_value(WEIR_OPTION_CONGESTION, "reno"),
    };
    int failures = 0;
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
        failures += try_option(&options[i]);
    return failures;
}

static int try_all(void)
{
    int failures = try_others();
    for (size_t id = WEIR_OPTION_END + 1; id < WEIR_OPTION_COUNT; id++) {
        const struct option_row *row = &option_rows[id];
        if (!(row->scopes & (OPTION_LISTEN | OPTION_UDP)))
            continue;
        if (row->type == OPTION_INTEGER || row->type == OPTION_ACTIVE ||
            row->type == OPTION_TIMEOUT)
            failures += try_numbers(row, (enum weir_option_id)id);
        if (word_exists((enum option_type)row->type, 0) || row->type == OPTION_ACTIVE ||
            row->type == OPTION_TIMEOUT)
            failures += try_words(row, (enum weir_option_id)id);
    }
    return failures;
}

static void write_zone(void)
{
    static const char text[] = "$ORIGIN test.\na A 192.0.2.1\n";
    int fd = mkstemp(zone);
    if (fd < 0 || write(fd, text, sizeof(text) - 1) < 0)
        exit(EXIT_FAILURE);
    close(fd);
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return EXIT_FAILURE;
    command = argv[1];
    write_zone();
    int failures = try_all();
    unlink(zone);
    printf("%d failures, %d were served\n", failures, served_count);
    return failures > 0 || served_count < 400;
}
