/* SPDX-License-Identifier: MIT */
/*
 * Does the cases of options.escript on sockets of the kernel: reads lines of kind, options to set
 * and names to read, and prints {Result,Reading} for each.
 */
#include "base/check.h"
#include "base/system.h"
#include "options/options.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weir/error.h>

enum { LINE_SIZE = 8192, TEXT_SIZE = 4096 };

struct subject {
    struct option_values values;
    enum option_scope scope;
    int family;
    int fd;
    int peer;
};

static socklen_t loopback(int family, struct sockaddr_storage *storage)
{
    struct sockaddr_in inet = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct sockaddr_in6 inet6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    if (family == WEIR_INET)
        memcpy(storage, &inet, sizeof(inet));
    else
        memcpy(storage, &inet6, sizeof(inet6));
    return family == WEIR_INET ? sizeof(inet) : sizeof(inet6);
}

/* A listener that the socket is connected to. */
static int connected(const struct subject *subject)
{
    struct sockaddr_storage address;
    socklen_t size = loopback(subject->family, &address);
    int listener = system_socket(subject->family, SOCK_STREAM, NULL);
    CHECK_EQ(system_bind(listener, (struct sockaddr *)&address, size), 0);
    CHECK_EQ(system_listen(listener, 1), 0);
    CHECK_EQ(system_getsockname(listener, (struct sockaddr *)&address, &size), 0);
    CHECK_EQ(connect(subject->fd, (struct sockaddr *)&address, size), 0);
    return listener;
}

static void open_subject(struct subject *subject, const char *kind)
{
    bool udp = strncmp(kind, "udp", 3) == 0;
    bool inet6 = kind[3] == '6';
    const weir_option *options = inet6 ? WEIR_OPTIONS(WEIR_INET6()) : WEIR_OPTIONS(WEIR_INET());
    struct option_setup setup;
    CHECK_EQ(options_set_up(&setup, udp ? OPTION_UDP : OPTION_CONNECT, NULL, options), 0);
    *subject = (struct subject){
        .values = setup.values,
        .scope = udp ? OPTION_SET_UDP : OPTION_SET_TCP,
        .family = setup.local.family,
        .fd = system_socket(setup.local.family, udp ? SOCK_DGRAM : SOCK_STREAM, NULL),
        .peer = -1,
    };
    CHECK_EQ(options_prepare(&setup, subject->fd), 0);
    if (!udp) {
        subject->peer = connected(subject);
        return;
    }
    /* To every address: the kernel makes a socket on ::1 ipv6_v6only. */
    struct sockaddr_in6 any = {.sin6_family = (sa_family_t)subject->family};
    CHECK_EQ(system_bind(subject->fd, (struct sockaddr *)&any, sizeof(any)), 0);
}

static void close_subject(struct subject *subject)
{
    system_close(subject->fd);
    if (subject->peer >= 0)
        system_close(subject->peer);
}

static int set(struct subject *subject, const char *text)
{
    weir_option *options;
    int result = weir_options_parse(text, &options);
    if (result == 0)
        result = options_check(options, subject->scope);
    if (result == 0)
        result =
            options_apply(options, subject->scope, &subject->values, subject->fd, subject->family);
    weir_options_free(options);
    return result;
}

static void print_reading(const struct subject *subject, const char *request)
{
    char text[TEXT_SIZE];
    weir_option *wanted;
    size_t count;
    struct option_source source = {
        .values = &subject->values, .fd = subject->fd, .family = subject->family};
    CHECK_EQ(weir_options_parse_request(request, &wanted, &count), 0);
    CHECK_GE(options_read(&source, subject->scope, wanted, count), 0);
    int length = weir_options_format(wanted, text, sizeof(text));
    CHECK_GE(length, 0);
    CHECK_LT(length, TEXT_SIZE);
    fputs(text, stdout);
    weir_options_free(wanted);
}

static void answer(char *line)
{
    struct subject subject;
    const char *kind = strsep(&line, "\t");
    const char *options = strsep(&line, "\t");
    const char *request = strsep(&line, "\n");
    open_subject(&subject, kind);
    CHECK_EQ(set(&subject, "[{high_watermark,8192},{low_watermark,4096}]"), 0);
    int result = set(&subject, options);
    if (result == 0)
        printf("{ok,");
    else
        printf("{{error,%s},", weir_error_name(result));
    print_reading(&subject, request);
    printf("}\n");
    close_subject(&subject);
}

int main(void)
{
    char line[LINE_SIZE];
    while (fgets(line, sizeof(line), stdin))
        answer(line);
    return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
