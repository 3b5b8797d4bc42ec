/* SPDX-License-Identifier: MIT */
/* `weir decode TYPE`: the packets of standard input, each as an Erlang term. */
#include "decode.h"
#include "base/suggest.h"
#include "command.h"
#include "decode_batch.h"
#include "decode_options.h"
#include "framing/framing.h"
#include "term.h"
#include "window.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <weir/options.h>

const char decode_details[] =
    "TYPE is raw, 0, 1, 2, 4, asn1, cdr, sunrm, fcgi, tpkt, line, http, http_bin,\n"
    "httph or httph_bin, or one of these as in '{packet,4}'; NAME is packet_size,\n"
    "line_length or line_delimiter. Each packet on standard input is printed as the\n"
    "term that erlang:decode_packet/3 gives. Bytes that are no whole packet at the\n"
    "end print {more,Total}; {error,invalid} ends it with exit status 1.\n"
    "\n"
    "--batch reads lines `type TAB options TAB hex` (`-` for no bytes), as in\n"
    "    line\t[{packet_size,4}]\t610a62\n"
    "and prints for each what one decode gives: {ok,<<\"a\\n\">>,<<\"b\">>}\n";

struct decode {
    struct decode_options options;
    struct framer framer;
    struct window window;
};

/* Prints what can be decoded; `decoded` says what the last answer, MORE or INVALID, needs. */
static int print_packets(struct decode *decode, weir_decoded *decoded)
{
    struct window *window = &decode->window;
    weir_http http;
    struct term_packet packet = {decode->options.type, decoded, &http};
    for (;;) {
        int result =
            framer_next(&decode->framer, decode->options.type, &decode->options.limits,
                        window->bytes + window->begin, window->end - window->begin, decoded, &http);
        if (result != WEIR_DECODE_OK)
            return result;
        term_write_packet(stdout, &packet);
        putchar('\n');
        window->begin += decoded->consumed;
    }
}

static int finish(struct decode *decode, int result, const weir_decoded *decoded)
{
    struct term_packet packet = {decode->options.type, decoded, NULL};
    if (result == WEIR_DECODE_INVALID || decode->window.end > decode->window.begin) {
        term_write_result(stdout, result, &packet, (weir_slice){0});
        putchar('\n');
    }
    return result == WEIR_DECODE_INVALID ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int decode_stream(struct decode *decode)
{
    weir_decoded decoded = {0};
    int result = WEIR_DECODE_MORE;
    while (result == WEIR_DECODE_MORE) {
        long count = window_fill(&decode->window, STDIN_FILENO);
        if (count < 0) {
            fprintf(stderr, "weir decode: standard input: %s\n", strerror((int)-count));
            return EXIT_FAILURE;
        }
        if (count == 0)
            break;
        result = print_packets(decode, &decoded);
        if (ferror(stdout))
            return EXIT_FAILURE;
    }
    return finish(decode, result, &decoded);
}

static int set_option(struct decode *decode, const char *text)
{
    if (!text)
        return command_misused("decode", "--option needs NAME=VALUE");
    const char *equals = strchr(text, '=');
    if (!equals)
        return command_misused("decode", "--option '%s' is not NAME=VALUE", text);
    weir_slice name = {text, (size_t)(equals - text)};
    weir_slice value = {equals + 1, strlen(equals + 1)};
    if (!decode_option_set(&decode->options, name, value))
        return command_misused("decode",
                               "--option '%s': the type has no such option, or its value "
                               "is out of range; the names are %s",
                               text, decode_option_names());
    return EXIT_SUCCESS;
}

static int set_options(struct decode *decode, char **arguments)
{
    for (; *arguments; arguments += 2) {
        if (strcmp(*arguments, "--option") != 0)
            return command_misused("decode", "'%s' is not --option NAME=VALUE", *arguments);
        int status = set_option(decode, arguments[1]);
        if (status != EXIT_SUCCESS)
            return status;
    }
    return EXIT_SUCCESS;
}

/* "4", or as an option, "{packet,4}". */
static int type_of(const char *text)
{
    weir_option *options;
    int type = weir_packet_type_from_name(text);
    if (type >= 0 || weir_options_parse(text, &options) < 0)
        return type;
    if (options[0].id == WEIR_OPTION_PACKET && options[1].id == WEIR_OPTION_END)
        type = (int)options[0].value.number;
    weir_options_free(options);
    return type;
}

static int unknown_type(const char *text)
{
    char suggested[SUGGEST_TEXT_SIZE];
    struct suggestion suggestion;
    suggest_begin(&suggestion, text, strlen(text));
    for (int type = 0; type < WEIR_PACKET_TYPE_COUNT; type++)
        suggest_look(&suggestion, weir_packet_type_name((enum weir_packet_type)type));
    return command_misused("decode", "'%s' is no packet type%s", text,
                           suggestion.nearest ? suggest_text(&suggestion, suggested)
                                              : "; see 'weir help decode'");
}

int decode_run(int argc, char **argv)
{
    struct decode decode = {.options.limits = decode_options_default};
    if (argc < 2)
        return command_misused("decode", "needs a packet type, or --batch");
    if (strcmp(argv[1], "--batch") == 0)
        return argc == 2 ? decode_batch()
                         : command_misused("decode", "--batch takes no '%s'", argv[2]);
    int type = type_of(argv[1]);
    if (type < 0)
        return unknown_type(argv[1]);
    decode.options.type = (enum weir_packet_type)type;
    int status = set_options(&decode, argv + 2);
    if (status == EXIT_SUCCESS)
        status = decode_stream(&decode);
    window_free(&decode.window);
    return status;
}
