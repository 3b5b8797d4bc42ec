/* SPDX-License-Identifier: MIT */
/* Request lines and status lines. */
#include "framing/http.h"

static const struct {
    const char *name;
    size_t size;
    enum weir_http_method method;
} methods[] = {
    {"GET", 3, WEIR_HTTP_GET},       {"POST", 4, WEIR_HTTP_POST},
    {"HEAD", 4, WEIR_HTTP_HEAD},     {"PUT", 3, WEIR_HTTP_PUT},
    {"DELETE", 6, WEIR_HTTP_DELETE}, {"OPTIONS", 7, WEIR_HTTP_OPTIONS},
    {"TRACE", 5, WEIR_HTTP_TRACE},
};

/* Seven words with the common ones first: measured faster than a hash. */
static enum weir_http_method method_from_text(weir_slice text)
{
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
        if (methods[i].size == text.size && memcmp(methods[i].name, text.bytes, text.size) == 0)
            return methods[i].method;
    return WEIR_HTTP_OTHER_METHOD;
}

/* Digits '.' digits. */
static bool parse_version(struct text *text, weir_http *http)
{
    if (!text_next_is(text, TEXT_DIGIT))
        return false;
    http->version_major = text_number(text);
    if (!text_skip_word(text, ".", 1) || !text_next_is(text, TEXT_DIGIT))
        return false;
    http->version_minor = text_number(text);
    return true;
}

/* Behind "HTTP/". The status and the phrase may be missing, the blank before the status not. */
static bool parse_status_line(struct text text, weir_http *http)
{
    http->kind = WEIR_HTTP_RESPONSE;
    if (!parse_version(&text, http) || !text_next_is(&text, TEXT_BLANK))
        return false;
    text_skip(&text, TEXT_BLANK);
    http->as.response.status = text_number(&text);
    if (text_left(&text) && !text_next_is(&text, TEXT_BLANK))
        return false;
    text_skip(&text, TEXT_BLANK);
    http->as.response.phrase = text_slice(text.at, text.end);
    return true;
}

/* What follows the version's digits is ignored; no version at all is 0.9. */
static bool parse_request_version(struct text *text, weir_http *http)
{
    http->version_major = 0;
    http->version_minor = 9;
    text_skip(text, TEXT_BLANK);
    if (text_left(text) == 0)
        return true;
    return text_skip_word(text, "HTTP/", 5) && parse_version(text, http);
}

static weir_slice take_uri(struct text *text)
{
    const uint8_t *from = text->at;
    while (text->at < text->end && !text_is(*text->at, TEXT_BLANK))
        text->at++;
    return text_slice(from, text->at);
}

static bool parse_request_line(struct text text, weir_http *http)
{
    const uint8_t *from = text.at;
    text_skip(&text, TEXT_TOKEN);
    weir_slice method = text_slice(from, text.at);
    if (method.size == 0 || !text_next_is(&text, TEXT_BLANK))
        return false;
    text_skip(&text, TEXT_BLANK);
    weir_slice uri = take_uri(&text);
    if (uri.size == 0 || !parse_request_version(&text, http))
        return false;

    http->kind = WEIR_HTTP_REQUEST;
    http->as.request.method = method_from_text(method);
    http->as.request.method_text = method;
    http_parse_uri(uri, http);
    return true;
}

bool http_parse_start_line(struct text line, weir_http *http)
{
    if (text_skip_word(&line, "HTTP/", 5))
        return parse_status_line(line, http);
    return parse_request_line(line, http);
}
