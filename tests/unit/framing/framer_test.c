/* SPDX-License-Identifier: MIT */
/* What a stream remembers: http's state, a change of type, what it needs. */
#include "stream.h"
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static const weir_decode_options unlimited = {.line_delimiter = '\n'};

Test(framer, http_goes_from_start_line_to_headers_and_back)
{
    struct stream stream = {.type = WEIR_HTTP};
    stream_expect(
        &stream, "GET / HTTP/1.1\r\nHost: x\r\n\r\nHTTP/1.1 200 OK\r\nAge: 1\r\n\r\n",
        "{http_request,'GET',{abs_path,\"/\"},{1,1}} {http_header,14,'Host',\"Host\",\"x\"}"
        " http_eoh {http_response,{1,1},200,\"OK\"} {http_header,25,'Age',\"Age\",\"1\"}"
        " http_eoh");
    cr_assert_eq(stream.framer.http_header, 0);
}

/* What was before it, in the same memory, is none of a line's business. */
Test(framer, a_line_with_a_bare_line_feed_behind_another)
{
    struct stream stream = {.type = WEIR_HTTP_BIN};
    stream_expect(&stream, "GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\nAge: 1\r\n\r\n",
                  "{http_request,'GET',{abs_path,<<\"/\">>},{1,1}} http_eoh"
                  " {http_request,'GET',{abs_path,<<\"/\">>},{1,1}}"
                  " {http_header,25,'Age',<<\"Age\">>,<<\"1\">>} http_eoh");
}

Test(framer, an_http_error_leaves_the_state_as_it_is)
{
    struct stream stream = {.type = WEIR_HTTP_BIN};
    stream_expect(&stream, "junk\r\nGET / HTTP/1.1\r\njunk\r\nA:b\r\n\r\n",
                  "{http_error,<<\"junk\\r\\n\">>}"
                  " {http_request,'GET',{abs_path,<<\"/\">>},{1,1}} {http_error,<<\"junk\\r\\n\">>}"
                  " {http_header,0,<<\"A\">>,<<\"A\">>,<<\"b\">>} http_eoh");
}

Test(framer, httph_stays_with_headers)
{
    struct stream stream = {.type = WEIR_HTTPH};
    stream_expect(&stream, "\r\nA:b\r\n\r\nC:d\r\n\r\n",
                  "http_eoh {http_header,0,\"A\",\"A\",\"b\"} http_eoh"
                  " {http_header,0,\"C\",\"C\",\"d\"} http_eoh");
}

/* Seen on sockets of OTP 25: httph leaves the socket among headers, and its empty line ends them.
 */
Test(framer, httph_and_http_share_the_state)
{
    struct stream stream = {.type = WEIR_HTTPH};
    stream_expect(&stream, "\r\n", "http_eoh");
    stream.type = WEIR_HTTP;
    stream_expect(&stream, "GET /\r\n", "{http_request,'GET',{abs_path,\"/\"},{0,9}}");
    stream.type = WEIR_HTTPH_BIN;
    stream_expect(&stream, "\r\nA:b\r\n\r",
                  "http_eoh {http_header,0,<<\"A\">>,<<\"A\">>,<<\"b\">>}"
                  " {more,undefined}");
    framer_forget(&stream.framer);
    stream.type = WEIR_HTTP;
    stream_expect(&stream, "GET /\r\n\r\n", "{http_error,\"GET /\\r\\n\"} http_eoh");
}

Test(framer, the_http_state_outlives_other_types)
{
    struct stream stream = {.type = WEIR_HTTP};
    stream_expect(&stream, "GET / HTTP/1.1\r\n", "{http_request,'GET',{abs_path,\"/\"},{1,1}}");
    stream.type = WEIR_RAW;
    framer_forget(&stream.framer);
    stream_expect(&stream, "abc", "<<\"abc\">>");
    stream.type = WEIR_HTTP;
    framer_forget(&stream.framer);
    stream_expect(&stream, "Age: 1\r\n\r\n", "{http_header,25,'Age',\"Age\",\"1\"} http_eoh");
}

/* line, then 2, then raw, over the same bytes, as a socket does it on setopts. */
Test(framer, unconsumed_bytes_are_looked_at_afresh_when_the_type_changes)
{
    struct stream stream = {.type = WEIR_LINE, .limits = unlimited};
    stream_expect(&stream, "hello", "{more,undefined}");
    cr_assert_eq(stream.framer.scanned, 5);
    framer_forget(&stream.framer);
    stream_expect(&stream, "he\nlo", "<<\"he\\n\">> {more,undefined}");
    stream.type = WEIR_2;
    framer_forget(&stream.framer);
    stream_expect(&stream, "\x01\x02xyz", "{more,260}");
    stream.type = WEIR_RAW;
    framer_forget(&stream.framer);
    stream_expect(&stream, "\x01\x02xyz", "<<1,2,120,121,122>>");
}

Test(framer, http_is_not_written_to_by_other_types)
{
    struct framer framer = {0};
    weir_decoded decoded;
    weir_http http;
    weir_http untouched;
    memset(&http, 0xa5, sizeof(http));
    memset(&untouched, 0xa5, sizeof(untouched));
    for (int type = WEIR_RAW; type <= WEIR_LINE; type++)
        framer_next(&framer, (enum weir_packet_type)type, &unlimited, (const uint8_t *)"\3\0\0\4\n",
                    5, &decoded, &http);
    cr_assert_eq(memcmp(&http, &untouched, sizeof(http)), 0);
}

Test(framer, a_limit_that_falls_below_what_was_seen_applies)
{
    struct stream stream = {.type = WEIR_LINE, .limits = unlimited};
    stream_expect(&stream, "hello", "{more,undefined}");
    stream.limits.packet_size = 4;
    stream_expect(&stream, "hello", "{error,invalid}");
    stream.limits = (weir_decode_options){.line_length = 2, .line_delimiter = '\n'};
    stream_expect(&stream, "hello", "<<\"he\">> <<\"ll\">> {more,undefined}");
}

static const struct {
    enum weir_packet_type type;
    const char *input;
    const char *sizes;
} streams[] = {
    {WEIR_LINE, "a line\nb\n\ncd\n", "7 2 1 3 "},
    {WEIR_ASN1, "\x1f\x81\x82\1\3abc\x30\2de\x1f\1\1f", "8 4 4 "},
    {WEIR_HTTP,
     "GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\nB:\r\n\r\nHTTP/1.1 200 OK\r\nAge: 1\r\n\r\n",
     "16 9 10 4 2 17 8 2 "},
};

/* What each packet takes of a stream that comes in two pieces. */
static const char *sizes_of(size_t stream, size_t first)
{
    static char sizes[128];
    const char *input = streams[stream].input;
    struct framer framer = {0};
    weir_decoded decoded;
    weir_http http;
    size_t at = 0;
    int used = 0;
    for (int piece = 0; piece < 2; piece++) {
        size_t end = piece == 0 ? first : strlen(input);
        while (at < end &&
               framer_next(&framer, streams[stream].type, &unlimited, (const uint8_t *)input + at,
                           end - at, &decoded, &http) == WEIR_DECODE_OK) {
            at += decoded.consumed;
            used += snprintf(sizes + used, sizeof(sizes) - (size_t)used, "%zu ", decoded.consumed);
        }
    }
    return sizes;
}

/* What was seen of one packet says nothing of the next. */
Test(framer, a_stream_is_the_same_wherever_it_is_cut)
{
    for (size_t i = 0; i < sizeof(streams) / sizeof(streams[0]); i++)
        for (size_t first = 0; first <= strlen(streams[i].input); first++)
            cr_expect_str_eq(sizes_of(i, first), streams[i].sizes, "stream %zu cut at %zu: %s", i,
                             first, sizes_of(i, first));
}
