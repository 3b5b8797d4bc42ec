/* SPDX-License-Identifier: MIT */
#include "interfaces.h"

#include "address_term.h"
#include "command.h"

#include <stdlib.h>
#include <weir/error.h>
#include <weir/names.h>

const char interfaces_details[] =
    "Prints what Erlang's inet:getifaddrs/0 gives, a term a line, each with its full\n"
    "stop.\n";

static void print_flags(uint32_t flags)
{
    const char *separator = "";
    fputs("{flags,[", stdout);
    for (uint32_t flag = 1; weir_interface_flag_name((enum weir_interface_flag)flag); flag <<= 1)
        if (flags & flag) {
            printf("%s%s", separator, weir_interface_flag_name((enum weir_interface_flag)flag));
            separator = ",";
        }
    fputs("]}", stdout);
}

static void print_option(const char *name, const weir_address *address)
{
    weir_address bare = *address;
    bare.scope_id = 0; /* as Erlang has them */
    if (address->family == WEIR_ANY_FAMILY)
        return;
    printf(",{%s,", name);
    address_write_term(stdout, &bare);
    fputc('}', stdout);
}

static void print_hwaddr(const weir_interface *interface)
{
    if (!interface->hwaddr)
        return;
    fputs(",{hwaddr,[", stdout);
    for (size_t i = 0; i < interface->hwaddr_size; i++)
        printf(i ? ",%u" : "%u", interface->hwaddr[i]);
    fputs("]}", stdout);
}

static void print_interface(const weir_interface *interface)
{
    printf("{\"%s\",[", interface->name);
    print_flags(interface->flags);
    for (size_t i = 0; i < interface->address_count; i++) {
        const weir_interface_address *address = &interface->addresses[i];
        print_option("addr", &address->addr);
        print_option("netmask", &address->netmask);
        print_option("broadaddr", &address->broadaddr);
        print_option("dstaddr", &address->dstaddr);
    }
    print_hwaddr(interface);
    fputs("]}.\n", stdout);
}

int interfaces_run(int argc, char **argv)
{
    weir_interface *interfaces;
    size_t count;
    if (argc > 1)
        return command_misused("interfaces", "takes no arguments, but was given '%s'", argv[1]);
    if (weir_getifaddrs(&interfaces, &count) < 0) {
        fprintf(stderr, "weir interfaces: %s\n", weir_last_error_text());
        return EXIT_FAILURE;
    }
    for (size_t i = 0; i < count; i++)
        print_interface(&interfaces[i]);
    weir_interfaces_free(interfaces);
    return EXIT_SUCCESS;
}
