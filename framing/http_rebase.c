/* SPDX-License-Identifier: MIT */
/* An http packet whose bytes have moved. */
#include "framing/framing.h"

struct move {
    const uint8_t *from;
    const uint8_t *to;
    size_t size;
};

/* Slices of static memory, a path "/" for one, lie outside of the packet and stay. */
static void move_slice(const struct move *move, weir_slice *slice)
{
    size_t offset = (size_t)((uintptr_t)slice->bytes - (uintptr_t)move->from);
    if (offset <= move->size)
        slice->bytes = (const char *)move->to + offset;
}

static void move_request(const struct move *move, weir_http *http)
{
    enum weir_http_uri uri = http->as.request.uri;
    move_slice(move, &http->as.request.method_text);
    move_slice(move, &http->as.request.path);
    if (uri == WEIR_URI_ABSOLUTE || uri == WEIR_URI_SCHEME)
        move_slice(move, &http->as.request.host);
}

static void move_header(const struct move *move, weir_http *http)
{
    move_slice(move, &http->as.header.original);
    move_slice(move, &http->as.header.value);
    /* An unknown name in canonical case is in this struct, which may itself be a copy. */
    if (http->as.header.number == 0 &&
        http->as.header.field.size <= sizeof(http->as.header.field_text))
        http->as.header.field.bytes = http->as.header.field_text;
    else
        move_slice(move, &http->as.header.field);
}

void framing_rebase_http(weir_http *http, const uint8_t *from, const uint8_t *to, size_t size)
{
    const struct move move = {from, to, size};
    switch (http->kind) {
    case WEIR_HTTP_REQUEST:
        move_request(&move, http);
        break;
    case WEIR_HTTP_RESPONSE:
        move_slice(&move, &http->as.response.phrase);
        break;
    case WEIR_HTTP_HEADER:
        move_header(&move, http);
        break;
    case WEIR_HTTP_EOH:
        break;
    case WEIR_HTTP_ERROR:
        move_slice(&move, &http->as.error);
        break;
    }
}
