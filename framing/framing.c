/* SPDX-License-Identifier: MIT */
#include "framing/framing.h"
#include "framing/decoder.h"
#include <errno.h>

framing_decode_fn *const framing_decoders[WEIR_PACKET_TYPE_COUNT] = {
    [WEIR_RAW] = raw_decode,     [WEIR_1] = length_1_decode,      [WEIR_2] = length_2_decode,
    [WEIR_4] = length_4_decode,  [WEIR_ASN1] = asn1_decode,       [WEIR_CDR] = cdr_decode,
    [WEIR_SUNRM] = sunrm_decode, [WEIR_FCGI] = fcgi_decode,       [WEIR_TPKT] = tpkt_decode,
    [WEIR_LINE] = line_decode,   [WEIR_HTTP] = http_decode,       [WEIR_HTTP_BIN] = http_decode,
    [WEIR_HTTPH] = httph_decode, [WEIR_HTTPH_BIN] = httph_decode,
};

int weir_decode_packet(enum weir_packet_type type, const void *input, size_t size,
                       const weir_decode_options *options, weir_decoded *decoded, weir_http *http)
{
    static const weir_decode_options unlimited = {.line_delimiter = '\n'};
    if ((unsigned)type >= WEIR_PACKET_TYPE_COUNT || (framing_is_http(type) && !http))
        return -EINVAL;
    struct framer framer = {0};
    return framer_next(&framer, type, options ? options : &unlimited, input, size, decoded, http);
}
