/* SPDX-License-Identifier: MIT */
/* Questions of strangers to `weir serve dns`: the answer is within its bounds, is one to the same
 * question, and its records can be walked to its end. Input that begins with $ is a zone file. */
#include <stdint.h>
#include <string.h>

#include "base/bytes.h"
#include "base/check.h"
#include "base/memory.h"
#include "dns/answer.h"
#include "dns/zone.h"

static const char rows[] = "$ORIGIN example.test.\n"
                           "@ A 192.0.2.1\n"
                           "www AAAA 2001:db8::1\n"
                           "a.b.c TXT \"x\" \"yy\"\n"
                           "alias CNAME www\n"
                           "loop CNAME pool\n"
                           "pool CNAME loop\n"
                           "away CNAME elsewhere.test.\n"
                           "$ORIGIN 2.0.192.in-addr.arpa.\n"
                           "1 PTR www.example.test.\n";

static size_t skip_name(const uint8_t *bytes, size_t size)
{
    size_t at = 0;
    for (;;) {
        CHECK_LT(at, size);
        if (bytes[at] >= 0xC0)
            return at + 2;
        if (bytes[at] == 0)
            return at + 1;
        at += bytes[at] + 1u;
    }
}

static void walk(const uint8_t *answer, size_t size)
{
    size_t at = 12;
    if (bytes_read_be16(answer + 4) == 1)
        at += skip_name(answer + at, size - at) + 4;
    uint32_t records = bytes_read_be16(answer + 6) + bytes_read_be16(answer + 10);
    for (; records > 0; records--) {
        at += skip_name(answer + at, size - at);
        CHECK_LE(at + 10, size);
        at += 10 + bytes_read_be16(answer + at + 8);
        CHECK_LE(at, size);
    }
    CHECK_EQ(at, size);
}

static void ask(const struct dns_zone *zone, const uint8_t *bytes, size_t size, bool datagram)
{
    static uint8_t answer[DNS_MESSAGE_BYTES_MAX];
    size_t got = dns_answer(zone, bytes, size, answer, sizeof(answer), datagram);
    if (got == 0)
        return;
    CHECK_LE(got, datagram ? (size_t)DNS_EDNS_BYTES : sizeof(answer));
    CHECK(memcmp(answer, bytes, 2) == 0 && (answer[2] & 0x80));
    walk(answer, got);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static struct dns_zone *known;
    struct dns_zone *zone;
    if (size > 0 && bytes[0] == '$') {
        if (dns_zone_read(&zone, (const char *)bytes, size) == 0)
            dns_zone_free(zone);
        return 0;
    }
    if (!known)
        CHECK_EQ(dns_zone_read(&known, rows, sizeof(rows) - 1), 0);
    ask(known, bytes, size, true);
    ask(known, bytes, size, false);
    return 0;
}
