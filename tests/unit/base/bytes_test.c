/* SPDX-License-Identifier: MIT */
#include "base/bytes.h"

#include <criterion/criterion.h>
#include <string.h>

/* One byte off every alignment, high bits set: what a cast or a signed shift would get wrong. */
static const uint8_t wire[] = {0x00, 0xfe, 0xdc, 0xba, 0x98};

Test(bytes, read)
{
    cr_expect_eq(bytes_read_be16(wire + 1), 0xfedcu);
    cr_expect_eq(bytes_read_be32(wire + 1), 0xfedcba98u);
    cr_expect_eq(bytes_read_le32(wire + 1), 0x98badcfeu);
}

Test(bytes, write)
{
    uint8_t out[sizeof(wire)] = {0};
    bytes_write_be32(out + 1, 0xfedcba98u);
    cr_expect_eq(memcmp(out, wire, sizeof(wire)), 0);
    bytes_write_be16(out, 0x1234fedcu);
    cr_expect_eq(out[0], 0xfe);
    cr_expect_eq(out[1], 0xdc);
    cr_expect_eq(out[2], 0xdc, "two bytes are written, not more");
}
