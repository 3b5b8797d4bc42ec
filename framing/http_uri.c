/* SPDX-License-Identifier: MIT */
/* The five forms of a request's URI. */
#include "framing/http.h"

/* Defined when it is digits alone and what 32 bits keep of them is not 0. */
static void set_port(weir_http *http, struct text text)
{
    uint32_t port = text_take_number(&text);
    bool is_defined = text_left(text) == 0 && port != 0;
    http->as.request.port_defined = is_defined;
    http->as.request.port = is_defined ? port : 0;
}

/* host[:port]. The colons of an IPv6 address in brackets do not count. */
static void split_authority(weir_slice authority, weir_http *http)
{
    const char *end = authority.bytes + authority.size;
    const char *from = authority.bytes;
    if (authority.size && *from == '[') {
        const char *bracket = memchr(from, ']', authority.size);
        from = bracket ? bracket : from;
    }
    const char *colon = memchr(from, ':', (size_t)(end - from));
    const char *host_end = colon ? colon : end;
    const char *port = colon ? colon + 1 : end;
    http->as.request.host = (weir_slice){authority.bytes, (size_t)(host_end - authority.bytes)};
    set_port(http, (struct text){(const uint8_t *)port, (const uint8_t *)end});
}

static void parse_absolute(weir_slice rest, bool https, weir_http *http)
{
    const char *slash = memchr(rest.bytes, '/', rest.size);
    weir_slice authority = rest;
    weir_slice path = {"/", 1};
    if (slash) {
        authority.size = (size_t)(slash - rest.bytes);
        path = (weir_slice){slash, rest.size - authority.size};
    }
    http_set_uri(http, WEIR_URI_ABSOLUTE, path);
    http->as.request.https = https;
    split_authority(authority, http);
}

/* Of ASCII only, whatever the locale. `scheme` is small letters; "://" follows. */
static bool skip_scheme(weir_slice *uri, const char *scheme, size_t size)
{
    if (uri->size < size + 3 || memcmp(uri->bytes + size, "://", 3) != 0)
        return false;
    for (size_t i = 0; i < size; i++)
        if ((uri->bytes[i] | 0x20) != scheme[i])
            return false;
    uri->bytes += size + 3;
    uri->size -= size + 3;
    return true;
}

static void parse_other(weir_slice uri, weir_http *http)
{
    if (skip_scheme(&uri, "http", 4)) {
        parse_absolute(uri, false, http);
        return;
    }
    if (skip_scheme(&uri, "https", 5)) {
        parse_absolute(uri, true, http);
        return;
    }
    const char *colon = memchr(uri.bytes, ':', uri.size);
    if (!colon) {
        http_set_uri(http, WEIR_URI_TEXT, uri);
        return;
    }
    size_t before = (size_t)(colon - uri.bytes);
    http_set_uri(http, WEIR_URI_SCHEME, (weir_slice){colon + 1, uri.size - before - 1});
    http->as.request.host = (weir_slice){uri.bytes, before};
}

void http_parse_uri(weir_slice uri, weir_http *http)
{
    if (uri.bytes[0] == '/')
        http_set_uri(http, WEIR_URI_PATH, uri);
    else if (uri.size == 1)
        http_set_uri(http, uri.bytes[0] == '*' ? WEIR_URI_ANY : WEIR_URI_PATH, uri);
    else
        parse_other(uri, http);
}
