/* SPDX-License-Identifier: MIT */
/* Lines of http out of parts that are often right. */
#include "case.h"

#define ADD_ONE_OF(test, ...)                            \
    add_one_of(test, (const char *const[]){__VA_ARGS__}, \
               sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static void add_one_of(struct test_case *test, const char *const *texts, uint32_t count)
{
    case_add_text(test, texts[random_below(&test->random, count)]);
}

static void add_letters(struct test_case *test, uint32_t size)
{
    static const uint8_t letters[] = "abcxyzABCXYZ019-_.~!#$%&'*+^`|";
    for (uint32_t i = 0; i < size; i++)
        case_add_byte(test, letters[random_below(&test->random, sizeof(letters) - 1)]);
}

static void add_line_end(struct test_case *test)
{
    ADD_ONE_OF(test, "\r\n", "\r\n", "\r\n", "\r\n", "\r\n", "\n", "\r\r\n", "\r", " \r\n", "");
}

static void add_blanks(struct test_case *test)
{
    ADD_ONE_OF(test, " ", " ", " ", " ", "  ", "\t", " \t ", "");
}

static void add_number(struct test_case *test)
{
    ADD_ONE_OF(test, "0", "1", "9", "80", "00", "443", "65536", "4294967295", "4294967296",
               "2147483648", "99999999999", "", "8a", "-1");
}

static void add_version(struct test_case *test)
{
    ADD_ONE_OF(test, "HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.0", "HTTP/2.0", "HTTP/1", "HTTP/",
               "http/1.1", "HTTP/1.", "HTTP/.1", "HTTPS/1.1", "HTTP/1.1x", "HTTP/");
    if (random_one_in(&test->random, 8)) {
        add_number(test);
        case_add_text(test, ".");
        add_number(test);
    }
}

static void add_authority(struct test_case *test)
{
    ADD_ONE_OF(test, "h", "example.org", "user@h", "", "a:b", "1.2.3.4", "h?q", "[a", "x[::1]");
    if (random_one_in(&test->random, 2)) {
        case_add_text(test, ":");
        add_number(test);
    }
}

static void add_uri(struct test_case *test)
{
    switch (random_below(&test->random, 4)) {
    case 0:
        ADD_ONE_OF(test, "/", "*", "/a/b?c=d#e", "h", ":", "**", "x:", ":x", "mailto:a@b", "", "//",
                   "host:443", "http:/x", "https:/", "http:", "http", "\xc3\xa9", "ab");
        break;
    case 1:
        ADD_ONE_OF(test, "http://", "https://", "HTTP://", "hTTpS://", "httpx://", "ftp://");
        add_authority(test);
        ADD_ONE_OF(test, "", "/", "/p", "/p:q", "/a//b");
        break;
    default:
        case_add_text(test, "/");
        add_letters(test, random_below(&test->random, 30));
        break;
    }
}

static void add_request_line(struct test_case *test)
{
    ADD_ONE_OF(test, "GET", "POST", "PUT", "HEAD", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PATCH",
               "get", "G", "", "GETT", "GE", "X-Y", "HTTP", "TRACES", "OPTION");
    add_blanks(test);
    add_uri(test);
    if (random_one_in(&test->random, 6))
        return;
    add_blanks(test);
    add_version(test);
}

static void add_status_line(struct test_case *test)
{
    add_version(test);
    add_blanks(test);
    ADD_ONE_OF(test, "200", "404", "0", "007", "", "2x0", "99999999999", "4294967295");
    add_blanks(test);
    ADD_ONE_OF(test, "OK", "Not Found", "", " two ", "caf\xc3\xa9", "O\rK");
}

void case_add_http_start_line(struct test_case *test)
{
    if (random_one_in(&test->random, 3))
        add_status_line(test);
    else
        add_request_line(test);
    add_line_end(test);
}

/* Known names, in any case, and names that are nearly known. */
static void add_known_name(struct test_case *test)
{
    size_t from = test->size;
    ADD_ONE_OF(test, "Cache-Control", "Connection", "Date", "Pragma", "Transfer-Encoding",
               "Upgrade", "Via", "Accept", "Accept-Charset", "Accept-Encoding", "Accept-Language",
               "Authorization", "From", "Host", "If-Modified-Since", "If-Match", "If-None-Match",
               "If-Range", "If-Unmodified-Since", "Max-Forwards", "Proxy-Authorization", "Range",
               "Referer", "User-Agent", "Age", "Location", "Proxy-Authenticate", "Public",
               "Retry-After", "Server", "Vary", "Warning", "Www-Authenticate", "Allow",
               "Content-Base", "Content-Encoding", "Content-Language", "Content-Length",
               "Content-Location", "Content-Md5", "Content-Range", "Content-Type", "Etag",
               "Expires", "Last-Modified", "Accept-Ranges", "Set-Cookie", "Set-Cookie2",
               "X-Forwarded-For", "Cookie", "Keep-Alive", "Proxy-Connection");
    uint32_t style = random_below(&test->random, 4);
    for (size_t i = from; i < test->size; i++)
        if (style == 1 || (style == 2 && random_one_in(&test->random, 2)))
            test->bytes[i] ^= test->bytes[i] >= 'A' ? 0x20 : 0;
    if (random_one_in(&test->random, 10))
        case_add_text(test, "s");
}

static void add_name(struct test_case *test)
{
    switch (random_below(&test->random, 5)) {
    case 0:
        add_letters(test, random_below(&test->random, 60));
        break;
    case 1:
        ADD_ONE_OF(test, "x--y", "-a-b-", "--", "", "a-", "-", "a-1b-c", "te", "x_y", "a(b", "a b");
        break;
    default:
        add_known_name(test);
        break;
    }
}

static void add_value(struct test_case *test)
{
    ADD_ONE_OF(test, "", "v", "a value", "v ", "\tv\t", "a:b", "1\r2", "caf\xc3\xa9");
    add_letters(test, random_below(&test->random, 12));
}

static void add_fold(struct test_case *test)
{
    ADD_ONE_OF(test, "\r\n ", "\n\t", "\r\n\t ", "\n ", "\r\n  ");
    add_value(test);
}

void case_add_http_header(struct test_case *test)
{
    if (random_one_in(&test->random, 6)) {
        ADD_ONE_OF(test, "\r\n", "\n", "\r\n", "\r\r\n", "a\n", " \r\n");
        return;
    }
    add_name(test);
    ADD_ONE_OF(test, ":", ":", ": ", ": ", ": ", ":\t ", " :", "");
    add_value(test);
    for (uint32_t folds = random_below(&test->random, 6); folds > 3; folds--)
        add_fold(test);
    add_line_end(test);
}
