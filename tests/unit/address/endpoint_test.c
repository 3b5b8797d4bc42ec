/* SPDX-License-Identifier: MIT */
#include "base/error.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <weir/address.h>

static const char *const good[][2] = {
    {"127.0.0.1:80", "127.0.0.1:80"},
    {"127.1:0", "127.0.0.1:0"},
    {":7000", "0.0.0.0:7000"},
    {"[::1]:65535", "[::1]:65535"},
    {"[::]:1", "[::]:1"},
    {"[fe80::1%02]:9", "[fe80::1%02]:9"},
    {"[fe80::1%lo]:9", "[fe80::1%01]:9"}, /* lo is the first of every namespace */
    {"[fe80::1%3]:9", "[fe80::1%03]:9"},
    {"10.0.0.1:00080", "10.0.0.1:80"},
};

Test(endpoint, good)
{
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        weir_address address;
        char text[WEIR_ADDRESS_TEXT_SIZE];
        cr_expect_eq(weir_address_parse_endpoint(good[i][0], &address), 0, "%s", good[i][0]);
        cr_expect_str_eq(weir_address_format_endpoint(&address, text), good[i][1]);
    }
}

static const char *const bad[][2] = {
    {"", "'' has no port: write ADDRESS:PORT"},
    {"127.0.0.1", "'127.0.0.1' has no port: write ADDRESS:PORT"},
    {"::1:80", "'::1:80': write an IPv6 address in brackets, [ADDRESS]:PORT"},
    {"[127.0.0.1]:80", "'[127.0.0.1]:80': only an IPv6 address is written in brackets"},
    {"[]:80", "'' is not an address"},
    {"[::1:80", "'[::1:80': write an IPv6 address in brackets, [ADDRESS]:PORT"},
    {"::1]:80", "'::1]:80': write an IPv6 address in brackets, [ADDRESS]:PORT"},
    {"1.2.3.4:", "'1.2.3.4:': a port is a number from 0 to 65535, not ''"},
    {"1.2.3.4:65536", "'1.2.3.4:65536': a port is a number from 0 to 65535, not '65536'"},
    {"1.2.3.4:-1", "'1.2.3.4:-1': a port is a number from 0 to 65535, not '-1'"},
    {"1.2.3.4: 1", "'1.2.3.4: 1': a port is a number from 0 to 65535, not ' 1'"},
    {"1.2.3.4:1x", "'1.2.3.4:1x': a port is a number from 0 to 65535, not '1x'"},
    {"[fe80::1%nosuch]:80", "'fe80::1%nosuch': there is no interface 'nosuch'"},
    {"[fe80::1%3x]:80", "'fe80::1%3x': there is no interface '3x'"},
    {"a.b:80", "'a.b' is not an address (names are not looked up: 127.0.0.1, [::1])"},
    {"Z:80", "'Z' is not an address (names are not looked up: 127.0.0.1, [::1])"},
    {"[a:b]:80", "'a:b' is not an address"},
    {"localhost:80", "'localhost' is not an address (names are not looked up: 127.0.0.1, [::1])"},
    {"1111111111111111111111111111111111111111111111111111111111111111:1",
     "'1111111111111111111111111111111111111111111111111111111111111111:1' is not an address and a "
     "port: too long"},
};

Test(endpoint, bad)
{
    weir_address address;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        cr_expect_eq(weir_address_parse_endpoint(bad[i][0], &address), -EINVAL, "%s", bad[i][0]);
        cr_expect_str_eq(weir_last_error_text(), bad[i][1]);
    }
    cr_expect_eq(weir_address_parse_endpoint(NULL, &address), -EINVAL);
}
