/* SPDX-License-Identifier: MIT */
#include "decode_batch.h"
#include "command.h"
#include "decode_options.h"
#include "lines.h"
#include "term.h"
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

/* The answer, for whoever counts lines, and what is wrong. */
static int reject(size_t number, const char *why)
{
    puts("{'EXIT',badarg}");
    return command_misused("decode", "line %zu %s", number, why);
}

static int run_line(char *line, size_t size, size_t number)
{
    struct request request;
    struct decode_options options;
    if (strlen(line) != size)
        return reject(number, "holds a NUL byte");
    line[strcspn(line, "\n")] = '\0';
    if (!split(line, &request))
        return reject(number, "is not type, options, hex with tabs between");
    if (!decode_hex(&request))
        return reject(number, "has no hex in its third column");
    int type = weir_packet_type_from_name(request.type);
    options.type = (enum weir_packet_type)type;
    if (type < 0 || !decode_options_parse(request.options, &options))
        puts("{'EXIT',badarg}");
    else
        answer(&request, &options);
    return EXIT_SUCCESS;
}

/* Each line is answered by one, whatever was wrong with those before it. */
int decode_batch(void)
{
    FILE *lines = lines_open();
    char *line = NULL;
    size_t capacity = 0;
    int status = EXIT_SUCCESS;
    ssize_t size = 0;
    for (size_t number = 1;
         lines && !ferror(stdout) && (size = getline(&line, &capacity, lines)) >= 0; number++) {
        int result = run_line(line, (size_t)size, number);
        status = result == EXIT_SUCCESS ? status : result;
    }
    int result = lines_close(lines, "decode", size < 0);
    free(line);
    return result == EXIT_SUCCESS ? status : result;
}
