/* SPDX-License-Identifier: MIT */
/* Where a listener is to be, by its address, its port and its options; and its descriptors. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"
#include "runtime/listener/listen.h"
#include <weir/error.h>

enum { MANY = 3 };

static weir_option *options;

static int plan_of(struct listen_plan *plan, const char *address, uint16_t port, const char *text)
{
    cr_assert_eq(weir_options_parse(text, &options), 0, "%s", weir_last_error_text());
    *plan = (struct listen_plan){0};
    return listen_plan(plan, NULL, address, port, options);
}

static const struct {
    const char *address;
    uint16_t port;
    const char *options;
    int family; /* 0: refused, with this in the text */
    uint16_t its_port;
    const char *text;
} plans[] = {
    {NULL, 0, "[]", WEIR_INET, 0, ""},
    {"", 0, "[inet6]", WEIR_INET6, 0, ""},
    {"127.0.0.1", 80, "[]", WEIR_INET, 80, ""},
    {"127.0.0.1", 0, "[{port,90}]", WEIR_INET, 90, ""},
    {"127.0.0.1", 80, "[{port,90}]", WEIR_INET, 80, ""},
    {"127.0.0.1", 0, "[inet]", WEIR_INET, 0, ""},
    {NULL, 80, "[{ip,{127,0,0,1}}]", WEIR_INET, 80, ""},
    {"::1", 0, "[]", WEIR_INET6, 0, ""},
    {"::1", 0, "[inet]", 0, 0, "\"::1\" is not of the family"},
    {"127.0.0.1", 0, "[inet6]", 0, 0, "\"127.0.0.1\" is not of the family"},
    {"nowhere", 0, "[]", 0, 0, "\"nowhere\" is not an address"},
    {"unix:/tmp/x", 0, "[]", WEIR_LOCAL, 0, ""},
    {"unix:/tmp/x", 0, "[local]", WEIR_LOCAL, 0, ""},
    {"unix:/tmp/x", 0, "[inet]", 0, 0, "\"unix:/tmp/x\" is not of the family"},
    {"unix:/tmp/x", 1, "[]", 0, 0, "a local socket has no port, not 1"},
    {NULL, 5, "[local]", 0, 0, "a local socket has no port, not 5"},
    {NULL, 0, "[{read_packets,5}]", 0, 0, "read_packets"},
};

Test(listening, is_where_it_was_asked_for)
{
    for (size_t i = 0; i < sizeof(plans) / sizeof(plans[0]); i++) {
        struct listen_plan plan;
        int result = plan_of(&plan, plans[i].address, plans[i].port, plans[i].options);
        cr_expect_eq(result, plans[i].family ? 0 : WEIR_BADARG, "row %zu: %d", i, result);
        if (result == 0)
            cr_expect(plan.address.family == plans[i].family &&
                          plan.address.port == plans[i].its_port,
                      "row %zu", i);
        else
            cr_expect(strstr(weir_last_error_text(), plans[i].text), "row %zu: %s", i,
                      weir_last_error_text());
        memory_free(options);
    }
}

static uint16_t port_of(int fd)
{
    struct sockaddr_in name;
    socklen_t size = sizeof(name);
    cr_assert_eq(getsockname(fd, (struct sockaddr *)&name, &size), 0);
    return ntohs(name.sin_port);
}

static int number_of(int fd, int name)
{
    int number = -1;
    socklen_t size = sizeof(number);
    cr_assert_eq(getsockopt(fd, SOL_SOCKET, name, &number, &size), 0);
    return number;
}

static int open_count(void)
{
    int count = 0;
    for (int fd = 0; fd < 100; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

Test(listening, all_of_a_service_are_on_one_port)
{
    static const char *const shared[] = {"[]", "[{reuseport,true}]"};
    for (size_t i = 0; i < 2; i++) {
        struct listen_plan plan;
        int fds[MANY];
        cr_assert_eq(plan_of(&plan, "127.0.0.1", 0, shared[i]), 0);
        cr_assert_eq(listen_open(&plan, fds, MANY), 0, "%s", weir_last_error_text());
        for (int of = 0; of < MANY; of++) {
            cr_expect(port_of(fds[of]) == plan.address.port && plan.address.port != 0);
            cr_expect_eq(number_of(fds[of], SO_ACCEPTCONN), 1);
            cr_expect_eq(number_of(fds[of], SO_REUSEPORT), 1);
            close(fds[of]);
        }
        cr_assert_eq(listen_open(&plan, fds, 1), 0);
        cr_expect_eq(number_of(fds[0], SO_REUSEPORT), i == 1, "it is alone");
        close(fds[0]);
        memory_free(options);
    }
}

/* A port that somebody else has is found out, and nothing is left. */
Test(listening, needs_a_port_of_its_own)
{
    struct listen_plan plan;
    int fds[MANY];
    int taken;
    char text[64];
    cr_assert_eq(plan_of(&plan, "127.0.0.1", 0, "[]"), 0);
    cr_assert_eq(listen_open(&plan, &taken, 1), 0);
    int before = open_count();
    for (uint32_t count = 1; count <= MANY; count++) {
        cr_expect_eq(listen_open(&plan, fds, count), -EADDRINUSE);
        (void)snprintf(text, sizeof(text), "cannot bind to 127.0.0.1:%u", plan.address.port);
        cr_expect(strstr(weir_last_error_text(), text), "%s", weir_last_error_text());
        cr_expect_eq(open_count(), before);
    }
    close(taken);
    memory_free(options);
}

Test(listening, is_opened_whole_or_not_at_all)
{
    struct listen_plan plan;
    int fds[MANY];
    cr_assert_eq(plan_of(&plan, "127.0.0.1", 0, "[]"), 0);
    int before = open_count();
    int next = dup(0);
    struct rlimit all;
    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &all), 0);
    const struct rlimit two = {(rlim_t)next + 2, all.rlim_max};
    close(next);
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &two), 0);
    int result = listen_open(&plan, fds, MANY);
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &all), 0);
    cr_expect(result == -EMFILE && open_count() == before);
    memory_free(options);
}

static int given(struct listen_plan *plan, int fd, const char *address, const char *format)
{
    char text[100];
    int opened;
    (void)snprintf(text, sizeof(text), format, fd);
    cr_assert_eq(plan_of(plan, address, 0, text), 0);
    int result = listen_open(plan, &opened, 1);
    memory_free(options);
    return result < 0 ? result : opened;
}

static void expect_refused(int fd, const char *address, int expected, const char *word)
{
    struct listen_plan plan;
    int before = open_count();
    int result = given(&plan, fd, address, "[{fd,%d}]");
    cr_expect_eq(result, expected, "%s: %d", word, result);
    cr_expect(strstr(weir_last_error_text(), word), "%s", weir_last_error_text());
    cr_expect_eq(open_count(), before);
}

/* Where the caller has bound it to, or where listen was told. */
Test(listening, may_be_on_a_descriptor)
{
    struct listen_plan plan;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    const struct sockaddr_in any = {.sin_family = AF_INET,
                                    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    expect_refused(fd, "::1", WEIR_BADARG, "is of another family");
    cr_assert_eq(bind(fd, (const struct sockaddr *)&any, sizeof(any)), 0);
    int opened = given(&plan, fd, NULL, "[{fd,%d}]");
    cr_assert_geq(opened, 0, "%s", weir_last_error_text());
    cr_expect(opened != fd && port_of(opened) == port_of(fd));
    cr_expect_eq(number_of(fd, SO_ACCEPTCONN), 1);
    int client = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in name;
    socklen_t size = sizeof(name);
    cr_assert_eq(getsockname(fd, (struct sockaddr *)&name, &size), 0);
    cr_assert_eq(connect(client, (struct sockaddr *)&name, size), 0);
    expect_refused(client, NULL, -EINVAL, "is a connection, not a socket to listen on");
    close(client);
    close(opened);
    close(fd);
}

/* Told by its address, by options or by a port. */
static const struct {
    const char *address;
    uint16_t port;
    const char *options;
    uint8_t last; /* of 127.77.0._ */
} told[] = {
    {"127.77.0.1", 0, "[{fd,%d}]", 1},
    {NULL, 0, "[{fd,%d},{ip,{127,77,0,2}}]", 2},
    {NULL, 4321, "[{fd,%d},{ip,{127,77,0,3}}]", 3},
    {"127.77.0.4", 4321, "[{fd,%d}]", 4},
    {NULL, 4321, "[{fd,%d}]", 0},
};

Test(listening, on_a_descriptor_is_where_it_was_told)
{
    for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++) {
        struct listen_plan plan;
        struct sockaddr_in name;
        socklen_t size = sizeof(name);
        char text[100];
        int opened;
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        (void)snprintf(text, sizeof(text), told[i].options, fd);
        cr_assert_eq(plan_of(&plan, told[i].address, told[i].port, text), 0);
        cr_assert_eq(listen_open(&plan, &opened, 1), 0, "%s", weir_last_error_text());
        memory_free(options);
        cr_assert_eq(getsockname(opened, (struct sockaddr *)&name, &size), 0);
        uint32_t address = told[i].last ? 0x7F4D0000u + told[i].last : 0;
        cr_expect_eq(ntohl(name.sin_addr.s_addr), address, "row %zu", i);
        cr_expect(told[i].port == 0 || ntohs(name.sin_port) == told[i].port, "row %zu", i);
        close(opened);
        close(fd);
    }
}

/* Where the standard input is closed, that number is free. */
Test(listening, may_have_the_first_number)
{
    struct listen_plan plan;
    int opened;
    close(STDIN_FILENO);
    cr_assert_eq(plan_of(&plan, "127.0.0.1", 0, "[]"), 0);
    error_clear_text();
    cr_assert_eq(listen_open(&plan, &opened, 1), 0);
    cr_expect_eq(opened, STDIN_FILENO);
    cr_expect_str_eq(weir_last_error_text(), "", "nothing has failed");
    memory_free(options);
    uint16_t port = port_of(STDIN_FILENO);
    opened = given(&plan, STDIN_FILENO, NULL, "[{fd,%d}]");
    cr_assert_gt(opened, STDIN_FILENO, "%s", weir_last_error_text());
    cr_expect_eq(port_of(opened), port);
    int ends[2];
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    cr_assert_eq(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
    expect_refused(STDIN_FILENO, NULL, -EINVAL, "is a connection, not a socket to listen on");
    close(ends[0]);
    close(ends[1]);
    close(opened);
}

/* Both were bound to it before one listened. */
Test(listening, may_come_too_late)
{
    const int on = 1;
    int fds[2];
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    for (int i = 0; i < 2; i++) {
        socklen_t size = sizeof(name);
        fds[i] = socket(AF_INET, SOCK_STREAM, 0);
        cr_assert_eq(setsockopt(fds[i], SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), 0);
        cr_assert_eq(bind(fds[i], (struct sockaddr *)&name, sizeof(name)), 0);
        cr_assert_eq(getsockname(fds[i], (struct sockaddr *)&name, &size), 0);
    }
    cr_assert_eq(listen(fds[0], 1), 0);
    expect_refused(fds[1], NULL, -EADDRINUSE, "cannot listen on 0.0.0.0:0: ");
    int local = socket(AF_UNIX, SOCK_STREAM, 0);
    expect_refused(local, NULL, -EINVAL, "cannot listen on unix:");
    close(local);
    close(fds[0]);
    close(fds[1]);
}

Test(listening, a_local_one_needs_a_name)
{
    struct listen_plan plan;
    int fd;
    int before = open_count();
    cr_assert_eq(plan_of(&plan, NULL, 0, "[local]"), 0);
    cr_expect_eq(listen_open(&plan, &fd, 1), -EINVAL);
    cr_expect(strstr(weir_last_error_text(), "a local socket needs an address"));
    memory_free(options);
    cr_assert_eq(plan_of(&plan, "unix:/no such folder/x", 0, "[]"), 0);
    cr_expect_eq(listen_open(&plan, &fd, 1), -ENOENT);
    cr_expect(strstr(weir_last_error_text(), "cannot bind to"));
    cr_expect_eq(open_count(), before);
    memory_free(options);
}
