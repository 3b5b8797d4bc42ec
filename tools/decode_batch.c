/* SPDX-License-Identifier: MIT */
#include "decode_batch.h"
#include "command.h"
#include "decode_options.h"
#include "term.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct request {
    char *type;
    char *options;
    char *hex; /* decoded in place */
    size_t size;
};

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool decode_hex(struct request *request)
{
    char *hex = request->hex;
    request->size = 0;
    if (strcmp(hex, "-") == 0)
        return true;
    for (; *hex; hex += 2) {
        int high = hex_digit(hex[0]);
        int low = high < 0 ? -1 : hex_digit(hex[1]);
        if (low < 0)
            return false;
        request->hex[request->size++] = (char)(high << 4 | low);
    }
    return true;
}

static bool split(char *line, struct request *request)
{
    request->type = strsep(&line, "\t");
    request->options = strsep(&line, "\t");
    request->hex = strsep(&line, "\t");
    return request->hex && !line;
}

static void answer(const struct request *request, const struct decode_options *options)
{
    weir_decoded decoded;
    weir_http http;
    int result = weir_decode_packet(options->type, request->hex, request->size, &options->limits,
                                    &decoded, &http);
    size_t consumed = result == WEIR_DECODE_OK ? decoded.consumed : 0;
    weir_slice rest = {request->hex + consumed, request->size - consumed};
    struct term_packet packet = {options->type, &decoded, &http};
    term_write_result(stdout, result, &packet, rest);
    putchar('\n');
}

static int run_line(char *line, size_t size, size_t number)
{
    struct request request;
    struct decode_options options;
    if (strlen(line) != size)
        return command_misused("decode", "line %zu holds a NUL byte", number);
    line[strcspn(line, "\n")] = '\0';
    if (!split(line, &request))
        return command_misused("decode", "line %zu is not type, options, hex with tabs between",
                               number);
    if (!decode_hex(&request))
        return command_misused("decode", "line %zu: the third column is not hex", number);
    int type = weir_packet_type_from_name(request.type);
    options.type = (enum weir_packet_type)type;
    enum decode_options_result parsed = decode_options_parse(request.options, &options);
    if (parsed == DECODE_OPTIONS_NOT_LIST)
        return command_misused("decode", "line %zu: '%s' is no list of options", number,
                               request.options);
    if (parsed == DECODE_OPTIONS_BADARG || type < 0)
        puts("{'EXIT',badarg}");
    else
        answer(&request, &options);
    return EXIT_SUCCESS;
}

int decode_batch(void)
{
    char *line = NULL;
    size_t capacity = 0;
    int status = EXIT_SUCCESS;
    ssize_t size = 0;
    for (size_t number = 1; status == EXIT_SUCCESS && !ferror(stdout) &&
                            (size = getline(&line, &capacity, stdin)) >= 0;
         number++)
        status = run_line(line, (size_t)size, number);
    int error = errno; /* a line for which there is no memory is no error of the stream's */
    free(line);
    if (size >= 0 || feof(stdin))
        return status;
    fprintf(stderr, "weir decode: standard input: %s\n", strerror(error));
    return EXIT_FAILURE;
}
