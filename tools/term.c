/* SPDX-License-Identifier: MIT */
#include "term.h"
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

/* How Erlang escapes what it counts as printable; 0: as it is. */
static char escape_of(uint8_t byte)
{
    static const char escapes[256] = {
        ['\n'] = 'n', ['\r'] = 'r',   ['\t'] = 't', ['\v'] = 'v', ['\b'] = 'b',
        ['\f'] = 'f', ['\x1b'] = 'e', ['"'] = '"',  ['\\'] = '\\'};
    return escapes[byte];
}

static bool is_printable(weir_slice slice)
{
    for (size_t i = 0; i < slice.size; i++) {
        uint8_t byte = (uint8_t)slice.bytes[i];
        if ((byte < ' ' && !escape_of(byte)) || (byte > '~' && byte < 0xa0))
            return false;
    }
    return true;
}

static void write_quoted(FILE *to, weir_slice slice)
{
    fputc('"', to);
    for (size_t i = 0; i < slice.size; i++) {
        uint8_t byte = (uint8_t)slice.bytes[i];
        if (escape_of(byte))
            fprintf(to, "\\%c", escape_of(byte));
        else if (byte > '~')
            fprintf(to, "\\x{%x}", byte);
        else
            fputc(byte, to);
    }
    fputc('"', to);
}

static void write_numbers(FILE *to, weir_slice slice)
{
    for (size_t i = 0; i < slice.size; i++)
        fprintf(to, "%s%u", i ? "," : "", (uint8_t)slice.bytes[i]);
}

static void write_content(FILE *to, weir_slice slice)
{
    if (is_printable(slice))
        write_quoted(to, slice);
    else
        write_numbers(to, slice);
}

static void term_write_binary(FILE *to, const void *bytes, size_t size)
{
    fputs("<<", to);
    if (size)
        write_content(to, (weir_slice){bytes, size});
    fputs(">>", to);
}

static void write_list(FILE *to, weir_slice slice)
{
    if (slice.size && is_printable(slice)) {
        write_quoted(to, slice);
        return;
    }
    fputc('[', to);
    write_numbers(to, slice);
    fputc(']', to);
}

/* A string of an http packet: its type says in which form. */
static void write_text(FILE *to, const struct term_packet *packet, weir_slice text)
{
    if (packet->type == WEIR_HTTP_BIN || packet->type == WEIR_HTTPH_BIN)
        term_write_binary(to, text.bytes, text.size);
    else
        write_list(to, text);
}

/* Atom or text. All atoms among methods and fields begin with a capital: they are quoted. */
static void write_word(FILE *to, const struct term_packet *packet, bool known, weir_slice text)
{
    if (known)
        fprintf(to, "'%.*s'", (int)text.size, text.bytes);
    else
        write_text(to, packet, text);
}

/* The document's numbers are signed, and wrap. */
static void write_number(FILE *to, uint32_t number)
{
    fprintf(to, "%" PRId32, (int32_t)number);
}

static void write_version(FILE *to, const weir_http *http)
{
    fputc('{', to);
    write_number(to, http->version_major);
    fputc(',', to);
    write_number(to, http->version_minor);
    fputc('}', to);
}

static void write_absolute_uri(FILE *to, const struct term_packet *packet)
{
    const weir_http *http = packet->http;
    fprintf(to, "{absoluteURI,%s,", http->as.request.https ? "https" : "http");
    write_text(to, packet, http->as.request.host);
    fputc(',', to);
    if (http->as.request.port_defined)
        write_number(to, http->as.request.port);
    else
        fputs("undefined", to);
    fputc(',', to);
    write_text(to, packet, http->as.request.path);
    fputc('}', to);
}

static void write_uri(FILE *to, const struct term_packet *packet)
{
    const weir_http *http = packet->http;
    switch (http->as.request.uri) {
    case WEIR_URI_ANY:
        fputs("'*'", to);
        break;
    case WEIR_URI_PATH:
        fputs("{abs_path,", to);
        write_text(to, packet, http->as.request.path);
        fputc('}', to);
        break;
    case WEIR_URI_ABSOLUTE:
        write_absolute_uri(to, packet);
        break;
    case WEIR_URI_SCHEME:
        fputs("{scheme,", to);
        write_text(to, packet, http->as.request.host);
        fputc(',', to);
        write_text(to, packet, http->as.request.path);
        fputc('}', to);
        break;
    case WEIR_URI_TEXT:
        write_text(to, packet, http->as.request.path);
        break;
    }
}

static void write_request(FILE *to, const struct term_packet *packet)
{
    const weir_http *http = packet->http;
    fputs("{http_request,", to);
    write_word(to, packet, http->as.request.method != WEIR_HTTP_OTHER_METHOD,
               http->as.request.method_text);
    fputc(',', to);
    write_uri(to, packet);
    fputc(',', to);
    write_version(to, http);
    fputc('}', to);
}

static void write_response(FILE *to, const struct term_packet *packet)
{
    fputs("{http_response,", to);
    write_version(to, packet->http);
    fputc(',', to);
    write_number(to, packet->http->as.response.status);
    fputc(',', to);
    write_text(to, packet, packet->http->as.response.phrase);
    fputc('}', to);
}

static void write_header(FILE *to, const struct term_packet *packet)
{
    const weir_http *http = packet->http;
    fprintf(to, "{http_header,%" PRIu32 ",", http->as.header.number);
    write_word(to, packet, http->as.header.number != 0, http->as.header.field);
    fputc(',', to);
    write_text(to, packet, http->as.header.original);
    fputc(',', to);
    write_text(to, packet, http->as.header.value);
    fputc('}', to);
}

static void write_http(FILE *to, const struct term_packet *packet)
{
    switch (packet->http->kind) {
    case WEIR_HTTP_REQUEST:
        write_request(to, packet);
        break;
    case WEIR_HTTP_RESPONSE:
        write_response(to, packet);
        break;
    case WEIR_HTTP_HEADER:
        write_header(to, packet);
        break;
    case WEIR_HTTP_EOH:
        fputs("http_eoh", to);
        break;
    case WEIR_HTTP_ERROR:
        fputs("{http_error,", to);
        write_text(to, packet, packet->http->as.error);
        fputc('}', to);
        break;
    }
}

void term_write_packet(FILE *to, const struct term_packet *packet)
{
    if (packet->type >= WEIR_HTTP)
        write_http(to, packet);
    else
        term_write_binary(to, packet->decoded->bytes, packet->decoded->size);
}

static void write_more(FILE *to, size_t needed)
{
    if (needed)
        fprintf(to, "{more,%zu}", needed);
    else
        fputs("{more,undefined}", to);
}

void term_write_result(FILE *to, int result, const struct term_packet *packet, weir_slice rest)
{
    if (result == WEIR_DECODE_INVALID) {
        fputs("{error,invalid}", to);
        return;
    }
    if (result == WEIR_DECODE_MORE) {
        write_more(to, packet->decoded->needed);
        return;
    }
    fputs("{ok,", to);
    term_write_packet(to, packet);
    fputc(',', to);
    term_write_binary(to, rest.bytes, rest.size);
    fputc('}', to);
}
