/* SPDX-License-Identifier: MIT */
#include "resolve.h"

#include "address_term.h"
#include "command.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weir/error.h>
#include <weir/names.h>

const char resolve_details[] =
    "Looks a name up, or the name of an address, and prints the hostent as a term:\n"
    "{hostent,Name,Aliases,inet|inet6,4|16,Addresses}. What the inet configuration\n"
    "says (WEIR_INETRC) counts, except for:\n"
    "  --family inet|inet6        of a name's addresses: IPv4 or IPv6\n"
    "  --lookup native,file,dns   the methods, in this order\n"
    "  --nameserver ADDR:PORT     the name server, also several; then the only method\n"
    "                             is dns, unless --lookup says otherwise\n"
    "An error is printed as {error,Reason}, with its text on standard error, and the\n"
    "exit status is 1.\n";

struct request {
    const char *what;
    enum weir_family family;
    const char *lookup;
    char terms[4096]; /* of the inet configuration */
    size_t length;
};

__attribute__((format(printf, 2, 3))) static int add_term(struct request *request,
                                                          const char *format, ...)
{
    va_list arguments;
    size_t room = sizeof(request->terms) - request->length;
    va_start(arguments, format);
    int length = vsnprintf(request->terms + request->length, room, format, arguments);
    va_end(arguments);
    if ((size_t)length >= room)
        return command_misused("resolve", "too many name servers or methods");
    request->length += (size_t)length;
    return 0;
}

static int take_family(struct request *request, const char *text)
{
    if (strcmp(text, "inet") != 0 && strcmp(text, "inet6") != 0)
        return command_misused("resolve", "--family is inet or inet6, not '%s'", text);
    request->family = strcmp(text, "inet") == 0 ? WEIR_INET : WEIR_INET6;
    return 0;
}

static bool is_method(const char *name)
{
    static const char *const names[] = {"native", "file", "files", "hosts",  "dns",
                                        "bind",   "yp",   "nis",   "nisplus"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

static int take_lookup(struct request *request, const char *text)
{
    char copy[256];
    char *rest = copy;
    if ((size_t)snprintf(copy, sizeof(copy), "%s", text) >= sizeof(copy))
        return command_misused("resolve", "--lookup is too long");
    for (char *name = strsep(&rest, ","); name; name = strsep(&rest, ","))
        if (!is_method(name))
            return command_misused("resolve", "'%s' is no method: native, file or dns", name);
    request->lookup = text;
    return 0;
}

static int take_nameserver(struct request *request, const char *text)
{
    weir_address address;
    char term[128] = "";
    FILE *to;
    if (weir_address_parse_endpoint(text, &address) < 0)
        return command_misused("resolve", "--nameserver: %s", weir_last_error_text());
    to = fmemopen(term, sizeof(term), "w");
    if (!to)
        return EXIT_FAILURE;
    address_write_term(to, &address);
    fclose(to);
    if (request->length == 0 && add_term(request, "clear_ns. {resolv_conf,\"\"}. ") != 0)
        return EXIT_USAGE;
    return add_term(request, "{nameserver,%s,%u}. ", term, address.port);
}

static const struct {
    const char *name;
    int (*take)(struct request *request, const char *value);
} switches[] = {
    {"--family", take_family},
    {"--lookup", take_lookup},
    {"--nameserver", take_nameserver},
};

static int take_switch(struct request *request, const char *name, const char *value)
{
    for (size_t i = 0; i < sizeof(switches) / sizeof(switches[0]); i++) {
        if (strcmp(switches[i].name, name) != 0)
            continue;
        if (!value)
            return command_misused("resolve", "%s needs a value", name);
        return switches[i].take(request, value);
    }
    return command_misused("resolve", "there is no '%s'; see 'weir help resolve'", name);
}

static int read_arguments(struct request *request, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        int status = 0;
        if (strncmp(argv[i], "--", 2) == 0) {
            status = take_switch(request, argv[i], i + 1 < argc ? argv[i + 1] : NULL);
            i++;
        } else if (request->what) {
            status = command_misused("resolve", "one name at a time, not also '%s'", argv[i]);
        } else {
            request->what = argv[i];
        }
        if (status != 0)
            return status;
    }
    if (!request->what)
        return command_misused("resolve", "needs a name or an address");
    if (!request->lookup && request->length > 0)
        request->lookup = "dns";
    return request->lookup ? add_term(request, "{lookup,[%s]}. ", request->lookup) : 0;
}

static void print_text(const char *text)
{
    putchar('"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            putchar('\\');
        putchar(*text);
    }
    putchar('"');
}

static void print_hostent(const weir_hostent *hostent)
{
    fputs("{hostent,", stdout);
    print_text(hostent->h_name);
    fputs(",[", stdout);
    for (size_t i = 0; i < hostent->alias_count; i++) {
        fputs(i ? "," : "", stdout);
        print_text(hostent->h_aliases[i]);
    }
    printf("],%s,%u,[", hostent->h_addrtype == WEIR_INET ? "inet" : "inet6", hostent->h_length);
    for (size_t i = 0; i < hostent->address_count; i++) {
        fputs(i ? "," : "", stdout);
        address_write_term(stdout, &hostent->h_addr_list[i]);
    }
    fputs("]}\n", stdout);
}

/* An address asks for its name, unless a family says that it is to be taken as a name. */
static int look_up(weir_runtime *runtime, const struct request *request, weir_hostent **hostent)
{
    weir_address address;
    if (request->family != WEIR_ANY_FAMILY)
        return weir_gethostbyname2(runtime, request->what, request->family, -1, hostent);
    if (weir_address_parse(request->what, &address) == 0)
        return weir_gethostbyaddr(runtime, &address, -1, hostent);
    return weir_gethostbyname(runtime, request->what, -1, hostent);
}

static int resolve(weir_runtime *runtime, const struct request *request)
{
    weir_hostent *hostent;
    int result = look_up(runtime, request, &hostent);
    if (result < 0) {
        printf("{error,%s}\n", weir_error_name(result));
        fprintf(stderr, "weir resolve: %s\n", weir_last_error_text());
        return EXIT_FAILURE;
    }
    print_hostent(hostent);
    weir_hostent_free(hostent);
    return EXIT_SUCCESS;
}

int resolve_run(int argc, char **argv)
{
    struct request request = {.family = WEIR_ANY_FAMILY};
    weir_runtime *runtime;
    int status = read_arguments(&request, argc, argv);
    if (status != 0)
        return status;
    const weir_config config = {.schedulers = 1, .inet_terms = request.terms};
    if (weir_start(&runtime, &config) < 0) {
        fprintf(stderr, "weir resolve: %s\n", weir_last_error_text());
        return EXIT_FAILURE;
    }
    if (*weir_last_error_text())
        fprintf(stderr, "weir resolve: %s\n", weir_last_error_text());
    status = resolve(runtime, &request);
    weir_stop(runtime);
    return status;
}
