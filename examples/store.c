/* SPDX-License-Identifier: MIT */
/* A store that speaks Redis' protocol, on raw bytes. One scheduler has it all, so nothing is
 * locked. What has come together is answered together. */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <weir/weir.h>

enum { WORDS_MAX = 8, CLIENT_BYTES = 1 << 16, ANSWER_BYTES = 1 << 18, BUCKETS = 1 << 16 };

struct text {
    const char *at;
    size_t size;
};

struct entry {
    struct entry *next;
    size_t key_size, size;
    char bytes[]; /* the key, and the value as it is answered: "$3\r\nabc\r\n" */
};

static struct entry *buckets[BUCKETS];
static char answers[ANSWER_BYTES]; /* to who is being listened to, not sent yet */
static size_t answers_size;

static void say(const char *bytes, size_t size)
{
    memcpy(answers + answers_size, bytes, size);
    answers_size += size;
}

static struct entry **find(struct text key)
{
    uint64_t hash = key.size, part = 0;
    for (size_t i = 0; i < key.size; i += sizeof(part)) {
        memcpy(&part, key.at + i, key.size - i < sizeof(part) ? key.size - i : sizeof(part));
        hash = (hash ^ part) * 0x9e3779b97f4a7c15u;
        hash ^= hash >> 32;
    }
    struct entry **place = &buckets[hash % BUCKETS];
    while (*place &&
           ((*place)->key_size != key.size || memcmp((*place)->bytes, key.at, key.size) != 0))
        place = &(*place)->next;
    return place;
}

static void do_set(const struct text *words)
{
    char head[32];
    size_t head_size = (size_t)snprintf(head, sizeof(head), "$%zu\r\n", words[2].size);
    struct entry **place = find(words[1]), *old = *place;
    struct entry *entry = malloc(sizeof(*entry) + words[1].size + head_size + words[2].size + 2);
    if (!entry)
        err(1, "no memory for a value");
    *entry = (struct entry){old ? old->next : NULL, words[1].size, head_size + words[2].size + 2};
    memcpy(entry->bytes, words[1].at, words[1].size);
    memcpy(entry->bytes + words[1].size, head, head_size);
    memcpy(entry->bytes + words[1].size + head_size, words[2].at, words[2].size);
    memcpy(entry->bytes + entry->key_size + entry->size - 2, "\r\n", 2);
    *place = entry;
    free(old);
    say("+OK\r\n", 5);
}

static void do_get(const struct text *words)
{
    const struct entry *entry = *find(words[1]);
    if (entry)
        say(entry->bytes + entry->key_size, entry->size);
    else
        say("$-1\r\n", 5);
}

static void do_ping(const struct text *words)
{
    (void)words;
    say("+PONG\r\n", 7);
}

static const struct command {
    const char *name;
    size_t name_size, words;
    void (*run)(const struct text *words);
} commands[] = {{"GET", 3, 2, do_get}, {"SET", 3, 3, do_set}, {"PING", 4, 1, do_ping}};

static void run(const struct text *words, size_t count)
{
    for (const struct command *c = commands; c < commands + sizeof(commands) / sizeof(*c); c++)
        if (words[0].size == c->name_size && count == c->words &&
            strncasecmp(c->name, words[0].at, c->name_size) == 0) {
            c->run(words);
            return;
        }
    say("-ERR unknown command\r\n", 22);
}

/* Reads "*3\r\n". Behind it, or NULL: there is more to come, or `*number` is -1: nonsense. */
static const char *read_number(const char *at, const char *end, char kind, long *number)
{
    long value = 0;
    *number = at < end && *at != kind ? -1 : 0;
    for (at++; at < end && *at >= '0' && *at <= '9' && value < CLIENT_BYTES; at++)
        value = value * 10 + *at - '0';
    if (*number < 0 || end - at < 2)
        return NULL;
    *number = *at == '\r' && value < CLIENT_BYTES ? value : -1;
    return *number < 0 ? NULL : at + 2;
}

/* Runs what somebody has typed, "get key\r\n". Behind it, or NULL: there is more to come. */
static const char *run_line(const char *at, const char *end)
{
    struct text words[WORDS_MAX + 1] = {{at, 0}};
    size_t count = 0;
    const char *line_end = memchr(at, '\n', (size_t)(end - at));
    while (line_end && count <= WORDS_MAX) {
        at += strspn(at, " \r"); /* the line's end ends it */
        if (at == line_end)
            break;
        words[count].at = at;
        words[count].size = strcspn(at, " \r\n");
        at += words[count++].size;
    }
    if (line_end && count > 0)
        run(words, count);
    return line_end ? line_end + 1 : NULL;
}

/* Runs one command. Behind it, or NULL as above. */
static const char *run_first(const char *at, const char *end, long *number)
{
    struct text words[WORDS_MAX];
    if (*at != '*')
        return run_line(at, end);
    at = read_number(at, end, '*', number);
    if (at && (*number < 1 || *number > WORDS_MAX))
        at = NULL, *number = -1;
    long count = *number;
    for (long i = 0; at && i < count; i++) {
        at = read_number(at, end, '$', number);
        if (!at || end - at < *number + 2)
            return NULL;
        words[i] = (struct text){at, (size_t)*number};
        at += *number + 2;
    }
    if (at)
        run(words, (size_t)count);
    return at;
}

struct client { /* one for each connection, as its handler's data */
    size_t size;
    char bytes[CLIENT_BYTES]; /* that have come and were not run */
};

/* False: it asks and asks, but does not read. */
static bool answer(weir_socket socket)
{
    int result = answers_size > 0 ? weir_send(socket, answers, answers_size) : 0;
    answers_size = 0;
    return result == 0;
}

static void on_packet(weir_socket socket, const weir_packet *packet, void *data)
{
    struct client *client = data;
    const char *at = client->bytes, *end = at + client->size + packet->size, *next;
    long number = packet->size > CLIENT_BYTES - client->size ? -1 : 0;
    bool reads = true;
    if (number == 0)
        memcpy(client->bytes + client->size, packet->bytes, packet->size);
    while (number >= 0 && reads && at < end && (next = run_first(at, end, &number))) {
        at = next;
        if (answers_size > ANSWER_BYTES - CLIENT_BYTES - 64)
            reads = answer(socket);
    }
    if (!answer(socket) || !reads || number < 0) {
        weir_close(socket);
        return;
    }
    client->size = (size_t)(end - at);
    memmove(client->bytes, at, client->size);
}

static void on_accepted(weir_socket socket, void *data)
{
    struct client *client = malloc(sizeof(*client));
    (void)data;
    if (!client || weir_set_data(socket, client) < 0)
        err(1, "no memory for a client");
    client->size = 0;
}

static void on_gone(weir_socket socket, void *data)
{
    (void)socket;
    free(data);
}

static const weir_handler handler = {.accepted = on_accepted, .packet = on_packet, .gone = on_gone};

int main(int argc, char **argv)
{
    const weir_config config = {.schedulers = 1};
    uint16_t port = argc > 1 ? (uint16_t)strtoul(argv[1], NULL, 10) : 6379;
    weir_runtime *runtime;
    weir_socket service;
    int error = weir_start(&runtime, &config);
    if (error == 0)
        error = weir_tcp_serve(runtime, NULL, port, WEIR_OPTIONS(WEIR_NODELAY(true)),
                               weir_handled_by(&handler, NULL), &service);
    if (error < 0)
        errx(1, "%s: %s", weir_error_text(error), weir_last_error_text());
    printf("listening on port %d\n", weir_port(service));
    fflush(stdout);
    pause();
    return weir_stop(runtime);
}
