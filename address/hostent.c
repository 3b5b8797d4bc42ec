/* SPDX-License-Identifier: MIT */
#include "address/hostent.h"

#include <string.h>

#include "base/memory.h"

/* Behind the struct: addresses, pointers to aliases with a NULL, and the texts. */
struct block {
    weir_hostent hostent;
    weir_address addresses[];
};

static size_t size_of(const weir_hostent *from)
{
    size_t size = sizeof(struct block) + from->address_count * sizeof(weir_address) +
                  (from->alias_count + 1) * sizeof(char *) + strlen(from->h_name) + 1;
    for (size_t i = 0; i < from->alias_count; i++)
        size += strlen(from->h_aliases[i]) + 1;
    return size;
}

static const char *add_text(char **place, const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = memcpy(*place, text, size);
    *place += size;
    return copy;
}

weir_hostent *hostent_copy(const weir_hostent *from)
{
    struct block *block = memory_allocate(size_of(from));
    if (!block)
        return NULL;
    weir_hostent *hostent = &block->hostent;
    const char **aliases = (const char **)(block->addresses + from->address_count);
    char *place = (char *)(aliases + from->alias_count + 1);
    *hostent = *from;
    memcpy(block->addresses, from->h_addr_list, from->address_count * sizeof(weir_address));
    hostent->h_addr_list = block->addresses;
    hostent->h_name = add_text(&place, from->h_name);
    hostent->h_aliases = aliases;
    for (size_t i = 0; i < from->alias_count; i++)
        aliases[i] = add_text(&place, from->h_aliases[i]);
    aliases[from->alias_count] = NULL;
    return hostent;
}

weir_hostent *hostent_create(const char *name, const char *const *aliases, size_t alias_count,
                             const weir_address *addresses, size_t address_count)
{
    enum weir_family family = (enum weir_family)addresses[0].family;
    const weir_hostent hostent = {
        .h_name = name,
        .h_aliases = aliases,
        .h_addrtype = family,
        .h_length = family == WEIR_INET ? 4 : 16,
        .h_addr_list = addresses,
        .alias_count = alias_count,
        .address_count = address_count,
    };
    return hostent_copy(&hostent);
}

void weir_hostent_free(weir_hostent *hostent)
{
    memory_free(hostent);
}
