/* SPDX-License-Identifier: MIT */
/* The options of erlang:decode_packet/3 from text. */
#ifndef TOOLS_DECODE_OPTIONS_H
#define TOOLS_DECODE_OPTIONS_H

#include <stdbool.h>
#include <weir/packet.h>

extern const weir_decode_options decode_options_default;

struct decode_options {
    enum weir_packet_type type; /* only lines have a delimiter */
    weir_decode_options limits;
};

/* Sets the option of that name: false when the type has none, or the value is out of its range. */
bool decode_option_set(struct decode_options *options, weir_slice name, weir_slice value);

/* Sets what "[{packet_size,4},{line_length,8}]" says, all else to its default. False:
 * Erlang would raise badarg. */
bool decode_options_parse(const char *text, struct decode_options *options);

/* "packet_size, line_length, line_delimiter", for messages. */
const char *decode_option_names(void);

#endif
