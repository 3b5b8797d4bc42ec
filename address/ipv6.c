/* SPDX-License-Identifier: MIT */
#include "address/ipv6.h"

#include "address/ipv4.h"
#include "address/number.h"
#include "base/bytes.h"

/* What has been read so far. `gap` is the index at which "::" stands, -1 before one was seen. */
struct groups {
    uint16_t values[IPV6_GROUP_COUNT];
    int count;
    int gap;
};

/* A scope ends the groups; IPv4, which has to be at the very end, goes with none. */
static bool at_end(const struct span *text)
{
    return span_is_empty(text) || span_peek(text) == '%';
}

static bool take_ipv4(struct span *text, struct groups *groups)
{
    uint8_t bytes[4];
    if (groups->count > IPV6_GROUP_COUNT - 2 || !ipv4_parse_strict(*text, bytes))
        return false;
    groups->values[groups->count++] = (uint16_t)bytes_read_be16(bytes);
    groups->values[groups->count++] = (uint16_t)bytes_read_be16(bytes + 2);
    text->at = text->end;
    return true;
}

static bool take_group(struct span *text, struct groups *groups)
{
    struct span digits = *text;
    uint32_t value;
    if (!number_take(&digits, 16, UINT32_MAX, &value))
        return false;
    if (span_peek(&digits) == '.')
        return take_ipv4(text, groups);
    if (digits.at - text->at > 4 || groups->count == IPV6_GROUP_COUNT)
        return false;
    groups->values[groups->count++] = (uint16_t)value;
    *text = digits;
    return true;
}

/* What stands between two groups: ":" with a group after it, or the one "::". */
static bool take_separator(struct span *text, struct groups *groups)
{
    if (!span_skip(text, ':'))
        return false;
    if (!span_skip(text, ':'))
        return !at_end(text);
    bool first = groups->gap < 0;
    groups->gap = groups->count;
    return first;
}

static bool take_groups(struct span *text, struct groups *groups)
{
    if (span_peek(text) == ':' && (!take_separator(text, groups) || groups->gap < 0))
        return false;
    while (!at_end(text))
        if (!take_group(text, groups) || (!at_end(text) && !take_separator(text, groups)))
            return false;
    return groups->gap < 0 ? groups->count == IPV6_GROUP_COUNT : groups->count < IPV6_GROUP_COUNT;
}

static void write_groups(const struct groups *groups, uint8_t bytes[16])
{
    int missing = IPV6_GROUP_COUNT - groups->count;
    for (int i = 0; i < groups->count; i++) {
        int index = groups->gap >= 0 && i >= groups->gap ? i + missing : i;
        bytes_write_be16(bytes + 2 * index, groups->values[i]);
    }
}

/* "0" and a number set a scope; other text, such as "eth0" or "0" alone, is taken and sets none. */
static bool take_scope(struct span text, uint32_t *scope_id)
{
    if (!span_skip(&text, '0') || span_is_empty(&text))
        return true;
    return number_take(&text, 10, IPV6_GROUP_MAX, scope_id) && span_is_empty(&text);
}

static bool parse_scope(struct span text, uint8_t bytes[16], uint32_t *scope_id)
{
    bool can = ipv6_has_scope(bytes_read_be16(bytes));
    uint32_t group = bytes_read_be16(bytes + 2);
    *scope_id = 0;
    if (span_skip(&text, '%'))
        return can && group == 0 && take_scope(text, scope_id);
    if (can) {
        *scope_id = group;
        bytes_write_be16(bytes + 2, 0);
    }
    return true;
}

bool ipv6_parse(struct span text, uint8_t bytes[16], uint32_t *scope_id)
{
    struct groups groups = {.gap = -1};
    if (!take_groups(&text, &groups))
        return false;
    write_groups(&groups, bytes);
    return parse_scope(text, bytes, scope_id);
}
