/* SPDX-License-Identifier: MIT */
#include "address.h"

#include "address_term.h"
#include "command.h"
#include "lines.h"

#include <stdlib.h>
#include <string.h>
#include <weir/error.h>

const char address_details[] =
    "Prints for each TEXT, with tabs between, what it is as an address, as a strictly\n"
    "written one, as an IPv4 and as an IPv6 address, as Erlang's inet_parse has them,\n"
    "and how the address is written. With --batch each line of standard input is a\n"
    "text, '<empty>' the empty one.\n";

typedef int parser(const char *text, weir_address *address);

static void print_parsed(parser *parse, const char *text)
{
    weir_address address;
    int result = parse(text, &address);
    if (result == 0) {
        fputs("{ok,", stdout);
        address_write_term(stdout, &address);
        fputs("}\t", stdout);
    } else {
        printf("{error,%s}\t", weir_error_name(result));
    }
}

static void print_row(const char *text)
{
    char formatted[WEIR_ADDRESS_TEXT_SIZE];
    weir_address address;
    print_parsed(weir_address_parse, text);
    print_parsed(weir_address_parse_strict, text);
    print_parsed(weir_address_parse_ipv4, text);
    print_parsed(weir_address_parse_ipv6, text);
    puts(weir_address_parse(text, &address) == 0 ? weir_address_format(&address, formatted) : "-");
}

/* A NUL is no character of any address. */
static void print_line(char *line, size_t size)
{
    line[strcspn(line, "\n")] = '\0';
    if (strlen(line) + 1 < size)
        print_row("\1");
    else
        print_row(strcmp(line, "<empty>") == 0 ? "" : line);
}

static int run_batch(void)
{
    FILE *lines = lines_open();
    char *line = NULL;
    size_t capacity = 0;
    ssize_t size = 0;
    while (lines && !ferror(stdout) && (size = getline(&line, &capacity, lines)) >= 0)
        print_line(line, (size_t)size);
    int result = lines_close(lines, "address", size < 0);
    free(line);
    return result;
}

int address_run(int argc, char **argv)
{
    if (argc < 2)
        return command_misused("address", "needs a text, or --batch");
    if (strcmp(argv[1], "--batch") == 0 && argc > 2)
        return command_misused("address", "--batch takes no '%s'", argv[2]);
    if (strcmp(argv[1], "--batch") == 0)
        return run_batch();
    for (int i = 1; i < argc; i++)
        print_row(argv[i]);
    return EXIT_SUCCESS;
}
