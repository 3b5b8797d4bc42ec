/* SPDX-License-Identifier: MIT */
/* Publish and subscribe by lines: "SUB news", and who says "PUB news it rains" is heard by all who
 * have subscribed, on every scheduler, by one broadcast. Each PERIOD_MS all are sent "PING"; who
 * has said nothing ("PONG" will do) for three of them is closed. Who does not read misses what is
 * said. A topic has 63 bytes at most. Arguments: a port, PERIOD_MS. */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <weir/weir.h>

enum { TOPIC_MAX = 64 };

struct subscriber { /* its handler's data, used on its scheduler alone */
    char topic[TOPIC_MAX];
    int64_t heard_ms;
};

static weir_runtime *runtime;
static int64_t period_ms = 1000;

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool has_subscribed(weir_socket socket, void *subscriber, void *topic)
{
    (void)socket;
    return strcmp(((struct subscriber *)subscriber)->topic, topic) == 0;
}

static void on_published(const weir_broadcast_counts *counts, void *topic)
{
    printf("%s: %llu heard, %llu missed\n", (char *)topic, (unsigned long long)counts->sent,
           (unsigned long long)(counts->busy + counts->failed));
    fflush(stdout);
    free(topic);
}

static void publish(const char *topic, const char *text)
{
    size_t size = strlen(topic) + strlen(text) + 2;
    char *line = malloc(size + 1), *own_topic = strdup(topic);
    if (!line || !own_topic)
        err(1, "no memory to publish");
    snprintf(line, size + 1, "%s %s\n", topic, text);
    const weir_owned_bytes message = {line, size, free, line};
    const weir_broadcast_plan plan = {
        .wants = has_subscribed, .done = on_published, .data = own_topic};
    if (weir_broadcast(runtime, &message, &plan) < 0)
        free(own_topic); /* the runtime stops */
}

static void on_line(weir_socket socket, const weir_packet *packet, void *data)
{
    struct subscriber *subscriber = data;
    char line[512], topic[TOPIC_MAX], more;
    int text_at = 0;
    size_t size = packet->size < sizeof(line) ? packet->size : sizeof(line) - 1;
    memcpy(line, packet->bytes, size);
    line[size] = 0;
    line[strcspn(line, "\r\n")] = 0;
    subscriber->heard_ms = now_ms();
    if (sscanf(line, "SUB %63s%c", topic, &more) == 1) {
        memcpy(subscriber->topic, topic, sizeof(topic));
        (void)!weir_send(socket, "OK\n", 3);
    } else if (sscanf(line, "PUB %63s%*[ ]%n", topic, &text_at) == 1 && text_at > 0) {
        publish(topic, line + text_at);
    } else if (strcmp(line, "PONG") != 0) {
        (void)!weir_send(socket, "SUB TOPIC, PUB TOPIC TEXT, or PONG\n", 35);
    }
}

/* Looks after those whom a heartbeat is for, before they are sent it. */
static bool is_alive(weir_socket socket, void *data, void *unused)
{
    const struct subscriber *subscriber = data;
    (void)unused;
    if (now_ms() - subscriber->heard_ms < 3 * period_ms)
        return true;
    weir_close(socket);
    return false;
}

static void nothing(void *unused)
{
    (void)unused;
}

static void beat(weir_timer timer, void *unused)
{
    const weir_owned_bytes ping = {"PING\n", 5, nothing, NULL};
    const weir_broadcast_plan plan = {.wants = is_alive};
    (void)timer;
    (void)unused;
    (void)!weir_broadcast(runtime, &ping, &plan);
}

static void on_accepted(weir_socket socket, void *data)
{
    struct subscriber *subscriber = calloc(1, sizeof(*subscriber));
    (void)data;
    if (!subscriber || weir_set_data(socket, subscriber) < 0)
        err(1, "no memory for a subscriber");
    subscriber->heard_ms = now_ms();
}

static void on_gone(weir_socket socket, void *data)
{
    (void)socket;
    free(data);
}

static const weir_handler handler = {.accepted = on_accepted, .packet = on_line, .gone = on_gone};

int main(int argc, char **argv)
{
    const weir_config config = {.schedulers = 2};
    weir_socket service;
    uint16_t port = argc > 1 ? (uint16_t)strtoul(argv[1], NULL, 10) : 7005;
    period_ms = argc > 2 ? strtol(argv[2], NULL, 10) : period_ms;
    int error = weir_start(&runtime, &config);
    if (error == 0)
        error = weir_tcp_serve(runtime, NULL, port,
                               WEIR_OPTIONS(WEIR_PACKET(WEIR_LINE), WEIR_HIGH_WATERMARK(65536)),
                               weir_handled_by(&handler, NULL), &service);
    if (error == 0)
        error = weir_timer_start(runtime, 0, period_ms, period_ms, beat, NULL, NULL);
    if (error < 0)
        errx(1, "%s: %s", weir_error_text(error), weir_last_error_text());
    printf("listening on port %d\n", weir_port(service));
    fflush(stdout);
    pause();
    return weir_stop(runtime);
}
