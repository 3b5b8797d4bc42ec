/* SPDX-License-Identifier: MIT */
/*
 * A socket of weir that another program drives: reads lines "ID command arguments", does each on a
 * thread of its own, and prints "ID term" when it is done.
 */
#include "base/check.h"
#include "base/memory.h"

#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <weir/weir.h>

enum { LINE_SIZE = 1024, NEVER_MS = 60000 };

static weir_runtime *runtime;
static weir_mailbox *mailbox;
static weir_socket subject;

static int run_open(char *arguments)
{
    weir_option *options;
    char *text = strchr(arguments, ' ') + 1;
    CHECK_EQ(weir_options_parse(text, &options), 0);
    int result = weir_tcp_connect(runtime, "127.0.0.1", (uint16_t)strtoul(arguments, NULL, 10),
                                  options, weir_mailed_to(mailbox), WEIR_INFINITY, &subject);
    weir_options_free(options);
    return result;
}

static int run_send(char *arguments)
{
    size_t size = strtoul(arguments, NULL, 10);
    void *bytes = memory_allocate_zeroed(1, size + 1);
    int result = weir_send(subject, bytes, size);
    memory_free(bytes);
    return result;
}

static int run_recv(char *arguments)
{
    weir_packet packet = {0};
    int result = weir_recv(subject, 0, strtol(arguments, NULL, 10), &packet);
    weir_packet_release(&packet);
    return result;
}

static int run_setopts(char *arguments)
{
    weir_option *options;
    CHECK_EQ(weir_options_parse(arguments, &options), 0);
    int result = weir_setopts(subject, options);
    weir_options_free(options);
    return result;
}

static int queued(void)
{
    weir_statistics statistics;
    int result = weir_getstat(subject, &statistics);
    return result < 0 ? result : (int)statistics.send_pend;
}

/* The high mark: so many bytes above what is queued. */
static int run_mark(char *arguments)
{
    int64_t mark = queued() + strtol(arguments, NULL, 10);
    return weir_setopts(subject, WEIR_OPTIONS(WEIR_HIGH_WATERMARK(mark)));
}

static int run_close(char *arguments)
{
    (void)arguments;
    return weir_close(subject);
}

static int run_shutdown(char *arguments)
{
    return weir_shutdown(subject, strcmp(arguments, "write") == 0 ? WEIR_WRITE : WEIR_READ_WRITE);
}

static int run_sockname(char *arguments)
{
    weir_address address;
    (void)arguments;
    return weir_sockname(subject, &address);
}

static int run_peername(char *arguments)
{
    weir_address address;
    (void)arguments;
    return weir_peername(subject, &address);
}

/* Segments that are not acknowledged, and what the peer has room for. */
static void print_window(const char *id)
{
    struct tcp_info info = {0};
    weir_option wanted = WEIR_RAW_REQUEST(IPPROTO_TCP, TCP_INFO, &info, sizeof(info));
    CHECK_EQ(weir_getopts(subject, &wanted, 1), 1);
    printf("%s {%u,%u}\n", id, info.tcpi_unacked, info.tcpi_snd_wnd);
}

/* Those that are there, or the next. */
static void print_messages(const char *id, int64_t timeout_ms)
{
    static const char *const names[] = {"tcp", "accepted", "tcp_passive", "tcp_error",
                                        "tcp_closed"};
    char text[LINE_SIZE] = "";
    size_t length = 0;
    weir_message message;
    while (weir_mailbox_receive(mailbox, timeout_ms, &message) == 0 && length < LINE_SIZE - 32) {
        length += (size_t)snprintf(text + length, sizeof(text) - length, "%s%s",
                                   length > 0 ? "," : "", names[message.kind]);
        weir_packet_release(&message.packet);
        if (timeout_ms > 0)
            break;
    }
    printf("%s [%s]\n", id, text);
}

static void run_command(const char *id, const char *name, char *arguments)
{
    static const struct {
        const char *name;
        int (*run)(char *arguments);
    } commands[] = {
        {"open", run_open},         {"send", run_send},         {"recv", run_recv},
        {"setopts", run_setopts},   {"mark", run_mark},         {"close", run_close},
        {"shutdown", run_shutdown}, {"sockname", run_sockname}, {"peername", run_peername},
    };
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (strcmp(commands[i].name, name) != 0)
            continue;
        int result = commands[i].run(arguments);
        if (result < 0)
            printf("%s {error,%s}\n", id, weir_error_name(result));
        else
            printf("%s ok\n", id);
        return;
    }
    if (strcmp(name, "pend") == 0)
        printf("%s %d\n", id, queued());
    else if (strcmp(name, "window") == 0)
        print_window(id);
    else
        print_messages(id, strcmp(name, "message") == 0 ? NEVER_MS : 0);
}

static void *run_line(void *data)
{
    char *rest = data;
    const char *id = strtok_r(data, " ", &rest);
    const char *name = strtok_r(NULL, " ", &rest);
    run_command(id, name, rest);
    memory_free(data);
    return NULL;
}

int main(void)
{
    weir_config config = {.schedulers = 1};
    char line[LINE_SIZE];
    setvbuf(stdout, NULL, _IOLBF, 0);
    CHECK_EQ(weir_start(&runtime, &config), 0);
    CHECK_EQ(weir_mailbox_create(&mailbox), 0);
    while (fgets(line, sizeof(line), stdin)) {
        pthread_t thread;
        line[strcspn(line, "\n")] = '\0';
        CHECK_EQ(pthread_create(&thread, NULL, run_line, memory_copy_text(line)), 0);
        pthread_detach(thread);
    }
    _exit(0); /* some command may wait for ever */
}
