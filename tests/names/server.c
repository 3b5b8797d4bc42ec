/* SPDX-License-Identifier: MIT */
/* The name server of the tests, by itself: prints its port, and serves until its input
 * ends. Arguments: the address to serve on, else 127.0.0.1, and a port. */
#include <stdio.h>
#include <stdlib.h>

#include "support/dns_server.h"

int main(int argc, char **argv)
{
    struct dns_server *server = dns_server_start_on(
        argc > 1 ? argv[1] : "127.0.0.1", argc > 2 ? (uint16_t)strtoul(argv[2], NULL, 10) : 0);
    printf("%u\n", dns_server_port(server));
    fflush(stdout);
    while (getchar() != EOF)
        continue;
    dns_server_stop(server);
}
