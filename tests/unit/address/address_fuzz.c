/* SPDX-License-Identifier: MIT */
/* Any text is an address or refused; what is read, written and read again is the same. */
#include "base/check.h"
#include "base/error.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <weir/address.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

typedef int parser(const char *text, weir_address *address);

static void check(parser *parse, const char *(*format)(const weir_address *, char *),
                  const char *input)
{
    char text[WEIR_ADDRESS_TEXT_SIZE];
    weir_address address;
    weir_address again;
    int result = parse(input, &address);
    if (result < 0) {
        CHECK_EQ(result, -EINVAL);
        CHECK_NE(weir_last_error_text()[0], '\0');
        return;
    }
    CHECK_EQ(parse(format(&address, text), &again), 0);
    CHECK(weir_address_equal(&address, &again));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    char input[256];
    if (size >= sizeof(input))
        return 0;
    memcpy(input, bytes, size);
    input[size] = '\0';
    check(weir_address_parse, weir_address_format, input);
    check(weir_address_parse_strict, weir_address_format, input);
    check(weir_address_parse_ipv4, weir_address_format, input);
    check(weir_address_parse_ipv6, weir_address_format, input);
    check(weir_address_parse_endpoint, weir_address_format_endpoint, input);
    return 0;
}
