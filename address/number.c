/* SPDX-License-Identifier: MIT */
#include "address/number.h"

static unsigned digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0');
    if (c >= 'a' && c <= 'f')
        return (unsigned)(c - 'a') + 10;
    if (c >= 'A' && c <= 'F')
        return (unsigned)(c - 'A') + 10;
    return UINT32_MAX;
}

bool number_take(struct span *span, unsigned base, uint32_t most, uint32_t *value)
{
    const char *start = span->at;
    uint64_t sum = 0;
    while (!span_is_empty(span) && digit_of(*span->at) < base) {
        sum = sum * base + digit_of(*span->at++);
        if (sum > most)
            return false;
    }
    *value = (uint32_t)sum;
    return span->at > start;
}
