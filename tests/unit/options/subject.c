/* SPDX-License-Identifier: MIT */
#include "subject.h"

#include "base/system.h"

#include <criterion/criterion.h>
#include <string.h>
#include <weir/error.h>

static weir_option *parsed(const char *text)
{
    weir_option *options;
    int result = weir_options_parse(text, &options);
    cr_assert(result == 0, "%s: %s", text, weir_last_error_text());
    return options;
}

struct subject subject_open(enum option_scope creating, const char *text)
{
    bool udp = creating == OPTION_UDP;
    weir_option *options = parsed(text);
    struct option_setup setup;
    int result = options_set_up(&setup, creating, NULL, options);
    cr_assert(result == 0, "%s: %s", text, weir_last_error_text());
    int fd = system_socket(setup.local.family, udp ? SOCK_DGRAM : SOCK_STREAM, NULL);
    cr_assert(fd >= 0);
    result = options_prepare(&setup, fd);
    cr_assert(result == 0, "%s: %s", text, weir_last_error_text());
    weir_options_free(options);
    return (struct subject){
        .values = setup.values,
        .scope = udp ? OPTION_SET_UDP : OPTION_SET_TCP,
        .fd = fd,
        .family = setup.local.family,
    };
}

void subject_close(struct subject *subject)
{
    system_close(subject->fd);
    subject->fd = -1;
}

int subject_set(struct subject *subject, const char *text)
{
    weir_option *options = parsed(text);
    int result = options_check(options, subject->scope);
    if (result == 0)
        result =
            options_apply(options, subject->scope, &subject->values, subject->fd, subject->family);
    if (result == 0)
        subject->bit8_seen = options_bit8_seen(options, subject->bit8_seen);
    weir_options_free(options);
    return result;
}

static const char *formatted(const weir_option *options)
{
    static char text[1024];
    int length = weir_options_format(options, text, sizeof(text));
    cr_assert(length >= 0 && length < (int)sizeof(text), "%s", weir_last_error_text());
    return text;
}

const char *subject_get(struct subject *subject, const char *request)
{
    weir_option *wanted;
    size_t count;
    int result = weir_options_parse_request(request, &wanted, &count);
    cr_assert(result == 0, "%s: %s", request, weir_last_error_text());
    struct option_source source = {
        .values = &subject->values,
        .active = subject->values.active,
        .bit8_seen = subject->bit8_seen,
        .fd = subject->fd,
        .family = subject->family,
    };
    result = options_read(&source, subject->scope, wanted, count);
    const char *text = result < 0 ? weir_error_name(result) : formatted(wanted);
    weir_options_free(wanted);
    return text;
}

void subject_expect(struct subject *subject, const char *request, const char *reading)
{
    const char *actual = subject_get(subject, request);
    cr_expect(strcmp(actual, reading) == 0, "%s reads %s instead of %s", request, actual, reading);
}
