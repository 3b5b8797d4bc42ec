/* SPDX-License-Identifier: MIT */
#include "message.h"

#include "remote.h"
#include "term.h"

#include <weir/error.h>

void message_write_packet(FILE *to, const weir_packet *packet, bool with_mode)
{
    if (packet->http) {
        term_write_packet(to, &(struct term_packet){.type = WEIR_HTTP_BIN, .http = packet->http});
        return;
    }
    if (packet->header_size > 0) {
        if (with_mode && packet->mode == WEIR_BINARY)
            fputc('b', to);
        write_hex(to, packet->header, packet->header_size);
        fputc('+', to);
    } else if (with_mode) {
        fputc(packet->mode == WEIR_BINARY ? 'b' : 'l', to);
    }
    fputc(':', to);
    write_hex(to, packet->bytes, packet->size);
}

void message_write(FILE *to, weir_message *message, bool with_mode)
{
    static const char *const names[] = {
        [WEIR_MESSAGE_ACCEPTED] = "accepted", [WEIR_MESSAGE_PASSIVE] = "passive",
        [WEIR_MESSAGE_CLOSED] = "closed",     [WEIR_MESSAGE_USER] = "user",
        [WEIR_MESSAGE_DOWN] = "down",
    };
    switch (message->kind) {
    case WEIR_MESSAGE_DATA:
        if (message->packet.deliver == WEIR_PORT)
            fputs("port ", to);
        else if (message->packet.datagram)
            fputs("udp ", to);
        else
            fputs(message->packet.http ? "http " : "tcp ", to);
        message_write_packet(to, &message->packet, with_mode);
        break;
    case WEIR_MESSAGE_ERROR:
        fprintf(to, "error %s", weir_error_name(message->error));
        break;
    case WEIR_MESSAGE_ACCEPTED:
    case WEIR_MESSAGE_PASSIVE:
    case WEIR_MESSAGE_CLOSED:
    case WEIR_MESSAGE_USER: /* nobody posts any */
    case WEIR_MESSAGE_DOWN:
        fputs(names[message->kind], to);
        break;
    }
    fputs("; ", to);
    weir_packet_release(&message->packet);
}
