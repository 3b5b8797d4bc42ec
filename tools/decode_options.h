/* SPDX-License-Identifier: MIT */
/* The options of erlang:decode_packet/3 from text. */
#ifndef TOOLS_DECODE_OPTIONS_H
#define TOOLS_DECODE_OPTIONS_H

#include <stdbool.h>
#include <weir/packet.h>

extern const weir_decode_options decode_options_default;

/* Sets the option of that name: false when there is none, or the value is out of its range. */
bool decode_option_set(weir_decode_options *options, weir_slice name, weir_slice value);

/* What is between the brackets of "[{packet_size,4},{line_length,8}]". */
enum decode_options_result {
    DECODE_OPTIONS_OK,
    DECODE_OPTIONS_BADARG,   /* a list, but Erlang would raise badarg */
    DECODE_OPTIONS_NOT_LIST, /* no list at all */
};
enum decode_options_result decode_options_parse(const char *text, weir_decode_options *options);

/* "packet_size, line_length, line_delimiter", for messages. */
const char *decode_option_names(void);

#endif
