/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>
#include <weir/packet.h>

static const char *const names[WEIR_PACKET_TYPE_COUNT] = {
    [WEIR_RAW] = "raw",     [WEIR_1] = "1",
    [WEIR_2] = "2",         [WEIR_4] = "4",
    [WEIR_ASN1] = "asn1",   [WEIR_CDR] = "cdr",
    [WEIR_SUNRM] = "sunrm", [WEIR_FCGI] = "fcgi",
    [WEIR_TPKT] = "tpkt",   [WEIR_LINE] = "line",
    [WEIR_HTTP] = "http",   [WEIR_HTTP_BIN] = "http_bin",
    [WEIR_HTTPH] = "httph", [WEIR_HTTPH_BIN] = "httph_bin",
};

const char *weir_packet_type_name(enum weir_packet_type type)
{
    return (unsigned)type < WEIR_PACKET_TYPE_COUNT ? names[type] : NULL;
}

int weir_packet_type_from_name(const char *name)
{
    if (strcmp(name, "0") == 0)
        return WEIR_RAW;
    for (int type = 0; type < WEIR_PACKET_TYPE_COUNT; type++)
        if (strcmp(name, names[type]) == 0)
            return type;
    return -EINVAL;
}
