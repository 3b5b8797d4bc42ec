/* SPDX-License-Identifier: MIT */
/* The name server of the tests, by itself: prints its port, and serves until its input ends. */
#include <stdio.h>

#include "support/dns_server.h"

int main(void)
{
    struct dns_server *server = dns_server_start();
    printf("%u\n", dns_server_port(server));
    fflush(stdout);
    while (getchar() != EOF)
        continue;
    dns_server_stop(server);
}
