/* SPDX-License-Identifier: MIT */
/* Sockets of all three kinds on one runtime, and their options as text. */
#ifndef TESTS_LIVE_LIVE_H
#define TESTS_LIVE_LIVE_H

#include "support/loopback.h"

/* A listener, a socket connected to it, and what was accepted of that. */
struct trio {
    weir_socket listener;
    weir_socket connected;
    weir_socket accepted;
};

weir_socket listen_on(struct loopback *loopback, const char *address, const char *options);
weir_socket connect_to(struct loopback *loopback, weir_socket listener, const char *options);
weir_socket accept_from(struct loopback *loopback, weir_socket listener);

/* All on `address`, owned by the mailbox. */
struct trio trio_open(struct loopback *loopback, const char *address, const char *listen_options,
                      const char *connect_options);
void trio_close(struct trio *trio);

/* What getopts gives for a request such as "[packet,{raw,6,8,4}]", or the error's name. Static. */
const char *reading(weir_socket socket, const char *request);
void expect_reading(weir_socket socket, const char *request, const char *expected);

/* What a listen or a connect with these options gives; whatever it opened is closed again. */
int try_listen(struct loopback *loopback, const char *options);
int try_connect(struct loopback *loopback, const char *options);

/* The last error's text has this part. */
void expect_said(const char *part);

/* How often the process has called setsockopt and getsockopt. */
uint64_t option_calls(void);

#endif
