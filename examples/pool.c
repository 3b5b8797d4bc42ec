/* SPDX-License-Identifier: MIT */
/* A pool of connections to a Redis server: who asks waits for one that is free, and no longer than
 * its time-out. A connection whose answer is late is closed, since that would be taken for the next
 * one's, and another is made. Arguments: the server's port, its host. */
#include <err.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weir/weir.h>

enum { CONNECTIONS = 4, QUESTIONS = 1000, AGAIN_MS = 100 };

struct connection { /* its handler's data */
    weir_socket socket;
    bool is_open;
    struct question *asked; /* NULL: it is free */
};

struct question {
    struct question *next; /* in the queue */
    struct connection *at; /* NULL: it waits */
    weir_timer timer;
    char text[64];
};

static weir_runtime *runtime;
static struct connection pool[CONNECTIONS];
static struct question *first, **last = &first;
static const char *host = "127.0.0.1";
static uint16_t port;
static int answered, late, left;
static sem_t done;

static void finish(struct question *question, int *count)
{
    ++*count;
    free(question);
    if (--left == 0)
        sem_post(&done);
}

static void go_on(void)
{
    for (struct connection *c = pool; first && c < pool + CONNECTIONS; c++) {
        if (!c->is_open || c->asked)
            continue;
        struct question *question = c->asked = first;
        if (!(first = question->next))
            last = &first;
        question->at = c;
        if (weir_send(c->socket, question->text, strlen(question->text)) < 0)
            weir_close(c->socket); /* its time-out tells who has asked */
    }
}

static void make_connection(weir_timer timer, void *data);

static void on_connected(weir_socket socket, int result, void *data)
{
    struct connection *connection = data;
    connection->socket = socket;
    connection->is_open = result == 0;
    if (result == 0)
        go_on();
    else if (weir_timer_start(runtime, 0, AGAIN_MS, 0, make_connection, connection, NULL) < 0)
        err(1, "no memory for a timer");
}

static void on_line(weir_socket socket, const weir_packet *line, void *data)
{
    struct connection *connection = data;
    struct question *question = connection->asked;
    (void)socket;
    (void)line; /* what it was asked for */
    if (!question)
        return;
    connection->asked = NULL;
    weir_timer_cancel(question->timer);
    finish(question, &answered);
    go_on();
}

/* The last of a connection, whoever has closed it. */
static void on_gone(weir_socket socket, void *data)
{
    (void)socket;
    make_connection((weir_timer){0}, data);
}

static const weir_handler handler = {.packet = on_line, .gone = on_gone};

static void make_connection(weir_timer timer, void *data)
{
    struct connection *connection = data;
    (void)timer;
    connection->is_open = false;
    if (connection->asked) /* its time-out tells who has asked */
        connection->asked->at = NULL;
    connection->asked = NULL;
    (void)!weir_tcp_connect_async(runtime, host, port, WEIR_OPTIONS(WEIR_PACKET(WEIR_LINE)),
                                  weir_handled_by(&handler, connection), 1000, on_connected,
                                  connection); /* it fails when the runtime stops */
}

static void on_late(weir_timer timer, void *data)
{
    struct question *question = data;
    struct question **place = &first;
    (void)timer;
    while (*place && *place != question)
        place = &(*place)->next;
    if (*place && !(*place = question->next))
        last = place;
    if (question->at) {
        question->at->asked = NULL;
        question->at->is_open = false;
        weir_close(question->at->socket);
    }
    finish(question, &late);
}

static void ask(const char *text, int64_t timeout_ms)
{
    struct question *question = calloc(1, sizeof(*question));
    if (!question ||
        weir_timer_start(runtime, 0, timeout_ms, 0, on_late, question, &question->timer) < 0)
        err(1, "no memory for a question");
    snprintf(question->text, sizeof(question->text), "%s\r\n", text);
    *last = question;
    last = &question->next;
    left++;
}

static void begin(void *unused)
{
    (void)unused;
    for (int i = 0; i < CONNECTIONS; i++)
        make_connection((weir_timer){0}, &pool[i]);
    ask("BLPOP nothing 0", 200); /* is answered when somebody puts something there */
    for (int i = 0; i < QUESTIONS; i++)
        ask("INCR counter", 20000);
}

int main(int argc, char **argv)
{
    const weir_config config = {.schedulers = 1};
    port = argc > 1 ? (uint16_t)strtoul(argv[1], NULL, 10) : 6379;
    host = argc > 2 ? argv[2] : host;
    sem_init(&done, 0, 0);
    int error = weir_start(&runtime, &config);
    if (error == 0)
        error = weir_run_on(runtime, 0, begin, NULL);
    if (error < 0)
        errx(1, "%s: %s", weir_error_text(error), weir_last_error_text());
    while (sem_wait(&done) < 0)
        continue;
    printf("%d answered, %d too late\n", answered, late);
    return weir_stop(runtime);
}
