/* SPDX-License-Identifier: MIT */
/* Any text: the parser takes it or names a character of it; what it takes, it writes and reads
 * back as the same text. */
#include "base/check.h"
#include "base/memory.h"
#include "options/options.h"

#include <stdio.h>
#include <string.h>
#include <weir/error.h>

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size);

static char *formatted(const weir_option *options)
{
    int length = weir_options_format(options, NULL, 0);
    CHECK_GE(length, 2);
    char *text = memory_allocate((size_t)length + 1);
    CHECK(text);
    CHECK_EQ(weir_options_format(options, text, (size_t)length + 1), length);
    CHECK_EQ(strlen(text), (size_t)length);
    return text;
}

static void check_round_trip(const weir_option *options)
{
    weir_option *again;
    char *text = formatted(options);
    CHECK_EQ(weir_options_parse(text, &again), 0);
    char *text_again = formatted(again);
    CHECK_EQ(strcmp(text, text_again), 0);
    memory_free(text_again);
    memory_free(text);
    weir_options_free(again);
}

static void check_refusal(size_t size)
{
    unsigned long position;
    CHECK_EQ(sscanf(weir_last_error_text(), "character %lu: ", &position), 1);
    CHECK_GE(position, 1UL);
    CHECK_LE(position, size + 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    weir_option *options;
    size_t count;
    int64_t live = memory_live_count();
    char *text = memory_allocate(size + 1);
    CHECK(text);
    memcpy(text, input, size);
    text[size] = '\0';
    if (weir_options_parse(text, &options) == 0)
        check_round_trip(options);
    else
        check_refusal(size);
    weir_options_free(options);
    if (weir_options_parse_request(text, &options, &count) == 0)
        CHECK(options[count].id == WEIR_OPTION_END);
    weir_options_free(options);
    memory_free(text);
    CHECK_EQ(memory_live_count(), live);
    return 0;
}
