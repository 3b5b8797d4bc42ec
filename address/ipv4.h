/* SPDX-License-Identifier: MIT */
#ifndef ADDRESS_IPV4_H
#define ADDRESS_IPV4_H

#include <stdint.h>

#include "address/span.h"

/* One to four fields, each decimal, octal or hexadecimal; the last one fills what is left. */
bool ipv4_parse_lenient(struct span text, uint8_t bytes[4]);

/* Exactly four decimal fields without leading zeros. */
bool ipv4_parse_strict(struct span text, uint8_t bytes[4]);

#endif
