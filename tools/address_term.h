/* SPDX-License-Identifier: MIT */
/* Addresses as Erlang's tuples: {127,0,0,1}. */
#ifndef TOOLS_ADDRESS_TERM_H
#define TOOLS_ADDRESS_TERM_H

#include <stdio.h>
#include <weir/address.h>

/* A scope stands where Erlang has it, as the second number. */
void address_write_term(FILE *to, const weir_address *address);

#endif
