/* SPDX-License-Identifier: MIT */
#include "address_term.h"

static unsigned group_of(const weir_address *address, int index)
{
    if (index == 1 && address->scope_id)
        return address->scope_id;
    return (unsigned)(address->bytes[2 * index] << 8 | address->bytes[2 * index + 1]);
}

void address_write_term(FILE *to, const weir_address *address)
{
    bool inet = address->family == WEIR_INET;
    for (int i = 0; i < (inet ? 4 : 8); i++)
        fprintf(to, "%c%u", i ? ',' : '{', inet ? address->bytes[i] : group_of(address, i));
    fputc('}', to);
}
