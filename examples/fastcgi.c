/* SPDX-License-Identifier: MIT */
/* A FastCGI responder on {packet,fcgi}, as for nginx: each record is a packet. It answers with the
 * request's method and URI, and how many bytes of a body came. */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <weir/weir.h>

enum { BEGIN = 1, ABORT = 2, END = 3, PARAMS = 4, STDIN = 5, STDOUT = 6 }; /* types of records */
enum { HEADER_BYTES = 8, KEEP_CONNECTION = 1, PARAMS_MAX = 16384, VALUE_MAX = 1024 };

struct request { /* one at a time on each connection, as its handler's data */
    uint8_t id[2];
    bool keeps;
    size_t params_size, body_size;
    uint8_t params[PARAMS_MAX];
};

static uint8_t *put_header(uint8_t *at, const struct request *request, uint8_t type, size_t size)
{
    const uint8_t header[HEADER_BYTES] = {
        1, type, request->id[0], request->id[1], (uint8_t)(size >> 8), (uint8_t)size};
    return (uint8_t *)memcpy(at, header, sizeof(header)) + sizeof(header);
}

/* A length is one byte, or four of which the first has the highest bit. */
static const uint8_t *read_length(const uint8_t *at, const uint8_t *end, size_t *length)
{
    *length = at < end ? *at : 0;
    if (*length < 128)
        return at + 1;
    *length = end - at < 4 ? 0 : (*length & 127) << 24 | at[1] << 16 | at[2] << 8 | at[3];
    return at + 4;
}

static void find_param(const struct request *request, const char *wanted, char value[VALUE_MAX])
{
    const uint8_t *at = request->params, *end = at + request->params_size;
    size_t name_size, size;
    value[0] = 0;
    while (at < end) {
        at = read_length(at, end, &name_size);
        at = read_length(at, end, &size);
        if (at > end || name_size > (size_t)(end - at) || size > (size_t)(end - at) - name_size)
            return;
        if (name_size == strlen(wanted) && memcmp(at, wanted, name_size) == 0 && size < VALUE_MAX) {
            memcpy(value, at + name_size, size);
            value[size] = 0;
        }
        at += name_size + size;
    }
}

/* What it says, the end of that, and the end of the request, in one send. */
static void answer(weir_socket socket, struct request *request)
{
    char method[VALUE_MAX], uri[VALUE_MAX];
    uint8_t bytes[4 * VALUE_MAX];
    find_param(request, "REQUEST_METHOD", method);
    find_param(request, "REQUEST_URI", uri);
    size_t size = (size_t)snprintf((char *)bytes + HEADER_BYTES, 3 * VALUE_MAX,
                                   "Content-Type: text/plain\r\n\r\n%s %s, %zu bytes\n", method,
                                   uri, request->body_size);
    uint8_t *at = put_header(bytes, request, STDOUT, size) + size;
    at = put_header(at, request, STDOUT, 0);
    at = put_header(at, request, END, 8);
    memset(at, 0, 8); /* status 0, and complete */
    if (weir_send(socket, bytes, (size_t)(at + 8 - bytes)) < 0 || !request->keeps)
        weir_close(socket); /* what has been sent still goes out */
}

static void on_record(weir_socket socket, const weir_packet *record, void *data)
{
    struct request *request = data;
    const uint8_t *content = record->bytes + HEADER_BYTES;
    size_t size = record->size - HEADER_BYTES;
    switch (record->bytes[1]) {
    case BEGIN:
        memcpy(request->id, record->bytes + 2, sizeof(request->id));
        request->keeps = size > 2 && (content[2] & KEEP_CONNECTION);
        request->params_size = request->body_size = 0;
        break;
    case PARAMS:
        if (size > PARAMS_MAX - request->params_size) {
            weir_close(socket);
            return;
        }
        memcpy(request->params + request->params_size, content, size);
        request->params_size += size;
        break;
    case STDIN:
        request->body_size += size;
        if (size == 0)
            answer(socket, request);
        break;
    case ABORT:
        weir_close(socket);
        break;
    default: /* of management, which nginx does not send */
        break;
    }
}

static void on_accepted(weir_socket socket, void *data)
{
    struct request *request = calloc(1, sizeof(*request));
    (void)data;
    if (!request || weir_set_data(socket, request) < 0)
        err(1, "no memory for a connection");
}

static void on_gone(weir_socket socket, void *request)
{
    (void)socket;
    free(request);
}

static const weir_handler handler = {.accepted = on_accepted, .packet = on_record, .gone = on_gone};

int main(int argc, char **argv)
{
    weir_runtime *runtime;
    weir_socket service;
    uint16_t port = argc > 1 ? (uint16_t)strtoul(argv[1], NULL, 10) : 9000;
    int error = weir_start(&runtime, NULL);
    if (error == 0)
        error = weir_tcp_serve(runtime, NULL, port, WEIR_OPTIONS(WEIR_PACKET(WEIR_FCGI)),
                               weir_handled_by(&handler, NULL), &service);
    if (error < 0)
        errx(1, "%s: %s", weir_error_text(error), weir_last_error_text());
    printf("listening on port %d\n", weir_port(service));
    fflush(stdout);
    pause();
    return weir_stop(runtime);
}
