/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <errno.h>
#include <weir/packet.h>

Test(packet_type, every_type_has_a_name_that_leads_back_to_it)
{
    for (int type = 0; type < WEIR_PACKET_TYPE_COUNT; type++) {
        const char *name = weir_packet_type_name((enum weir_packet_type)type);
        cr_assert_not_null(name);
        cr_assert_eq(weir_packet_type_from_name(name), type, "%s", name);
    }
}

Test(packet_type, raw_is_0_as_well)
{
    cr_assert_eq(weir_packet_type_from_name("0"), WEIR_RAW);
}

Test(packet_type, no_other_names)
{
    const char *const names[] = {"", "3", "5", "00", "RAW", "raw ", "http_", "ssl", "ssl_tls"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        cr_assert_eq(weir_packet_type_from_name(names[i]), -EINVAL, "'%s'", names[i]);
    cr_assert_null(weir_packet_type_name(WEIR_PACKET_TYPE_COUNT));
    cr_assert_null(weir_packet_type_name((enum weir_packet_type) - 1));
}

Test(packet_type, decode_refuses_what_is_no_type_and_http_without_a_place)
{
    weir_decoded decoded;
    weir_http http;
    cr_assert_eq(weir_decode_packet(WEIR_PACKET_TYPE_COUNT, "a\n", 2, NULL, &decoded, &http),
                 -EINVAL);
    for (int type = WEIR_HTTP; type <= WEIR_HTTPH_BIN; type++)
        cr_assert_eq(
            weir_decode_packet((enum weir_packet_type)type, "a\n", 2, NULL, &decoded, NULL),
            -EINVAL);
    cr_assert_eq(weir_decode_packet(WEIR_LINE, "a\nb", 3, NULL, &decoded, NULL), WEIR_DECODE_OK);
    cr_assert_eq(decoded.consumed, 2);
}
