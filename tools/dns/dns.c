/* SPDX-License-Identifier: MIT */
/* The service `dns`: answers of a zone file, over UDP and, on the same port, over TCP. */
#include "service.h"

#include <errno.h>

#include "dns/answer.h"
#include "dns/zone.h"

static struct dns_zone *zone;

int dns_load(const char *path)
{
    return dns_zone_read_file(&zone, path);
}

void dns_unload(void)
{
    dns_zone_free(zone);
}

/* A datagram's answer is lost, as any may be, when it cannot be sent; who asks over TCP and does
 * not read is left. */
static void on_packet(weir_socket socket, const weir_packet *packet, void *data)
{
    static _Thread_local uint8_t answer[DNS_MESSAGE_BYTES_MAX];
    const weir_datagram *datagram = packet->datagram;
    size_t size =
        dns_answer(zone, packet->bytes, packet->size, answer, sizeof(answer), datagram != NULL);
    (void)data;
    if (datagram && size > 0)
        (void)!weir_udp_send(socket, &datagram->source, answer, size);
    else if (!datagram && (size == 0 || weir_send(socket, answer, size) < 0))
        (void)!weir_close(socket);
}

const weir_handler dns_handler = {.packet = on_packet};

static int serve_streams(weir_runtime *runtime, const char *address, uint16_t port,
                         weir_owner owner)
{
    weir_option *options;
    int result = weir_options_parse("[binary,{packet,2},{reuseaddr,true},{nodelay,true},"
                                    "{idle_timeout,10000},{backlog,1024}]",
                                    &options);
    if (result < 0)
        return result;
    result = weir_tcp_serve(runtime, address, port, options, owner, NULL);
    weir_options_free(options);
    return result;
}

/* A port that the kernel chooses for one may not be free for the other. */
int dns_serve(weir_runtime *runtime, const char *address, uint16_t port, const weir_option *options,
              weir_owner owner, weir_socket *socket)
{
    enum { TRIES = 16 };
    int result = -EADDRINUSE;
    for (int i = 0; i < TRIES && result == -EADDRINUSE; i++) {
        result = weir_udp_serve(runtime, address, port, options, owner, socket);
        if (result < 0)
            return result;
        result = serve_streams(runtime, address, (uint16_t)weir_port(*socket), owner);
        if (result < 0)
            (void)!weir_close(*socket);
        if (port != 0)
            return result;
    }
    return result;
}
