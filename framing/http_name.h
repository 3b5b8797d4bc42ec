/* SPDX-License-Identifier: MIT */
/* Names of header fields: which characters they may have, and their canonical case. */
#ifndef FRAMING_HTTP_NAME_H
#define FRAMING_HTTP_NAME_H

#include "framing/block.h"
#include <stdbool.h>

/*
 * Upper case at the start and after a '-', except when that '-' itself was due for upper case;
 * all other letters in lower case.
 */
void http_name_write(const uint8_t *name, size_t size, char *text);

/*
 * The same for a name of fewer than BLOCK_SIZE bytes at the start of a block. Writes a whole block.
 * False, and nothing that counts is written, when that takes a look at each character: one may not
 * stand in a name, or a '-' was due for upper case.
 */
bool http_name_write_block(struct block block, size_t size, char *text);

#endif
