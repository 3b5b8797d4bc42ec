/* SPDX-License-Identifier: MIT */
/* What programs that are linked already rely on: these structures stay as large as they are. */
#include <weir/mailbox.h>
#include <weir/runtime.h>
#include <weir/socket.h>

#define STAYS_LARGE(structure, size)            \
    _Static_assert(sizeof(structure) == (size), \
                   "what is new in a " #structure " takes the place of its `reserved`")

STAYS_LARGE(weir_config, 256);
STAYS_LARGE(weir_totals, 384);
STAYS_LARGE(weir_handler, 128);
STAYS_LARGE(weir_message, 136);
