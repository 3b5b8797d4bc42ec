/* SPDX-License-Identifier: MIT */
/* A descriptor that the caller has opened: which are taken, and what is left of it if it is not. */
#include "runtime/socket/descriptor.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "options/options.h"
#include <weir/error.h>

static struct option_setup setup_of(enum option_scope scope, int fd)
{
    struct option_setup setup;
    cr_assert_eq(options_set_up(&setup, scope, NULL, NULL), 0);
    setup.fd = fd;
    return setup;
}

static const struct {
    const char *name;
    int family;
    int type;
    enum option_scope scope;
    int given; /* the family that the options ask for, or 0 */
    int result;
    const char *text;
} rows[] = {
    {"tcp", AF_INET, SOCK_STREAM, OPTION_CONNECT, 0, 0, ""},
    {"tcp6", AF_INET6, SOCK_STREAM, OPTION_LISTEN, AF_INET6, 0, ""},
    {"local", AF_UNIX, SOCK_STREAM, OPTION_CONNECT, 0, 0, ""},
    {"udp", AF_INET, SOCK_DGRAM, OPTION_UDP, 0, 0, ""},
    {"another family", AF_INET, SOCK_STREAM, OPTION_CONNECT, AF_INET6, WEIR_BADARG,
     "is of another family"},
    {"udp for tcp", AF_INET, SOCK_DGRAM, OPTION_CONNECT, 0, WEIR_BADARG, "is no TCP socket"},
    {"tcp for udp", AF_INET, SOCK_STREAM, OPTION_UDP, 0, WEIR_BADARG, "is no UDP socket"},
    {"neither", AF_NETLINK, SOCK_DGRAM, OPTION_UDP, 0, WEIR_BADARG, "is no UDP socket"},
};

Test(descriptor, is_a_socket_of_the_protocol)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int fd = socket(rows[i].family, rows[i].type, 0);
        cr_assert_geq(fd, 0);
        struct option_setup setup = setup_of(rows[i].scope, fd);
        setup.family_given = rows[i].given != 0;
        setup.local.family = (uint8_t)rows[i].given;
        int opened = descriptor_open(&setup);
        cr_expect_eq(opened < 0 ? opened : 0, rows[i].result, "%s: %d", rows[i].name, opened);
        if (opened >= 0) {
            cr_expect(opened != fd && setup.local.family == rows[i].family, "%s", rows[i].name);
            close(opened);
        } else {
            cr_expect(strstr(weir_last_error_text(), rows[i].text), "%s: %s", rows[i].name,
                      weir_last_error_text());
        }
        close(fd);
    }
}

Test(descriptor, is_one)
{
    int ends[2];
    char text[40];
    struct option_setup setup = setup_of(OPTION_CONNECT, 9999);
    cr_expect_eq(descriptor_open(&setup), -EBADF);
    cr_expect(strstr(weir_last_error_text(), "descriptor 9999: "));
    cr_assert_eq(pipe(ends), 0);
    setup = setup_of(OPTION_CONNECT, ends[0]);
    cr_expect_eq(descriptor_open(&setup), -ENOTSOCK);
    (void)snprintf(text, sizeof(text), "descriptor %d: ", ends[0]);
    cr_expect(strstr(weir_last_error_text(), text));
    close(ends[0]);
    close(ends[1]);
}

static bool waits(int fd)
{
    return !(fcntl(fd, F_GETFL) & O_NONBLOCK);
}

/* The ring waits where a descriptor does; who gets it back has it as it was. */
Test(descriptor, waits_while_it_is_not_the_callers)
{
    for (int flags = 0; flags <= SOCK_NONBLOCK; flags += SOCK_NONBLOCK) {
        int fd = socket(AF_INET, SOCK_STREAM | flags, 0);
        struct option_setup setup = setup_of(OPTION_CONNECT, fd);
        int opened = descriptor_open(&setup);
        cr_assert_geq(opened, 0);
        cr_expect(waits(opened) && waits(fd) && setup.was_not_waiting == (flags != 0));
        int again = descriptor_open(&setup);
        cr_expect_eq(setup.was_not_waiting, flags != 0, "the first time counts");
        descriptor_put_back(&setup);
        cr_expect_eq(waits(fd), flags == 0);
        close(again);
        close(opened);
        close(fd);
    }
}

Test(descriptor, that_was_taken_is_not_put_back)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct option_setup setup = setup_of(OPTION_CONNECT, fd);
    int opened = descriptor_open(&setup);
    cr_assert_geq(opened, 0);
    descriptor_taken(&setup);
    cr_expect(fcntl(fd, F_GETFD) < 0 && fcntl(opened, F_GETFD) >= 0);
    int next = dup(opened);
    cr_assert_eq(next, fd);
    descriptor_put_back(&setup);
    cr_expect(waits(opened), "whose number it is now");
    close(next);
    close(opened);
    setup = setup_of(OPTION_CONNECT, -1);
    descriptor_taken(&setup);
}

/* {ip,loopback} is of whichever family the socket is. */
Test(descriptor, has_a_local_address_of_its_family)
{
    struct option_setup setup = setup_of(OPTION_CONNECT, -1);
    setup.local = (weir_address){.family = AF_INET, .port = 7, .bytes = {127, 0, 0, 1}};
    weir_address address = descriptor_local(&setup, WEIR_INET6);
    cr_expect(address.family == AF_INET6 && address.port == 7 && address.bytes[0] == 127);
    setup.is_loopback = true;
    address = descriptor_local(&setup, WEIR_INET6);
    static const uint8_t loopback[16] = {[15] = 1};
    cr_expect_eq(memcmp(address.bytes, loopback, 16), 0);
    address = descriptor_local(&setup, WEIR_INET);
    cr_expect(address.family == AF_INET && address.bytes[0] == 127 && address.bytes[3] == 1);
}

Test(descriptor, is_connected_or_not)
{
    int ends[2];
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    cr_expect(descriptor_is_connected(ends[0]));
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    cr_expect(!descriptor_is_connected(fd));
    close(fd);
    close(ends[0]);
    close(ends[1]);
}

/* Where the standard input is closed, that number is free. */
Test(descriptor, may_have_the_first_number)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct option_setup setup = setup_of(OPTION_CONNECT, fd);
    close(STDIN_FILENO);
    cr_expect_eq(descriptor_open(&setup), STDIN_FILENO);
    setup.fd = STDIN_FILENO;
    descriptor_taken(&setup);
    cr_expect_lt(fcntl(STDIN_FILENO, F_GETFD), 0);
    cr_expect_eq(descriptor_new(&setup, WEIR_INET), STDIN_FILENO);
    close(fd);
}

Test(descriptor, that_cannot_be_had_is_said_why)
{
    struct option_setup setup = setup_of(OPTION_CONNECT, -1);
    cr_expect_eq(descriptor_new(&setup, (enum weir_family)200), -EAFNOSUPPORT);
    cr_expect_eq(strncmp(weir_last_error_text(), "no socket: ", 11), 0);
    setup.netns = "/no such folder";
    cr_expect_eq(descriptor_new(&setup, WEIR_INET), -ENOENT);
    cr_expect(strstr(weir_last_error_text(), "network namespace \"/no such folder\": "));
}

/* An option that the kernel refuses. */
Test(descriptor, is_not_left_open)
{
    const weir_option refused[] = {WEIR_BIND_TO_DEVICE("no such device"), {.id = WEIR_OPTION_END}};
    struct option_setup setup;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    int next = dup(fd);
    close(next);
    cr_assert_eq(options_set_up(&setup, OPTION_CONNECT, NULL, refused), 0);
    cr_expect_lt(descriptor_new(&setup, WEIR_INET), 0);
    setup.fd = fd;
    cr_expect_lt(descriptor_open(&setup), 0);
    cr_expect_eq(dup(fd), next, "one is left");
}
