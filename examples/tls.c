/* SPDX-License-Identifier: MIT */
/* HTTP over TLS, by OpenSSL on memory: what comes is put into one BIO and what is to be sent taken
 * out of another, and weir_decode_packet takes what was deciphered apart. Arguments: a port, files
 * of a certificate and its key. */
#include <err.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <weir/weir.h>

enum { PLAIN_MAX = 16384 };

struct session { /* one for each connection, as its handler's data */
    SSL *ssl;
    BIO *come, *leaves;
    bool in_headers, is_last;
    size_t plain_size;
    uint8_t plain[PLAIN_MAX]; /* deciphered, and not taken apart yet */
};

static SSL_CTX *context;

/* False: this client asks and asks, but does not read. */
static bool flush(weir_socket socket, struct session *session)
{
    char *bytes;
    long size = BIO_get_mem_data(session->leaves, &bytes);
    int result = size > 0 ? weir_send(socket, bytes, (size_t)size) : 0;
    (void)BIO_reset(session->leaves);
    return result == 0;
}

static bool answer(struct session *session)
{
    static const char text[] = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello\n";
    return SSL_write(session->ssl, text, sizeof(text) - 1) > 0;
}

/* As many lines as there are. False: it is not HTTP, or the last request is answered. */
static bool take_apart(struct session *session)
{
    weir_decoded decoded;
    weir_http http;
    size_t at = 0;
    int result = WEIR_DECODE_OK;
    while (result == WEIR_DECODE_OK && at < session->plain_size) {
        result = weir_decode_packet(session->in_headers ? WEIR_HTTPH_BIN : WEIR_HTTP_BIN,
                                    session->plain + at, session->plain_size - at, NULL, &decoded,
                                    &http);
        if (result != WEIR_DECODE_OK)
            break;
        at += decoded.consumed;
        session->in_headers = http.kind != WEIR_HTTP_EOH;
        if (http.kind == WEIR_HTTP_REQUEST)
            session->is_last = http.version_minor == 0;
        if (http.kind == WEIR_HTTP_ERROR ||
            (http.kind == WEIR_HTTP_EOH && (!answer(session) || session->is_last)))
            return false;
    }
    session->plain_size -= at;
    memmove(session->plain, session->plain + at, session->plain_size);
    return result != WEIR_DECODE_INVALID && session->plain_size < PLAIN_MAX;
}

/* SSL_read makes the handshake too. False: it is over. */
static bool decipher(struct session *session)
{
    for (;;) {
        int size = SSL_read(session->ssl, session->plain + session->plain_size,
                            (int)(PLAIN_MAX - session->plain_size));
        if (size <= 0)
            return SSL_get_error(session->ssl, size) == SSL_ERROR_WANT_READ;
        session->plain_size += (size_t)size;
        if (!take_apart(session))
            return false;
    }
}

static void on_packet(weir_socket socket, const weir_packet *packet, void *data)
{
    struct session *session = data;
    ERR_clear_error();
    bool goes_on =
        BIO_write(session->come, packet->bytes, (int)packet->size) > 0 && decipher(session);
    if (!goes_on)
        (void)SSL_shutdown(session->ssl);
    if (!flush(socket, session) || !goes_on)
        weir_close(socket); /* what has been sent still goes out */
}

static void on_accepted(weir_socket socket, void *data)
{
    struct session *session = calloc(1, sizeof(*session));
    (void)data;
    if (!session || weir_set_data(socket, session) < 0 || !(session->ssl = SSL_new(context)) ||
        !(session->come = BIO_new(BIO_s_mem())) || !(session->leaves = BIO_new(BIO_s_mem())))
        err(1, "no memory for a connection");
    SSL_set_bio(session->ssl, session->come, session->leaves);
    SSL_set_accept_state(session->ssl);
}

static void on_gone(weir_socket socket, void *data)
{
    struct session *session = data;
    (void)socket;
    SSL_free(session->ssl);
    free(session);
}

static const weir_handler handler = {.accepted = on_accepted, .packet = on_packet, .gone = on_gone};

int main(int argc, char **argv)
{
    weir_runtime *runtime;
    weir_socket service;
    if (argc < 4)
        errx(2, "usage: tls PORT CERTIFICATE KEY");
    context = SSL_CTX_new(TLS_server_method());
    if (!context || SSL_CTX_use_certificate_chain_file(context, argv[2]) != 1 ||
        SSL_CTX_use_PrivateKey_file(context, argv[3], SSL_FILETYPE_PEM) != 1)
        errx(1, "no certificate, or no key");
    int error = weir_start(&runtime, NULL);
    if (error == 0)
        error = weir_tcp_serve(runtime, NULL, (uint16_t)strtoul(argv[1], NULL, 10), NULL,
                               weir_handled_by(&handler, NULL), &service);
    if (error < 0)
        errx(1, "%s: %s", weir_error_text(error), weir_last_error_text());
    printf("listening on port %d\n", weir_port(service));
    fflush(stdout);
    pause();
    return weir_stop(runtime);
}
