/* SPDX-License-Identifier: MIT */
/*
 * One end of a connection, told what to do line by line. node.escript has the same in Erlang.
 *
 *     node listen ADDRESS OPTIONS          prints "port N", then waits for the connection
 *     node connect ADDRESS PORT OPTIONS
 *
 * Lines: set TERMS, get TERMS, send HEX, recv, message, quiet, close. Each is answered by one line.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weir/weir.h>

/* `message` is for what has to come, `quiet` for what must not. */
enum { WAIT_MS = 30000, QUIET_MS = 60 };

static weir_runtime *runtime;
static weir_mailbox *mailbox;
static weir_socket connection;

static void must(int result, const char *what)
{
    if (result >= 0)
        return;
    fprintf(stderr, "node: %s: %s: %s\n", what, weir_error_name(result), weir_last_error_text());
    exit(1);
}

static void answer(const char *text)
{
    printf("%s\n", text);
    fflush(stdout);
}

static void answer_result(int result)
{
    answer(result < 0 ? weir_error_name(result) : "ok");
}

static weir_option *parsed(const char *text)
{
    weir_option *options;
    must(weir_options_parse(text, &options), text);
    return options;
}

static void open_listening(const char *address, const char *text)
{
    weir_option *options = parsed(text);
    weir_socket listener;
    must(weir_tcp_listen(runtime, address, 0, options, &listener), "listen");
    printf("port %d\n", weir_port(listener));
    fflush(stdout);
    must(weir_tcp_accept(listener, weir_mailed_to(mailbox), WAIT_MS, &connection), "accept");
    weir_options_free(options);
}

static void open_connecting(const char *address, const char *port, const char *text)
{
    weir_option *options = parsed(text);
    must(weir_tcp_connect(runtime, address, (uint16_t)strtoul(port, NULL, 10), options,
                          weir_mailed_to(mailbox), WAIT_MS, &connection),
         "connect");
    weir_options_free(options);
}

static void print_hex(const char *label, const uint8_t *bytes, size_t size)
{
    printf("%s", label);
    for (size_t i = 0; i < size; i++)
        printf("%02x", bytes[i]);
}

static void answer_packet(weir_packet *packet, bool message)
{
    static const char *const kinds[] = {"request", "response", "header", "eoh", "error"};
    if (message && packet->deliver == WEIR_PORT)
        printf("port ");
    if (packet->http) {
        printf("http %s", kinds[packet->http->kind]);
    } else {
        print_hex("header ", packet->header, packet->header_size);
        print_hex(" rest ", packet->bytes, packet->size);
    }
    weir_packet_release(packet);
    answer("");
}

static void receive(void)
{
    weir_packet packet;
    int result = weir_recv(connection, 0, WAIT_MS, &packet);
    if (result < 0)
        answer_result(result);
    else
        answer_packet(&packet, false);
}

static void take_message(int64_t timeout_ms)
{
    weir_message message;
    if (weir_mailbox_receive(mailbox, timeout_ms, &message) < 0)
        answer("nothing");
    else if (message.kind == WEIR_MESSAGE_DATA)
        answer_packet(&message.packet, true);
    else if (message.kind == WEIR_MESSAGE_ERROR)
        answer_result(message.error);
    else
        answer(message.kind == WEIR_MESSAGE_CLOSED ? "closed" : "passive");
}

static void send_hex(const char *text)
{
    uint8_t bytes[4096];
    size_t size = 0;
    unsigned byte;
    for (; sscanf(text, "%2x", &byte) == 1 && size < sizeof(bytes); text += 2)
        bytes[size++] = (uint8_t)byte;
    answer_result(weir_send(connection, bytes, size));
}

static void set(const char *text)
{
    weir_option *options = parsed(text);
    answer_result(weir_setopts(connection, options));
    weir_options_free(options);
}

static void get(const char *text)
{
    char values[4096];
    weir_option *wanted;
    size_t count;
    must(weir_options_parse_request(text, &wanted, &count), text);
    int result = weir_getopts(connection, wanted, count);
    if (result >= 0)
        result = weir_options_format(wanted, values, sizeof(values));
    answer(result < 0 ? weir_error_name(result) : values);
    weir_options_free(wanted);
}

static void obey(const char *line)
{
    if (strncmp(line, "set ", 4) == 0)
        set(line + 4);
    else if (strncmp(line, "get ", 4) == 0)
        get(line + 4);
    else if (strncmp(line, "send ", 5) == 0)
        send_hex(line + 5);
    else if (strcmp(line, "recv") == 0)
        receive();
    else if (strcmp(line, "message") == 0)
        take_message(WAIT_MS);
    else if (strcmp(line, "quiet") == 0)
        take_message(QUIET_MS);
    else if (strcmp(line, "close") == 0)
        answer_result(weir_close(connection));
    else
        must(-EINVAL, line);
}

int main(int argc, char **argv)
{
    static char line[65536];
    const weir_config config = {.schedulers = 1};
    must(weir_start(&runtime, &config), "start");
    must(weir_mailbox_create(&mailbox), "mailbox");
    if (argc == 4 && strcmp(argv[1], "listen") == 0)
        open_listening(argv[2], argv[3]);
    else if (argc == 5 && strcmp(argv[1], "connect") == 0)
        open_connecting(argv[2], argv[3], argv[4]);
    else
        must(-EINVAL, "arguments");
    answer("ready");
    while (fgets(line, sizeof(line), stdin)) {
        line[strcspn(line, "\n")] = '\0';
        obey(line);
    }
    weir_stop(runtime);
    weir_mailbox_destroy(mailbox);
    return 0;
}
