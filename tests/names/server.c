/* SPDX-License-Identifier: MIT */
/* The name server of the tests, by itself: prints its port, and serves until its input
 * ends. Argument: the address to serve on; without it 127.0.0.1. */
#include <stdio.h>

#include "support/dns_server.h"

int main(int argc, char **argv)
{
    struct dns_server *server = dns_server_start_on(argc > 1 ? argv[1] : "127.0.0.1");
    printf("%u\n", dns_server_port(server));
    fflush(stdout);
    while (getchar() != EOF)
        continue;
    dns_server_stop(server);
}
