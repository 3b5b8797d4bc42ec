/* SPDX-License-Identifier: MIT */
#ifndef ADDRESS_NUMBER_H
#define ADDRESS_NUMBER_H

#include <stdint.h>

#include "address/span.h"

/*
 * Takes the digits of `base` (8, 10, 16) at the front of `span`. False when there is none or when
 * the value is above `most`. No sign, no blank, no locale.
 */
bool number_take(struct span *span, unsigned base, uint32_t most, uint32_t *value);

#endif
