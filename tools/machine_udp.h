/* SPDX-License-Identifier: MIT */
/* What UDP can do here, by trying it over the loopback interface. */
#ifndef TOOLS_MACHINE_UDP_H
#define TOOLS_MACHINE_UDP_H

#include <stdbool.h>

struct machine_udp {
    bool gso;     /* the kernel cuts runs apart */
    bool gro;     /* and gives them in one piece to who takes them so */
    bool pktinfo; /* it says where a datagram came to */
};

/* 0, or why not even a datagram gets through. */
int machine_try_udp(struct machine_udp *udp);

#endif
