/* SPDX-License-Identifier: MIT */
/* setopts of {active,_} in a handler, and of what weir keeps, enters the kernel never: every system
 * call of the thread is a signal that ends the test. */
#include "live.h"

#include <signal.h>
#include <sys/prctl.h>

#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH 59
#endif

enum { ALLOWED, BLOCKED }; /* what the kernel looks at before each system call */

static volatile char selector = ALLOWED;

static bool watch(void)
{
    enum { OFF, ON };
    return prctl(PR_SET_SYSCALL_USER_DISPATCH, ON, 0, 0, &selector) == 0;
}

struct work {
    const weir_option *options;
    int watched; /* -1: the kernel cannot */
    int result;
    uint32_t done;
};

static void on_packet(weir_socket socket, const weir_packet *packet, void *data)
{
    struct work *work = data;
    (void)packet;
    work->watched = watch() ? 1 : -1;
    selector = BLOCKED;
    for (int i = 0; i < 1000; i++)
        work->result |= weir_setopts(socket, work->options);
    selector = ALLOWED;
    __atomic_store_n(&work->done, 1, __ATOMIC_RELEASE);
}

static void set_in_handler(const weir_option *options)
{
    static const weir_handler handler = {.packet = on_packet};
    struct work work = {.options = options};
    struct loopback loopback = loopback_start(NULL);
    weir_socket listener = listen_on(&loopback, "127.0.0.1", "[{active,once}]");
    int peer = peer_connect(weir_port(listener));
    weir_socket socket;
    GIVES(weir_tcp_accept(listener, weir_handled_by(&handler, &work), WAIT_MS, &socket), 0);
    peer_say(peer, "x");
    EVENTUALLY(__atomic_load_n(&work.done, __ATOMIC_ACQUIRE));
    cr_expect(work.result == 0);
    peer_leave(&peer);
    loopback_close(&loopback);
    if (work.watched < 0)
        cr_skip_test("the kernel cannot watch");
}

Test(silent, active_in_a_handler)
{
    set_in_handler(WEIR_OPTIONS(WEIR_ACTIVE(WEIR_ACTIVE_ONCE)));
}

Test(silent, what_weir_keeps)
{
    set_in_handler(WEIR_OPTIONS(WEIR_PACKET(WEIR_RAW), WEIR_HEADER(3), WEIR_BIT8(WEIR_BIT8_ON),
                                WEIR_ACTIVE(WEIR_ACTIVE_ONCE)));
}

/* That the watch works: the kernel's own options do enter it. */
Test(silent, is_broken_by_an_option_of_the_kernel, .signal = SIGSYS)
{
    struct loopback loopback = loopback_open("[]");
    if (!watch())
        raise(SIGSYS);
    selector = BLOCKED;
    (void)!set(loopback.socket, "[{nodelay,true}]");
}
