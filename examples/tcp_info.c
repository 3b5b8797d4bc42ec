/* SPDX-License-Identifier: MIT */
/* The document's two examples of raw options: TCP_LINGER2 is set and read back, and a field is read
 * out of TCP_INFO. The socket is connected to a listener of this program. */
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <weir/weir.h>

static int complain(const char *what, int error)
{
    fprintf(stderr, "tcp_info: %s: %s: %s\n", what, weir_error_text(error), weir_last_error_text());
    return 1;
}

/* inet:setopts(Sock, [{raw,6,8,<<30:32/native>>}]) */
static int set_linger2(weir_socket socket, int32_t seconds)
{
    int error = weir_setopts(
        socket, WEIR_OPTIONS(WEIR_RAW(IPPROTO_TCP, TCP_LINGER2, &seconds, sizeof(seconds))));
    return error < 0 ? complain("setopts", error) : 0;
}

/* inet:getopts(Sock, [{raw,6,8,4},{raw,6,11,92}]). What is raw is in the machine's own order, and
 * the kernel passes over much that it is given: reading it back shows what it took. */
static int read_back(weir_socket socket)
{
    int32_t seconds = 0;
    uint32_t segments;
    uint8_t info[92];
    weir_option wanted[] = {
        WEIR_RAW_REQUEST(IPPROTO_TCP, TCP_LINGER2, &seconds, sizeof(seconds)),
        WEIR_RAW_REQUEST(IPPROTO_TCP, TCP_INFO, info, sizeof(info)),
    };
    int count = weir_getopts(socket, wanted, 2);
    if (count != 2)
        return complain("getopts", count);
    memcpy(&segments, info + offsetof(struct tcp_info, tcpi_sacked), sizeof(segments));
    printf("TCP_LINGER2 is %" PRId32 " seconds\n", seconds);
    printf("tcpi_state is %d, tcpi_sacked %" PRIu32 "\n", info[0], segments);
    return seconds == 30 && info[0] == TCP_ESTABLISHED ? 0 : 1;
}

static int with_runtime(weir_runtime *runtime)
{
    const weir_option *passive = WEIR_OPTIONS(WEIR_ACTIVE(WEIR_ACTIVE_FALSE));
    weir_socket listener;
    weir_socket socket;
    int error = weir_tcp_listen(runtime, "127.0.0.1", 0, passive, &listener);
    if (error < 0)
        return complain("listen", error);
    int port = weir_port(listener);
    if (port < 0)
        return complain("port", port);
    error = weir_tcp_connect(runtime, "127.0.0.1", (uint16_t)port, passive, weir_owned_by_nobody(),
                             WEIR_INFINITY, &socket);
    if (error < 0)
        return complain("connect", error);
    int failed = set_linger2(socket, 30) || read_back(socket);
    weir_close(socket);
    weir_close(listener);
    return failed;
}

int main(void)
{
    weir_runtime *runtime;
    int error = weir_start(&runtime, NULL);
    if (error < 0)
        return complain("start", error);
    int failed = with_runtime(runtime);
    error = weir_stop(runtime);
    return error < 0 ? complain("stop", error) : failed;
}
