/* SPDX-License-Identifier: MIT */
#include "load/target.h"

#include "base/error.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static struct target target;

static void expect(const char *url, const char *host, uint16_t port, const char *path)
{
    cr_assert_eq(target_parse(url, &target), 0, "%s: %s", url, weir_last_error_text());
    cr_assert_str_eq(target.host, host);
    cr_assert_eq(target.port, port);
    cr_assert_str_eq(target.path, path);
}

Test(target, takes_urls_apart)
{
    expect("tcp://127.0.0.1:80", "127.0.0.1", 80, "/");
    expect("tcp://localhost:65535/", "localhost", 65535, "/");
    expect("tcp://[::1]:7", "::1", 7, "/");
    expect("http://example.org", "example.org", 80, "/");
    expect("http://example.org:8080/a/b?c=d#e", "example.org", 8080, "/a/b?c=d");
    expect("http://[::1]/x", "::1", 80, "/x");
    expect("http://h?q=1", "h", 80, "/?q=1");
    cr_assert_str_eq(target.authority, "h");
    expect("udp://[::1]:53", "::1", 53, "/");
    cr_assert_eq(target.scheme, TARGET_UDP);
}

Test(target, takes_a_path_as_it_is)
{
    char longest[] = "unix:/................................................................"
                     "..........................................";
    cr_assert_eq(strlen(longest), strlen("unix:") + 107);
    expect("unix:/run/a:b?c", "unix:/run/a:b?c", 0, "/");
    cr_assert(target.is_local && target.scheme == TARGET_TCP);
    expect("unix:@name", "unix:@name", 0, "/");
    expect(longest, longest, 0, "/");
}

Test(target, says_what_is_wrong)
{
    static const struct {
        const char *url, *says;
    } rows[] = {
        {"", "is no URL"},
        {"127.0.0.1:80", "is no URL"},
        {"https://h/", "there is no TLS here"},
        {"tcp://h", "has no port"},
        {"tcp://:80", "has no host"},
        {"tcp://h:0", "'0' is no port"},
        {"tcp://h:65536", "'65536' is no port"},
        {"tcp://h:8x", "'8x' is no port"},
        {"tcp://h:80/path", "tcp has no path"},
        {"udp://h:80/path", "udp has no path"},
        {"udp://h", "has no port"},
        {"unix:", "has no path"},
        {"unix:@", "has no path"},
        {"unix:/.............................................................................."
         ".............................",
         "at most 107 bytes"},
        {"tcp://[::1", "the ']' is missing"},
        {"tcp://[::1]x:80", "what is 'x:80' behind the host?"},
        {"http://u@h/", "a user's name is not sent"},
        {"http://h/a b", "a blank in a path is written %20"},
        {"http://h/\r\nX: y", "a blank in a path is written %20"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        cr_assert_eq(target_parse(rows[i].url, &target), -EINVAL, "%s", rows[i].url);
        cr_assert(strstr(weir_last_error_text(), rows[i].says), "%s: %s", rows[i].url,
                  weir_last_error_text());
    }
}

Test(target, takes_no_more_than_it_has_room_for)
{
    char url[2 * TARGET_PATH_SIZE];
    for (size_t size = TARGET_PATH_SIZE - 4; size < TARGET_PATH_SIZE + 4; size++) {
        int head = snprintf(url, sizeof(url), "http://h/");
        memset(url + head, 'x', size);
        url[(size_t)head + size] = '\0';
        cr_assert_eq(target_parse(url, &target), size + 1 < TARGET_PATH_SIZE ? 0 : -EINVAL);
    }
}
