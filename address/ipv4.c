/* SPDX-License-Identifier: MIT */
#include "address/ipv4.h"

#include "address/number.h"
#include "base/bytes.h"

/* "0x" is hexadecimal and any other leading zero octal; of "0" itself the zero is the digit. As in
 * Erlang/OTP a hexadecimal field needs a digit that is no leading zero: "0x0" is none. */
static bool take_field(struct span *text, uint32_t *value)
{
    if (span_peek(text) != '0')
        return number_take(text, 10, UINT32_MAX, value);
    struct span after_zero = {text->at + 1, text->end};
    if (!span_skip(&after_zero, 'x') && !span_skip(&after_zero, 'X'))
        return number_take(text, 8, UINT32_MAX, value);
    while (span_skip(&after_zero, '0')) {
    }
    *text = after_zero;
    return number_take(text, 16, UINT32_MAX, value);
}

bool ipv4_parse_lenient(struct span text, uint8_t bytes[4])
{
    uint32_t address = 0;
    for (unsigned bits_left = 32; bits_left > 0; bits_left -= 8) {
        uint32_t field;
        if (!take_field(&text, &field))
            return false;
        if (span_is_empty(&text)) {
            bytes_write_be32(bytes, address | field);
            return (uint64_t)field < (uint64_t)1 << bits_left;
        }
        if (field > 255 || !span_skip(&text, '.'))
            return false;
        address |= field << (bits_left - 8);
    }
    return false;
}

static bool take_strict_field(struct span *text, uint8_t *byte)
{
    const char *start = text->at;
    uint32_t field;
    if (!number_take(text, 10, 255, &field))
        return false;
    *byte = (uint8_t)field;
    return *start != '0' || text->at == start + 1;
}

bool ipv4_parse_strict(struct span text, uint8_t bytes[4])
{
    for (int i = 0; i < 4; i++)
        if ((i > 0 && !span_skip(&text, '.')) || !take_strict_field(&text, &bytes[i]))
            return false;
    return span_is_empty(&text);
}
