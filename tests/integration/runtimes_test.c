/* SPDX-License-Identifier: MIT */
/* Two runtimes in one process: what a handler of the one makes for the other. */
#include "support/loopback.h"

#include <errno.h>
#include <string.h>

static weir_runtime *other;

static void must_not_be_called(weir_socket socket, int result, void *data)
{
    (void)socket;
    (void)result;
    (void)data;
    cr_assert_fail("called back");
}

/* Sockets that were made here would be of this runtime, with the defaults of the other. */
static void make_for_the_other(void *data)
{
    struct loopback *loopback = data;
    weir_owner owner = weir_mailed_to(loopback->mailbox);
    weir_socket socket;
    GIVES(weir_tcp_listen(other, "127.0.0.1", 0, WEIR_OPTIONS(), &socket), -EDEADLK);
    cr_expect(strstr(weir_last_error_text(), "weir_run_on") != NULL);
    GIVES(weir_tcp_serve(other, "127.0.0.1", 0, WEIR_OPTIONS(), owner, &socket), -EDEADLK);
    GIVES(weir_tcp_connect(other, "127.0.0.1", 1, WEIR_OPTIONS(), owner, 0, &socket), -EDEADLK);
    for (int i = 0; i < 2; i++)
        GIVES(weir_tcp_connect_async(other, i ? "localhost" : "127.0.0.1", 1, WEIR_OPTIONS(), owner,
                                     WEIR_INFINITY, must_not_be_called, NULL),
              -EDEADLK);
    cr_expect(strstr(weir_last_error_text(), "weir_run_on") != NULL);
}

Test(runtimes, a_handler_makes_nothing_for_another_runtime)
{
    struct loopback loopback = loopback_start(NULL);
    const weir_config config = {.schedulers = 1, .default_connect_options = "[{packet,4}]"};
    GIVES(weir_start(&other, &config), 0);
    run_there(loopback.runtime, 0, make_for_the_other, &loopback);
    GIVES(weir_stop(other), 0);
    loopback_close(&loopback);
}
