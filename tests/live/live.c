/* SPDX-License-Identifier: MIT */
#include "live.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static atomic_ullong calls;

/* In place of the C library's, so that they can be counted. */
int setsockopt(int fd, int level, int name, const void *value, socklen_t size)
{
    atomic_fetch_add(&calls, 1);
    return (int)syscall(SYS_setsockopt, fd, level, name, value, size);
}

int getsockopt(int fd, int level, int name, void *restrict value, socklen_t *restrict size)
{
    atomic_fetch_add(&calls, 1);
    return (int)syscall(SYS_getsockopt, fd, level, name, value, size);
}

uint64_t option_calls(void)
{
    return atomic_load(&calls);
}

static weir_option *parsed(const char *text)
{
    weir_option *options;
    cr_assert(weir_options_parse(text, &options) == 0, "%s: %s", text, weir_last_error_text());
    return options;
}

static int listen_result(struct loopback *loopback, const char *address, const char *text,
                         weir_socket *listener)
{
    weir_option *options = parsed(text);
    int result = weir_tcp_listen(loopback->runtime, address, 0, options, listener);
    weir_options_free(options);
    return result;
}

static int connect_result(struct loopback *loopback, weir_address address, const char *text,
                          weir_socket *socket)
{
    char host[WEIR_ADDRESS_TEXT_SIZE];
    weir_option *options = parsed(text);
    int result =
        weir_tcp_connect(loopback->runtime, weir_address_format(&address, host), address.port,
                         options, weir_mailed_to(loopback->mailbox), WAIT_MS, socket);
    weir_options_free(options);
    return result;
}

weir_socket listen_on(struct loopback *loopback, const char *address, const char *options)
{
    weir_socket listener = {0};
    int result = listen_result(loopback, address, options, &listener);
    cr_assert(result == 0, "listen on %s with %s: %s", address, options, weir_last_error_text());
    return listener;
}

weir_socket connect_to(struct loopback *loopback, weir_socket listener, const char *options)
{
    weir_socket socket = {0};
    weir_address address;
    GIVES(weir_sockname(listener, &address), 0);
    int result = connect_result(loopback, address, options, &socket);
    cr_assert(result == 0, "connect with %s: %s", options, weir_last_error_text());
    return socket;
}

weir_socket accept_from(struct loopback *loopback, weir_socket listener)
{
    weir_socket socket = {0};
    GIVES(weir_tcp_accept(listener, weir_mailed_to(loopback->mailbox), WAIT_MS, &socket), 0);
    return socket;
}

struct trio trio_open(struct loopback *loopback, const char *address, const char *listen_options,
                      const char *connect_options)
{
    struct trio trio = {.listener = listen_on(loopback, address, listen_options)};
    trio.connected = connect_to(loopback, trio.listener, connect_options);
    trio.accepted = accept_from(loopback, trio.listener);
    return trio;
}

void trio_close(struct trio *trio)
{
    weir_close(trio->listener);
    weir_close(trio->connected);
    weir_close(trio->accepted);
}

const char *reading(weir_socket socket, const char *request)
{
    static char text[4096];
    weir_option *wanted;
    size_t count;
    cr_assert(weir_options_parse_request(request, &wanted, &count) == 0, "%s: %s", request,
              weir_last_error_text());
    int result = weir_getopts(socket, wanted, count);
    if (result >= 0)
        result = weir_options_format(wanted, text, sizeof(text));
    weir_options_free(wanted);
    return result < 0 ? weir_error_name(result) : text;
}

void expect_reading(weir_socket socket, const char *request, const char *expected)
{
    const char *actual = reading(socket, request);
    cr_expect(strcmp(actual, expected) == 0, "%s reads %s, not %s", request, actual, expected);
}

int try_listen(struct loopback *loopback, const char *options)
{
    weir_socket listener = {0};
    int result = listen_result(loopback, NULL, options, &listener);
    if (result == 0)
        weir_close(listener);
    return result;
}

/* Nobody listens on port 1: options that are taken end in a refusal. */
int try_connect(struct loopback *loopback, const char *options)
{
    weir_address address = {.family = WEIR_INET, .bytes = {127, 0, 0, 1}, .port = 1};
    weir_socket socket = {0};
    return connect_result(loopback, address, options, &socket);
}

void expect_said(const char *part)
{
    cr_expect(strstr(weir_last_error_text(), part), "\"%s\" is not said, but \"%s\"", part,
              weir_last_error_text());
}
