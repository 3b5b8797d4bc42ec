/* SPDX-License-Identifier: MIT */
#include "answer.h"
#include "support/guard.h"
#include <criterion/criterion.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

static void expect(enum weir_packet_type type, weir_decode_options limits, const char *input,
                   const char *term)
{
    size_t size = strlen(input);
    struct answer answer;
    answer_decode(&answer, (struct question){type, &limits, guard_copy(input, size), size});
    cr_assert_str_eq(answer.term, term, "%s: got %s, want %s", input, answer.term, term);
    answer_free(&answer);
}

static const char *const field_names[] = {"Cache-Control",
                                          "Connection",
                                          "Date",
                                          "Pragma",
                                          "Transfer-Encoding",
                                          "Upgrade",
                                          "Via",
                                          "Accept",
                                          "Accept-Charset",
                                          "Accept-Encoding",
                                          "Accept-Language",
                                          "Authorization",
                                          "From",
                                          "Host",
                                          "If-Modified-Since",
                                          "If-Match",
                                          "If-None-Match",
                                          "If-Range",
                                          "If-Unmodified-Since",
                                          "Max-Forwards",
                                          "Proxy-Authorization",
                                          "Range",
                                          "Referer",
                                          "User-Agent",
                                          "Age",
                                          "Location",
                                          "Proxy-Authenticate",
                                          "Public",
                                          "Retry-After",
                                          "Server",
                                          "Vary",
                                          "Warning",
                                          "Www-Authenticate",
                                          "Allow",
                                          "Content-Base",
                                          "Content-Encoding",
                                          "Content-Language",
                                          "Content-Length",
                                          "Content-Location",
                                          "Content-Md5",
                                          "Content-Range",
                                          "Content-Type",
                                          "Etag",
                                          "Expires",
                                          "Last-Modified",
                                          "Accept-Ranges",
                                          "Set-Cookie",
                                          "Set-Cookie2",
                                          "X-Forwarded-For",
                                          "Cookie",
                                          "Keep-Alive",
                                          "Proxy-Connection"};

enum { FIELD_COUNT = sizeof(field_names) / sizeof(field_names[0]), LINE_SIZE = 256 };

/* Decodes a header line with that name; `padding` bytes follow it. */
static void decode_name(const char *name, size_t padding, weir_http *http)
{
    char line[LINE_SIZE];
    weir_decoded decoded;
    int size = snprintf(line, sizeof(line), "%s: v\r\n%-*s", name, (int)padding, "x");
    int result = weir_decode_packet(WEIR_HTTPH, guard_copy(line, (size_t)size), (size_t)size, NULL,
                                    &decoded, http);
    cr_assert_eq(result, WEIR_DECODE_OK);
}

static void check_known(const char *name, size_t index)
{
    for (size_t padding = 1; padding < 80; padding += 39) {
        weir_http http;
        decode_name(name, padding, &http);
        cr_assert_eq(http.kind, WEIR_HTTP_HEADER);
        cr_assert_eq(http.as.header.number, index + 1, "%s", name);
        cr_assert_eq(http.as.header.field.size, strlen(name));
        cr_assert_eq(memcmp(http.as.header.field.bytes, field_names[index], strlen(name)), 0);
        cr_assert_eq(memcmp(http.as.header.original.bytes, name, strlen(name)), 0);
    }
}

Test(http, each_known_field_in_any_case_has_its_number)
{
    cr_assert_eq(FIELD_COUNT, 52);
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        char upper[32] = "", lower[32] = "";
        for (size_t j = 0; field_names[i][j]; j++) {
            upper[j] = (char)toupper(field_names[i][j]);
            lower[j] = (char)tolower(field_names[i][j]);
        }
        check_known(field_names[i], i);
        check_known(upper, i);
        check_known(lower, i);
    }
}

/* One character changed: no longer known, and wrong where it may not stand in a name. */
static void check_changed(const char *name, size_t at, char byte)
{
    weir_http http;
    char changed[32];
    snprintf(changed, sizeof(changed), "%s", name);
    changed[at] = byte;
    decode_name(changed, 40, &http);
    bool is_token = byte == '_' || byte == 'q' || byte == '\x7f';
    cr_assert_eq(http.kind, is_token ? WEIR_HTTP_HEADER : WEIR_HTTP_ERROR, "%s", changed);
    if (is_token && tolower(name[at]) != byte)
        cr_assert_eq(http.as.header.number, 0, "%s", changed);
}

Test(http, what_is_nearly_a_known_field_is_none)
{
    const char bytes[] =
        "_q\x7f\x0d\x12\x15\x01 \t(@[`{\x80\xff"; /* '`' is for the case bit of '@' */
    for (size_t i = 0; i < FIELD_COUNT; i++)
        for (size_t at = 0; at < strlen(field_names[i]); at++)
            for (size_t j = 0; j < sizeof(bytes) - 1; j++)
                if (bytes[j] != '`')
                    check_changed(field_names[i], at, bytes[j]);
}

static const struct {
    const char *name;
    const char *field;
} cases[] = {
    {"x--y", "X--y"},
    {"-a-b-", "-a-B-"},
    {"--a---b----c", "--A---B----c"},
    {"a-1b-c", "A-1b-C"},
    {"aBC", "Abc"},
    {"x_Y-z.w-v", "X_y-Z.w-V"},
    {"ABCDEFGHIJKLMN-PQRSTU-wXYZ-abcde", "Abcdefghijklmn-Pqrstu-Wxyz-Abcde"},
    {"abcdefghijklmno-p", "Abcdefghijklmno-P"},
    {"abcdefghijklmn-op", "Abcdefghijklmn-Op"},
    {"x234567890-23456789-123456789-a23456789-b234567890",
     "X234567890-23456789-123456789-A23456789-B234567890"},
    {"x234567890-23456789-123456789-a23456789-b2345678901",
     "x234567890-23456789-123456789-a23456789-b2345678901"},
};

Test(http, unknown_names_up_to_50_bytes_get_canonical_case)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        for (size_t padding = 1; padding < 100; padding += 33) {
            weir_http http;
            decode_name(cases[i].name, padding, &http);
            cr_assert_eq(http.as.header.number, 0);
            cr_assert_eq(http.as.header.field.size, strlen(cases[i].field));
            cr_assert_eq(
                memcmp(http.as.header.field.bytes, cases[i].field, http.as.header.field.size), 0,
                "%.*s", (int)http.as.header.field.size, http.as.header.field.bytes);
        }
}

/* Every byte in a name, alone and in a block, against the document's list of special characters. */
Test(http, token_characters)
{
    const char *special = "()<>@,;:\\\"/[]?={}";
    for (int byte = 1; byte < 256; byte++) {
        bool is_token = byte > ' ' && byte < 128 && !strchr(special, byte);
        if (byte == ':' || byte == '\n')
            continue;
        for (size_t padding = 1; padding < 80; padding += 39) {
            weir_http http;
            const char name[] = {'a', 'b', (char)byte, 'c', '\0'};
            decode_name(name, padding, &http);
            cr_assert_eq(http.kind, is_token ? WEIR_HTTP_HEADER : WEIR_HTTP_ERROR, "byte %d", byte);
        }
    }
}

static const struct {
    uint32_t packet_size;
    uint32_t line_length;
    enum weir_packet_type type;
    const char *input;
    const char *term;
} limited[] = {
    {16, 0, WEIR_HTTP, "GET / HTTP/1.1\r\n",
     "{ok,{http_request,'GET',{abs_path,\"/\"},{1,1}},<<>>}"},
    {15, 0, WEIR_HTTP, "GET / HTTP/1.1\r\n", "{error,invalid}"},
    {0, 15, WEIR_HTTP, "GET / HTTP/1.1\r\n", "{error,invalid}"},
    {16, 15, WEIR_HTTP, "GET / HTTP/1.1\r\n",
     "{ok,{http_request,'GET',{abs_path,\"/\"},{1,1}},<<>>}"},
    {15, 0, WEIR_HTTP, "GET / HTTP/1.1", "{more,undefined}"},
    {14, 0, WEIR_HTTP, "GET / HTTP/1.1", "{error,invalid}"},
    {5, 0, WEIR_HTTPH, "A:b\r\nC", "{ok,{http_header,0,\"A\",\"A\",\"b\"},<<\"C\">>}"},
    {4, 0, WEIR_HTTPH, "A:b\r\nC", "{error,invalid}"},
    {5, 0, WEIR_HTTPH, "A:b\r\n", "{more,undefined}"},
    {8, 0, WEIR_HTTPH, "A:b\r\n \r\nC", "{ok,{http_header,0,\"A\",\"A\",\"b\\r\\n \"},<<\"C\">>}"},
    {7, 0, WEIR_HTTPH, "A:b\r\n \r\nC", "{error,invalid}"},
    {1, 0, WEIR_HTTP, "\r\n", "{ok,{http_error,\"\\r\\n\"},<<>>}"},
    {1, 0, WEIR_HTTPH, "\r\n", "{ok,http_eoh,<<>>}"},
    {1, 0, WEIR_HTTPH, "\r\nX", "{error,invalid}"},
    {2, 0, WEIR_HTTPH, "\r\nX", "{ok,http_eoh,<<\"X\">>}"},
};

/* Behind the line there may be nothing, or more than the decoders look at in one go. */
Test(http, limits_are_exact)
{
    char longer[LINE_SIZE];
    for (size_t i = 0; i < sizeof(limited) / sizeof(limited[0]); i++) {
        const weir_decode_options limits = {limited[i].packet_size, limited[i].line_length, '\n'};
        expect(limited[i].type, limits, limited[i].input, limited[i].term);
        if (strstr(limited[i].term, "more") || strlen(limited[i].input) <= 2)
            continue;
        snprintf(longer, sizeof(longer), "%s%-100s", limited[i].input, "x");
        struct answer answer;
        answer_decode(&answer, (struct question){limited[i].type, &limits, (const uint8_t *)longer,
                                                 strlen(longer)});
        cr_assert_eq(answer.result,
                     limited[i].term[1] == 'o' ? WEIR_DECODE_OK : WEIR_DECODE_INVALID);
        answer_free(&answer);
    }
}

/* The line end is the last byte there is: what follows has to be waited for, not read. */
Test(http, a_header_that_ends_the_input_needs_more)
{
    char line[LINE_SIZE];
    for (int size = 1; size < 200; size++) {
        snprintf(line, sizeof(line), "A: %0*d\r\n", size, 7);
        expect(WEIR_HTTPH, (weir_decode_options){0}, line, "{more,undefined}");
    }
}

Test(http, paths_of_all_sizes)
{
    for (int size = 1; size < 200; size++)
        for (int padding = 1; padding < 100; padding += 49) {
            char line[2 * LINE_SIZE];
            weir_decoded decoded;
            weir_http http;
            size_t line_size = (size_t)snprintf(line, sizeof(line), "PUT /%0*d HTTP/1.1\r\n%-*s",
                                                size, 7, padding, "x");
            int result = weir_decode_packet(WEIR_HTTP, guard_copy(line, line_size), line_size, NULL,
                                            &decoded, &http);
            cr_assert_eq(result, WEIR_DECODE_OK);
            cr_assert_eq(decoded.consumed, line_size - (size_t)padding);
            cr_assert_eq(http.as.request.uri, WEIR_URI_PATH);
            cr_assert_eq(http.as.request.path.size, (size_t)size + 1, "path of %d", size + 1);
        }
}

/* Wherever it stands, and wherever what is looked at in one go ends. */
Test(http, a_path_with_a_blank_in_it_is_an_error)
{
    for (int size = 3; size < 140; size++)
        for (int at = 1; at < size - 1; at++) {
            char line[2 * LINE_SIZE];
            weir_decoded decoded;
            weir_http http;
            int line_size =
                snprintf(line, sizeof(line), "PUT /%0*d HTTP/1.1\r\n%-40s", size, 7, "x");
            line[5 + at] = ' ';
            cr_assert_eq(
                weir_decode_packet(WEIR_HTTP, line, (size_t)line_size, NULL, &decoded, &http),
                WEIR_DECODE_OK);
            cr_assert_eq(http.kind, WEIR_HTTP_ERROR, "a blank at %d of %d", at, size);
            cr_assert_eq(http.as.error.size, (size_t)line_size - 40);
        }
}

/* Only blanks end a URI, and only a version may follow. */
static const struct {
    const char *line;
    const char *term;
} odd_lines[] = {
    {"GET /a\001HTTP/1.1\r\n",
     "{http_request,'GET',{abs_path,[47,97,1,72,84,84,80,47,49,46,49]},{0,9}}"},
    {"GET /a\tHTTP/1.1\r\n", "{http_request,'GET',{abs_path,\"/a\"},{1,1}}"},
    {"GET /\r\n", "{http_request,'GET',{abs_path,\"/\"},{0,9}}"},
    {"GET /a HTTP/1.1\n", "{http_request,'GET',{abs_path,\"/a\"},{1,1}}"},
    {"GET /a HTTP/1.12\r\n", "{http_request,'GET',{abs_path,\"/a\"},{1,12}}"},
    {"GET /a HTTP/1.1 x\r\n", "{http_request,'GET',{abs_path,\"/a\"},{1,1}}"},
    {"GET /a HTTP/1.x\r\n", "{http_error,\"GET /a HTTP/1.x\\r\\n\"}"},
    {"GET /a HTTP/1\r\n", "{http_error,\"GET /a HTTP/1\\r\\n\"}"},
    {"GET /a b HTTP/1.1\r\n", "{http_error,\"GET /a b HTTP/1.1\\r\\n\"}"},
    {"GETT /a HTTP/1.1\r\n", "{http_request,\"GETT\",{abs_path,\"/a\"},{1,1}}"},
    {"OPTIONSX /a HTTP/1.1\r\n", "{http_request,\"OPTIONSX\",{abs_path,\"/a\"},{1,1}}"},
};

Test(http, lines_that_are_nearly_common)
{
    for (size_t i = 0; i < sizeof(odd_lines) / sizeof(odd_lines[0]); i++)
        for (int padding = 0; padding < 100; padding += 99) {
            char input[2 * LINE_SIZE], term[2 * LINE_SIZE];
            char rest[100] = "";
            memset(rest, 'x', (size_t)padding);
            snprintf(input, sizeof(input), "%s%s", odd_lines[i].line, rest);
            const char *quote = padding ? "\"" : "";
            snprintf(term, sizeof(term), "{ok,%s,<<%s%s%s>>}", odd_lines[i].term, quote, rest,
                     quote);
            expect(WEIR_HTTP, (weir_decode_options){0}, input, term);
        }
}

static const struct {
    const char *uri;
    const char *term;
} uris[] = {
    {"*", "'*'"},
    {"/", "{abs_path,\"/\"}"},
    {"h", "{abs_path,\"h\"}"},
    {"//a:b", "{abs_path,\"//a:b\"}"},
    {"http://h", "{absoluteURI,http,\"h\",undefined,\"/\"}"},
    {"HTTPS://h:443/p?q", "{absoluteURI,https,\"h\",443,\"/p?q\"}"},
    {"http://h:0/", "{absoluteURI,http,\"h\",undefined,\"/\"}"},
    {"http://h:4294967376/", "{absoluteURI,http,\"h\",80,\"/\"}"},
    {"http://h:80a/", "{absoluteURI,http,\"h\",undefined,\"/\"}"},
    {"http://[::1]/p", "{absoluteURI,http,\"[::1]\",undefined,\"/p\"}"},
    {"http://[::1]:80/p", "{absoluteURI,http,\"[::1]\",80,\"/p\"}"},
    {"https://[fe80::1%25eth0]:8443", "{absoluteURI,https,\"[fe80::1%25eth0]\",8443,\"/\"}"},
    {"http://[::1", "{absoluteURI,http,\"[\",undefined,\"/\"}"},
    {"http://a:1]:80/", "{absoluteURI,http,\"a\",undefined,\"/\"}"},
    {"hxxp://h/p", "{scheme,\"hxxp\",\"//h/p\"}"},
    {"httpx://h/p", "{scheme,\"httpx\",\"//h/p\"}"},
    {"ldap://h/p", "{scheme,\"ldap\",\"//h/p\"}"},
    {"ftp://h/p", "{scheme,\"ftp\",\"//h/p\"}"},
    {"host:443", "{scheme,\"host\",\"443\"}"},
    {"http:x", "{scheme,\"http\",\"x\"}"},
    {"word", "\"word\""},
};

Test(http, five_forms_of_uri)
{
    for (size_t i = 0; i < sizeof(uris) / sizeof(uris[0]); i++) {
        char line[LINE_SIZE], term[LINE_SIZE];
        snprintf(line, sizeof(line), "GET %s HTTP/1.1\r\n", uris[i].uri);
        snprintf(term, sizeof(term), "{ok,{http_request,'GET',%s,{1,1}},<<>>}", uris[i].term);
        expect(WEIR_HTTP, (weir_decode_options){0}, line, term);
    }
}

Test(http, numbers_wrap_at_32_bits)
{
    weir_decoded decoded;
    weir_http http;
    const char line[] = "HTTP/4294967297.4294967295 99999999999 X\r\n";
    cr_assert_eq(weir_decode_packet(WEIR_HTTP, line, sizeof(line) - 1, NULL, &decoded, &http),
                 WEIR_DECODE_OK);
    cr_assert_eq(http.version_major, 1);
    cr_assert_eq(http.version_minor, UINT32_MAX);
    cr_assert_eq(http.as.response.status, 1215752191);
}

static const char *const methods[] = {NULL,   "OPTIONS", "GET",    "HEAD",
                                      "POST", "PUT",     "DELETE", "TRACE"};

Test(http, known_methods_have_their_number)
{
    for (size_t method = 1; method < sizeof(methods) / sizeof(methods[0]); method++)
        for (int padding = 1; padding < 100; padding += 50) {
            char line[LINE_SIZE];
            weir_decoded decoded;
            weir_http http;
            int size = snprintf(line, sizeof(line), "%s /a/path HTTP/1.0\r\n%-*s", methods[method],
                                padding, "x");
            cr_assert_eq(weir_decode_packet(WEIR_HTTP, line, (size_t)size, NULL, &decoded, &http),
                         WEIR_DECODE_OK);
            cr_assert_eq(http.as.request.method, method);
            cr_assert_eq(http.as.request.method_text.size, strlen(methods[method]));
            cr_assert_eq(http.version_minor, 0);
            cr_assert_eq(http.as.request.path.size, 7);
        }
}
