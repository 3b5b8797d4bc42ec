/* SPDX-License-Identifier: MIT */
/* The framing engine: packets/s and bytes/s per type and size, out of a full buffer. */
#include "measures.h"
#include "micro.h"

int main(int argc, char **argv)
{
    packets_add_measures();
    lines_add_measures();
    http_add_measures();
    return micro_main(argc, argv);
}
