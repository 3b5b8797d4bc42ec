/* SPDX-License-Identifier: MIT */
#include "packet_digest.h"

/* FNV-1a. */
static void mix_bytes(uint64_t *digest, const void *bytes, size_t size)
{
    const uint8_t *at = bytes;
    for (size_t i = 0; i < size; i++)
        *digest = (*digest ^ at[i]) * 0x100000001b3;
}

static void mix_number(uint64_t *digest, uint64_t number)
{
    mix_bytes(digest, &number, sizeof(number));
}

static void mix_slice(uint64_t *digest, weir_slice slice)
{
    mix_number(digest, slice.size);
    mix_bytes(digest, slice.bytes, slice.size);
}

static void mix_authority(uint64_t *digest, const weir_http *http)
{
    mix_number(digest, http->as.request.https);
    mix_number(digest, http->as.request.port_defined);
    mix_number(digest, http->as.request.port);
}

static void mix_request(uint64_t *digest, const weir_http *http)
{
    enum weir_http_uri uri = http->as.request.uri;
    mix_number(digest, http->as.request.method);
    mix_slice(digest, http->as.request.method_text);
    mix_number(digest, uri);
    mix_slice(digest, http->as.request.path);
    if (uri == WEIR_URI_ABSOLUTE || uri == WEIR_URI_SCHEME)
        mix_slice(digest, http->as.request.host);
    if (uri == WEIR_URI_ABSOLUTE)
        mix_authority(digest, http);
}

static void mix_version(uint64_t *digest, const weir_http *http)
{
    mix_number(digest, http->version_major);
    mix_number(digest, http->version_minor);
}

static void mix_http(uint64_t *digest, const weir_http *http)
{
    mix_number(digest, http->kind);
    switch (http->kind) {
    case WEIR_HTTP_REQUEST:
        mix_version(digest, http);
        mix_request(digest, http);
        break;
    case WEIR_HTTP_RESPONSE:
        mix_version(digest, http);
        mix_number(digest, http->as.response.status);
        mix_slice(digest, http->as.response.phrase);
        break;
    case WEIR_HTTP_HEADER:
        mix_number(digest, http->as.header.number);
        mix_slice(digest, http->as.header.field);
        mix_slice(digest, http->as.header.original);
        mix_slice(digest, http->as.header.value);
        break;
    case WEIR_HTTP_EOH:
        break;
    case WEIR_HTTP_ERROR:
        mix_slice(digest, http->as.error);
        break;
    }
}

void packet_digest(enum weir_packet_type type, const weir_decoded *decoded, const weir_http *http,
                   struct packet_digest *digest)
{
    digest->digest = 0xcbf29ce484222325;
    digest->consumed = decoded->consumed;
    mix_slice(&digest->digest, (weir_slice){(const char *)decoded->bytes, decoded->size});
    if (type >= WEIR_HTTP)
        mix_http(&digest->digest, http);
}
