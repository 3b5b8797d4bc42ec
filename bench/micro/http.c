/* SPDX-License-Identifier: MIT */
/* Requests of several sorts, beside two other parsers, memchr and memcpy over the same bytes. */
#include "http_peers.h"
#include "measures.h"
#include <string.h>

/* As wrk sends it, for the root and for a path; as a browser sends it; as a service asks another.
 */
static const char short_request[] = "GET / HTTP/1.1\r\n"
                                    "Host: 127.0.0.1:8080\r\n"
                                    "\r\n";
static const char path_request[] = "GET /hello HTTP/1.1\r\n"
                                   "Host: 127.0.0.1:8080\r\n"
                                   "\r\n";
static const char browser_request[] =
    "GET /wp-content/uploads/2010/03/hello-kitty-darth-vader-pink.jpg HTTP/1.1\r\n"
    "Host: www.kittyhell.com\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:102.0) Gecko/20100101 Firefox/102.0\r\n"
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n"
    "Accept-Language: ja,en-us;q=0.7,en;q=0.3\r\n"
    "Accept-Encoding: gzip,deflate\r\n"
    "Accept-Charset: Shift_JIS,utf-8;q=0.7,*;q=0.7\r\n"
    "Keep-Alive: 115\r\n"
    "Connection: keep-alive\r\n"
    "Cookie: wp_ozh_wsa_visits=2; wp_ozh_wsa_visit_lasttime=xxxxxxxxxx; "
    "__utma=xxxxxxxxx.xxxxxxxxxx.xxxxxxxxxx.xxxxxxxxxx.xxxxxxxxxx.x; "
    "__utmz=xxxxxxxxx.xxxxxxxxxx.x.x.utmccn=(referral)|utmcsr=reader.livedoor.com|"
    "utmcct=/reader/|utmcmd=referral\r\n"
    "\r\n";
static const char service_request[] = "POST /v2/orders/8361/items HTTP/1.1\r\n"
                                      "host: orders.internal:8443\r\n"
                                      "content-type: application/json\r\n"
                                      "content-length: 0\r\n"
                                      "accept: application/json\r\n"
                                      "x-request-id: 7f0c2b9e-52c1-4b41-9a0e-5f1d0c6f4e11\r\n"
                                      "x-forwarded-for: 10.12.0.7\r\n"
                                      "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-01\r\n"
                                      "authorization: Bearer eyJhbGciOiJIUzI1NiIsInR5cCI6\r\n"
                                      "\r\n";

/* What a server answers; the two other parsers are measured with requests only. */
static const char response[] = "HTTP/1.1 200 OK\r\n"
                               "Server: nginx/1.22.1\r\n"
                               "Date: Tue, 24 Nov 2026 06:49:26 GMT\r\n"
                               "Content-Type: text/html; charset=utf-8\r\n"
                               "Content-Length: 0\r\n"
                               "Connection: keep-alive\r\n"
                               "ETag: \"5f1d0c6f-264\"\r\n"
                               "\r\n";

struct sort {
    const char *request;
    bool comes_alone;     /* one in a buffer, not as many as there is room for */
    const char *names[5]; /* weir, picohttpparser, http_parser, memchr, memcpy */
    struct http_requests requests;
};

#define SORT(text, label, alone)                                                                \
    {                                                                                           \
        .request = (text), .comes_alone = (alone),                                              \
        .names = {"http/" label, "http/" label "/picohttpparser", "http/" label "/http_parser", \
                  "http/" label "/memchr", "http/" label "/memcpy"},                            \
        .requests.stream = STREAM("http/" label, WEIR_HTTP_BIN, 0)                              \
    }

static struct sort sorts[] = {
    SORT(short_request, "short", false),     SORT(short_request, "short/alone", true),
    SORT(path_request, "path", false),       SORT(browser_request, "browser", false),
    SORT(service_request, "service", false), SORT(service_request, "service/alone", true),
    SORT(response, "response", false),
};

static size_t count_lines(const char *text)
{
    size_t count = 0;
    for (; (text = strchr(text, '\n')); text++)
        count++;
    return count;
}

static void fill(struct sort *sort)
{
    struct stream *stream = &sort->requests.stream;
    size_t size = strlen(sort->request);
    for (; stream->size + size <= STREAM_SIZE; stream->size += size) {
        memcpy(stream->bytes + stream->size, sort->request, size);
        sort->requests.count++;
    }
    stream->piece_size = sort->comes_alone ? size : 0;
    stream->packet_count = sort->requests.count * count_lines(sort->request);
}

static void measure_weir(struct micro_run *run, const void *argument)
{
    const struct http_requests *requests = argument;
    stream_measure(run, &requests->stream);
}

static void measure_memchr(struct micro_run *run, const void *argument)
{
    const struct http_requests *requests = argument;
    stream_measure_memchr(run, &requests->stream);
}

static void measure_memcpy(struct micro_run *run, const void *argument)
{
    const struct http_requests *requests = argument;
    stream_measure_memcpy(run, &requests->stream);
}

static bool is_peer(micro_fn *measure)
{
    return measure == peers_measure_picohttpparser || measure == peers_measure_http_parser;
}

void http_add_measures(void)
{
    micro_fn *const measures[] = {measure_weir, peers_measure_picohttpparser,
                                  peers_measure_http_parser, measure_memchr, measure_memcpy};
    for (size_t i = 0; i < sizeof(sorts) / sizeof(sorts[0]); i++) {
        fill(&sorts[i]);
        bool is_request = sorts[i].request != response;
        for (size_t j = 0; j < sizeof(measures) / sizeof(measures[0]); j++)
            if (is_request || !is_peer(measures[j]))
                micro_add(sorts[i].names[j], measures[j], &sorts[i].requests);
    }
}
