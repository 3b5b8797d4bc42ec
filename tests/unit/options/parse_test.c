/* SPDX-License-Identifier: MIT */
/* Options from text: each form, and each error at its character. */
#include "base/memory.h"
#include "error_text.h"
#include "options/options.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct reading {
    const char *text;
    const char *normal; /* as weir_options_format writes it */
};

static const struct reading readings[] = {
    {"[]", "[]"},
    {" [ ] ", "[]"},
    {"inet6", "[inet6]"},
    {"{packet,4}", "[{packet,4}]"},
    {"[{active,once},{active,false},{active,true}]",
     "[{active,once},{active,false},{active,true}]"},
    {"[{active,-3},{active,32767},{active,- 5}]", "[{active,-3},{active,32767},{active,-5}]"},
    {"[binary,list,{mode,binary}]", "[{mode,binary},{mode,list},{mode,binary}]"},
    {"['active',{'packet',line}]", NULL},
    {"{'packet',\t'http_bin'}\n", "[{packet,http_bin}]"},
    {"[{packet,0},{packet,raw},{packet,1},{packet,asn1}]",
     "[{packet,0},{packet,0},{packet,1},{packet,asn1}]"},
    {"[{packet_size,16#FF},{packet_size,2#101},{packet_size,36#Zz}]",
     "[{packet_size,255},{packet_size,5},{packet_size,1295}]"},
    {"[{send_timeout,infinity},{send_timeout,0}]", "[{send_timeout,infinity},{send_timeout,0}]"},
    {"[{linger,{true,5}},{linger,{false,0}}]", "[{linger,{true,5}},{linger,{false,0}}]"},
    {"[{bit8,on},{bit8,clear},{bit8,set},{bit8,off}]",
     "[{bit8,on},{bit8,clear},{bit8,set},{bit8,off}]"},
    {"[{ip,{127,0,0,1}},{ip,any},{ip,loopback},{ifaddr,{0,0,0,0}}]",
     "[{ip,{127,0,0,1}},{ip,any},{ip,loopback},{ifaddr,{0,0,0,0}}]"},
    {"{ip,{16#2001,16#DB8,0,0,0,0,0,1}}", "[{ip,{8193,3512,0,0,0,0,0,1}}]"},
    {"{ip,{16#fe80,3,0,0,0,0,0,1}}", "[{ip,{65152,3,0,0,0,0,0,1}}]"},
    {"[local,{ip,{local,\"/run/a\"}},{ifaddr,{local,<<0,\"b\">>}}]",
     "[local,{ip,{local,\"/run/a\"}},{ifaddr,{local,<<0,98>>}}]"},
    {"[{ip,{local,<<>>}},{ip,{'local',\"\"}},{ip,{local,<<\"/\\xff\">>}}]",
     "[{ip,{local,\"\"}},{ip,{local,\"\"}},{ip,{local,\"/\\xff\"}}]"},
    {"{file_mode,8#640}", "[{file_mode,416}]"},
    {"[{multicast_if,{1,2,3,4}},{multicast_if,7}]", "[{multicast_if,{1,2,3,4}},{multicast_if,7}]"},
    {"{add_membership,{{224,0,0,251},{0,0,0,0}}}", "[{add_membership,{{224,0,0,251},{0,0,0,0}}}]"},
    {"{drop_membership,{{16#ff05,0,0,0,0,0,0,16#fb},2}}",
     "[{drop_membership,{{65285,0,0,0,0,0,0,251},2}}]"},
    {"{raw,6,8,<<30,0,0,0>>}", "[{raw,6,8,<<30,0,0,0>>}]"},
    {"{raw,6,8,<<30:16/little,30:16/big,30:16,-1:8>>}", "[{raw,6,8,<<30,0,0,30,0,30,255>>}]"},
    {"{raw,6,8,<<\"ab\",0,\"\\x63\\x{64}\\145\">>}", "[{raw,6,8,<<97,98,0,99,100,101>>}]"},
    {"{raw,-1,0,<<>>}", "[{raw,-1,0,<<>>}]"},
    {"{raw,1,2,<<\"\">>}", "[{raw,1,2,<<>>}]"},
    {"{bind_to_device,<<\"eth0\">>}", "[{bind_to_device,<<\"eth0\">>}]"},
    {"{bind_to_device,<<>>}", "[{bind_to_device,<<>>}]"},
    {"{congestion,<<\"cu\",\"bic\">>}", "[{congestion,<<\"cubic\">>}]"},
    {"{netns,\"/run/netns/\\\"a\\\\\\n\"}", "[{netns,\"/run/netns/\\\"a\\\\\\x0a\"}]"},
    {"{line_delimiter,$\\n}.", "[{line_delimiter,10}]"},
    {"[{line_delimiter,$a},{line_delimiter,$ },{line_delimiter,$\\x41},{line_delimiter,$\\^a}] .\n",
     "[{line_delimiter,97},{line_delimiter,32},{line_delimiter,65},{line_delimiter,1}]"},
    {"[{packet_size,1_000},{packet_size,16#f_f},{packet_size,+7}]",
     "[{packet_size,1000},{packet_size,255},{packet_size,7}]"},
    {"% all of them\n[{packet,4}, % bytes\n {active,once}]. % the end",
     "[{packet,4},{active,once}]"},
    {"{netns,\"/%\\^a\\^?\" % not a comment before\n \"b\"}", "[{netns,\"/%\\x01\\x7fb\"}]"},
    {"{raw,1,2,<<$a,\"b\" \"c\">>}", "[{raw,1,2,<<97,98,99>>}]"},
    {"{netns,\"/a b~\"}", "[{netns,\"/a b~\"}]"},
    {"{packet,\f4\v}", "[{packet,4}]"},
};

static char *formatted(const weir_option *options)
{
    static char text[512];
    int length = weir_options_format(options, text, sizeof(text));
    cr_assert(length >= 0 && length < (int)sizeof(text), "%s", weir_last_error_text());
    cr_assert(eq(sz, strlen(text), (size_t)length));
    return text;
}

Test(parse, every_form)
{
    for (size_t i = 0; i < sizeof(readings) / sizeof(readings[0]); i++) {
        weir_option *options;
        int result = weir_options_parse(readings[i].text, &options);
        if (!readings[i].normal) {
            cr_expect(eq(int, result, -EINVAL), "%s", readings[i].text);
            continue;
        }
        cr_assert(eq(int, result, 0), "%s: %s", readings[i].text, weir_last_error_text());
        cr_expect(eq(str, formatted(options), (char *)readings[i].normal));
        weir_options_free(options);
    }
    cr_expect(eq(i64, memory_live_count(), 0));
}

struct mistake {
    const char *text;
    const char *error;
};

static const struct mistake mistakes[] = {
    {"", "character 1: an option has to follow, but the text ends"},
    {"[", "character 2: an option has to follow, but the text ends"},
    {"[{packet,4}", "character 12: ] has to follow, but the text ends"},
    {"[{packet,4}}", "character 12: ] has to follow, not }"},
    {"[{packet,4},]", "character 13: an option has to follow, not ]"},
    {"[{packet,4} {header,1}]", "character 13: ] has to follow, not {"},
    {"{packet,4},", "character 11: the end has to follow, not ,"},
    {"{packet,4}..", "character 12: the end has to follow, not ."},
    {"{packet,4}.[]", "character 12: the end has to follow, not ["},
    {"[{packet,4}.]", "character 12: ] has to follow, not ."},
    {"{packet,.}", "character 9: an integer has to follow, not ."},
    {"{packet_size,1__0}", "character 15: '_' is not expected"},
    {"{packet_size,1_}", "character 15: '_' is not expected"},
    {"{line_delimiter,$", "character 18: a character has to follow $"},
    {"{line_delimiter,$\xc3\xa9}", "character 18: $ takes ASCII only"},
    {"{netns,\"/\xc3\xa9\xe2\x82\xac\",4}", "character 13: } has to follow, not ,"},
    {"{netns,\"/\\^1\"}", "character 12: a letter has to follow \\^"},
    {"{packet 4}", "character 9: , has to follow, not an integer"},
    {"{packet}", "character 8: , has to follow, not }"},
    {"{packet,}", "character 9: an integer has to follow, not }"},
    {"{packet,3}", "character 9: 3 is none of 0, raw, 1, 2, asn1, 4, cdr, sunrm, fcgi, tpkt, "
                   "line, http, http_bin, httph, httph_bin"},
    {"{packet,lines}", "character 9: 'lines' is none of 0, raw, 1, 2, asn1, 4, cdr, sunrm, fcgi, "
                       "tpkt, line, http, http_bin, httph, httph_bin"},
    {"{packet,4,5}", "character 10: } has to follow, not ,"},
    {"{Packet,4}", "character 2: 'P' is not expected"},
    {"{packets,4}", "character 2: there is no option 'packets'; did you mean 'packet'?"},
    {"{4,4}", "character 2: the name of an option has to follow, not an integer"},
    {"{\"packet\",4}", "character 2: the name of an option has to follow, not a string"},
    {"{<<>>,4}", "character 2: the name of an option has to follow, not a binary"},
    {"[{nodelay,true}, nodelay]", "character 18: nodelay needs a value"},
    {"[{exit_on_clsoe,true}]",
     "character 3: there is no option 'exit_on_clsoe'; did you mean 'exit_on_close'?"},
    {"[foo]", "character 2: there is no option 'foo'"},
    {"{inet,true}", "character 7: inet is a word without a value"},
    {"{nodelay,1}", "character 10: false, true has to follow, not an integer"},
    {"{nodelay,yes}", "character 10: 'yes' is none of false, true"},
    {"{active,32768}", "character 9: option active: 32768 is out of range -32768..32767"},
    {"{active,twice}", "character 9: 'twice' is none of false, true, once"},
    {"{active,65538}", "character 9: option active: 65538 is out of range -32768..32767"},
    {"{send_timeout,-1}", "character 15: option send_timeout: -1 is out of range 0..4294967295"},
    {"{send_timeout,forever}", "character 15: 'forever' is none of infinity"},
    {"{packet_size,-7}", "character 14: option packet_size: -7 is out of range 0..4294967295"},
    {"{packet_size,9223372036854775808}", "character 14: the integer is too large"},
    {"{packet_size,37#1}", "character 14: a base is from 2 to 36"},
    {"{packet_size,16#}", "character 17: a digit of base 16 has to follow"},
    {"{packet_size,2#12}", "character 17: } has to follow, not an integer"},
    {"{linger,true}", "character 9: { has to follow, not 'true'"},
    {"{linger,{true}}", "character 14: , has to follow, not }"},
    {"{linger,{true,-1}}", "character 15: -1 is out of range 0..2147483647"},
    {"{ip,\"127.0.0.1\"}", "character 5: { has to follow, not a string"},
    {"{ip,none}", "character 5: an address, any or loopback has to follow, not 'none'"},
    {"{ip,{local}}", "character 11: , has to follow, not }"},
    {"{ip,{local,7}}", "character 12: a binary, <<...>> has to follow, not an integer"},
    {"{ip,{local,\"a\",1}}", "character 15: } has to follow, not ,"},
    {"{ip,{lokal,\"a\"}}", "character 6: an integer has to follow, not 'lokal'"},
    {"{multicast_if,{local,\"a\"}}", "character 16: an integer has to follow, not 'local'"},
    {"{file_mode,8#1000}", "character 12: option file_mode: 512 is out of range 0..511"},
    {"{ip,{127,0,0}}", "character 5: an address has 4 or 8 numbers, not 3"},
    {"{ip,{1,2,3,4,5,6,7,8,9}}",
     "character 22: an address of 4 or 8 numbers has to follow, not an integer"},
    {"{ip,{127,0,256,1}}", "character 12: 256 is out of range 0..255"},
    {"{ip,{127,0,-1,1}}", "character 12: -1 is out of range 0..255"},
    {"{ip,{1,2,3,4,5,6,7,65536}}", "character 20: 65536 is out of range 0..65535"},
    {"{multicast_if,{0,0,0,0,0,0,0,0}}", "character 15: the interface of inet6 is an index"},
    {"{add_membership,{{224,0,0,1},2}}",
     "character 17: option add_membership: group and interface are not of one family"},
    {"{raw,6,8,30}", "character 10: a binary, <<...>> has to follow, not an integer"},
    {"{raw,6,8,<<256>>}", "character 12: 256 is out of range 0..255"},
    {"{raw,6,8,<<,1>>}", "character 12: an integer has to follow, not ,"},
    {"{multicast_if,{1,2}}", "character 15: an address has 4 or 8 numbers, not 2"},
    {"{add_membership,}", "character 17: { has to follow, not }"},
    {"{raw,6,8,<<1 2>>}", "character 14: , has to follow, not an integer"},
    {"{raw,6,8,<<1:7>>}", "character 14: 7 bits are not 1 to 8 whole bytes"},
    {"{raw,6,8,<<1:72>>}", "character 14: 72 bits are not 1 to 8 whole bytes"},
    {"{raw,6,8,<<1:8/middle>>}", "character 16: native, little or big has to follow, not 'middle'"},
    {"{raw,6,8,<<1,2", "character 15: , has to follow, but the text ends"},
    {"{raw,-2147483649,8,<<>>}",
     "character 6: -2147483649 is out of range -2147483648..2147483647"},
    {"{bind_to_device,\"lo\"}", "character 17: a binary, <<...>> has to follow, not a string"},
    {"{bind_to_device,<<\"0123456789abcdef\">>}", "character 17: the name is longer than 15 bytes"},
    {"{bind_to_device,<<\"a\",0>>}", "character 17: a zero byte in a name"},
    {"{netns,<<\"/x\">>}", "character 8: a string has to follow, not a binary"},
    {"{netns,\"/x\\000\"}", "character 8: a zero byte in a path"},
    {"{netns,\"\"}", "character 8: option netns: there is no path"},
    {"{netns,\"/x}", "character 8: the quote is not closed"},
    {"{netns,\"/x\\", "character 12: the text ends within an escape"},
    {"{netns,\"/x\\xg\"}", "character 13: a digit of base 16 has to follow"},
    {"{netns,\"/x\\x{41\"}", "character 16: a } has to follow"},
    {"{netns,\"\\x{100}\"}", "character 9: a character above 255"},
    {"{'packet,4}", "character 2: the quote is not closed"},
    {"[{packet,4}]\x01", "character 13: byte 1 is not expected"},
    {"{header,-\x01}", "character 10: byte 1 is not expected"},
    {"\x01", "character 1: byte 1 is not expected"},
    {"[\x01", "character 2: byte 1 is not expected"},
    {"{multicast_if,x}", "character 15: an integer has to follow, not 'x'"},
    {"{multicast_if,-1}", "character 15: -1 is out of range 0..4294967295"},
    {"{add_membership,{{224,0,0,1},x}}", "character 30: an integer has to follow, not 'x'"},
    {"{linger,{true,x}}", "character 15: an integer has to follow, not 'x'"},
    {"{ip,{127,x,0,1}}", "character 10: an integer has to follow, not 'x'"},
    {"{raw,x,8,<<>>}", "character 6: an integer has to follow, not 'x'"},
    {"{raw,6,8,<<1:8/\x01>>}", "character 16: byte 1 is not expected"},
    {"{send_timeout,<<>>}", "character 15: an integer has to follow, not a binary"},
};

Test(parse, every_mistake_at_its_character)
{
    for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
        weir_option *options = (weir_option *)&mistakes;
        cr_expect(eq(int, weir_options_parse(mistakes[i].text, &options), -EINVAL), "%s",
                  mistakes[i].text);
        cr_expect(eq(ptr, options, NULL));
        expect_error_text(mistakes[i].error);
    }
    cr_expect(eq(i64, memory_live_count(), 0));
}

Test(parse, integers_of_up_to_64_bits)
{
    weir_option *options;
    const char *text = "{raw,6,8,<<1:64/big,2:64/little,-1:8>>}";
    cr_assert(eq(int, weir_options_parse(text, &options), 0), "%s", weir_last_error_text());
    cr_assert(eq(sz, options[0].value.raw.size, 17));
    cr_expect(
        eq(int, memcmp(options[0].value.raw.bytes, "\0\0\0\0\0\0\0\1\2\0\0\0\0\0\0\0\xff", 17), 0));
    weir_options_free(options);
}

Test(parse, requests)
{
    weir_option *options;
    size_t count;
    mallopt(M_PERTURB, 1); /* memory of the C library that is new is not zero */
    int result = weir_options_parse_request("[active,mode,{raw,6,11,92},{raw,1,2,<<7>>},inet]",
                                            &options, &count);
    cr_assert(eq(int, result, 0), "%s", weir_last_error_text());
    cr_expect(eq(sz, count, 5));
    cr_expect(eq(int, options[0].id, WEIR_OPTION_ACTIVE));
    cr_expect(eq(int, options[1].id, WEIR_OPTION_MODE));
    cr_expect(eq(int, options[2].value.raw.level, 6));
    cr_expect(eq(int, options[2].value.raw.number, 11));
    cr_expect(eq(sz, options[2].value.raw.size, 92));
    static const char zeros[92];
    cr_expect(eq(int, memcmp(options[2].value.raw.buffer, zeros, 92), 0));
    cr_expect(eq(sz, options[3].value.raw.size, 1));
    cr_expect(eq(int, *(const char *)options[3].value.raw.bytes, 7));
    cr_expect(eq(int, options[5].id, WEIR_OPTION_END));
    weir_options_free(options);
}

Test(parse, requests_have_no_values)
{
    static const struct mistake wrong[] = {
        {"[{active,true}]", "character 2: a request is a name without a value"},
        {"[raw]", "character 2: raw needs a value"},
        {"[binary]", "character 2: there is no option 'binary'"},
        {"[{raw,6,11,65523}]", "character 12: 65523 is out of range 0..65522"},
        {"[{raw,6,11,-1}]", "character 12: -1 is out of range 0..65522"},
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        weir_option *options;
        size_t count = 1;
        cr_expect(eq(int, weir_options_parse_request(wrong[i].text, &options, &count), -EINVAL));
        cr_expect(eq(sz, count, 0));
        expect_error_text(wrong[i].error);
    }
}

/* What 16 requests of 17 characters, each for 65,522 bytes, come to with another one. */
static int request_much(const char *last)
{
    char text[512] = "[";
    weir_option *options;
    size_t count;
    size_t length = 1;
    for (size_t i = 0; i < 16; i++, length += 17)
        memcpy(text + length, "{raw,6,11,65522},", 17);
    snprintf(text + length, sizeof(text) - length, "%s", last);
    int result = weir_options_parse_request(text, &options, &count);
    weir_options_free(options);
    return result;
}

Test(parse, requests_ask_for_a_bounded_amount_of_memory)
{
    cr_expect(eq(int, request_much("mode]"), 0));
    cr_expect(eq(int, request_much("{raw,6,11,224}]"), 0));
    cr_expect(eq(int, request_much("{raw,6,11,225}]"), -EINVAL));
    expect_error_text("character 274: the requests ask for more than 1048576 bytes");
    cr_expect(eq(int, request_much("{raw,6,11,65522}]"), -EINVAL));
}

/* What is set is there, so that it needs no bound. */
Test(parse, values_may_take_more)
{
    enum { COUNT = 17 };
    char *text;
    size_t size;
    weir_option *options;
    FILE *to = open_memstream(&text, &size);
    for (int i = 0; i < COUNT; i++)
        fprintf(to, "%c{raw,6,9,<<\"%*s\">>}", i ? ',' : '[', WEIR_RAW_SIZE_MAX, "x");
    fputc(']', to);
    fclose(to);
    cr_assert(eq(int, weir_options_parse(text, &options), 0), "%s", weir_last_error_text());
    cr_expect(eq(sz, options[COUNT - 1].value.raw.size, WEIR_RAW_SIZE_MAX));
    weir_options_free(options);
    free(text);
}

Test(parse, memory_that_runs_out_is_reported_and_nothing_leaks)
{
    const char *text = "[{packet,4},{netns,\"/x\"},binary,binary,binary,binary,binary,binary,list]";
    int result = -ENOMEM;
    for (uint64_t nth = 1; result < 0; nth++) {
        weir_option *options;
        cr_expect(eq(int, weir_options_parse("[", &options), -EINVAL)); /* leaves a text */
        memory_fail_nth(nth);
        result = weir_options_parse(text, &options);
        memory_fail_nth(0);
        if (result < 0)
            cr_expect(eq(int, result, -ENOMEM));
        if (result < 0)
            expect_error_text("no memory for a list of options");
        else
            cr_expect(gt(u64, nth, 4));
        cr_expect(eq(int, options != NULL, result == 0));
        weir_options_free(options);
        cr_expect(eq(i64, memory_live_count(), 0));
    }
}

Test(format, as_snprintf_does)
{
    const weir_option *options = WEIR_OPTIONS(WEIR_PACKET(WEIR_LINE), WEIR_INET());
    char text[] = "########";
    cr_expect(eq(int, weir_options_format(options, NULL, 0), 20));
    cr_expect(eq(int, weir_options_format(options, text, 5), 20));
    cr_expect(eq(int, memcmp(text, "[{pa\0###", 8), 0));
    cr_expect(eq(int, weir_options_format(NULL, text, sizeof(text)), 2));
    cr_expect(eq(int, memcmp(text, "[]", 3), 0));
}

Test(format, what_has_no_name)
{
    char text[64];
    weir_option options[] = {{WEIR_OPTION_COUNT, {0}}, {WEIR_OPTION_END, {0}}};
    cr_expect(eq(int, weir_options_format(options, text, sizeof(text)), -EINVAL));
    options[0] = WEIR_PACKET(WEIR_PACKET_TYPE_COUNT);
    cr_expect(eq(int, weir_options_format(options, text, sizeof(text)), -EINVAL));
    expect_error_text("option packet: 14 is none of 0, raw, 1, 2, asn1, 4, cdr, sunrm, fcgi, tpkt, "
                      "line, http, http_bin, httph, httph_bin");
}

Test(format, the_largest_scope)
{
    const weir_address scoped = {WEIR_INET6, {0xfe, 0x80, [15] = 1}, 0, 65535};
    char text[64];
    cr_assert(gt(int, weir_options_format(WEIR_OPTIONS(WEIR_IP(scoped)), text, sizeof(text)), 0));
    cr_expect(eq(str, text, (char *)"[{ip,{65152,65535,0,0,0,0,0,1}}]"));
}

/* Each would be read back as something else, or not at all. */
Test(format, what_has_no_text)
{
    const weir_address scoped_loopback = {WEIR_INET6, {[15] = 1}, 0, 3};
    const weir_address scoped_inet = {WEIR_INET, {127, 0, 0, 1}, 0, 3};
    const weir_address far_scope = {WEIR_INET6, {0xfe, 0x80, [15] = 1}, 0, 65536};
    const weir_address other_link_local = {WEIR_INET6, {0xfe, 0x80, 0, 1, [15] = 1}, 0, 0};
    const weir_address half_any = {WEIR_ANY_FAMILY, {1, [15] = 1}, 0, 0};
    const weir_option options[] = {
        WEIR_IP(scoped_loopback),
        WEIR_IP(scoped_inet),
        WEIR_IFADDR(far_scope),
        WEIR_IP(other_link_local),
        WEIR_IP(half_any),
        WEIR_MULTICAST_IF(half_any),
        WEIR_PACKET_SIZE(-1),
        WEIR_ACTIVE(40000),
        WEIR_LINGER(false, -1),
        WEIR_NODELAY(2),
        WEIR_SEND_TIMEOUT(-2),
        WEIR_NETNS(NULL),
        WEIR_NETNS(""),
        WEIR_RAW(1, 2, NULL, 4),
        WEIR_RAW(1, 2, "", 70000),
    };
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        const weir_option list[] = {options[i], WEIR_REQUEST(END)};
        cr_expect(eq(int, weir_options_format(list, NULL, 0), -EINVAL), "option %zu", i);
        cr_expect(weir_last_error_text()[0] != '\0');
    }
}
