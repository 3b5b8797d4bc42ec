/* SPDX-License-Identifier: MIT */
/* A store that speaks Redis' protocol, on raw bytes. One scheduler has it all, so nothing is
 * locked. What has come together is answered together, and looked up together, so that the memory
 * that it is in is fetched at one time. Arguments: the port, and how many microseconds requests
 * may gather for: many clients that keep it busy then take less processor time, and wait longer. */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <weir/weir.h>

enum {
    WORDS_MAX = 8,
    TOGETHER = 32,
    CLIENT_BYTES = 1 << 16,
    ANSWER_BYTES = 1 << 18,
    BUCKET_BITS = 16
};

struct text {
    const char *at;
    size_t size;
};

struct entry {
    struct entry *next;
    uint32_t key_size, size;
    char bytes[]; /* the key, and the value as it is answered: "$3\r\nabc\r\n" */
};

static struct entry *buckets[1 << BUCKET_BITS];
static char answers[ANSWER_BYTES]; /* to who is being listened to, not sent yet */
static size_t answers_size;

static void say(const char *bytes, size_t size)
{
    memcpy(answers + answers_size, bytes, size);
    answers_size += size;
}

struct request {
    struct text words[WORDS_MAX + 1]; /* one too many can be typed */
    const struct command *command;
    struct entry **bucket; /* of words[1], the key */
};

static struct entry **bucket_of(struct text key)
{
    const uint64_t factor = 0x9e3779b97f4a7c15u;
    uint64_t hash = key.size, part;
    size_t i = 0;
    for (; key.size - i >= sizeof(part); i += sizeof(part)) {
        memcpy(&part, key.at + i, sizeof(part));
        hash = (hash ^ part) * factor;
        hash ^= hash >> 32;
    }
    for (part = 0; i < key.size; i++)
        part = part << 8 | (unsigned char)key.at[i];
    /* Only the upper bits of a product depend on all of what was multiplied. */
    return &buckets[(hash ^ part) * factor >> (64 - BUCKET_BITS)];
}

static struct entry **find(const struct request *request)
{
    struct text key = request->words[1];
    struct entry **place = request->bucket;
    while (*place &&
           ((*place)->key_size != key.size || memcmp((*place)->bytes, key.at, key.size) != 0))
        place = &(*place)->next;
    return place;
}

/* "$3\r\n". Its size. */
static size_t write_head(char *head, size_t size)
{
    char digits[24];
    size_t count = 0, i = 0;
    do
        digits[count++] = (char)('0' + size % 10);
    while ((size /= 10) > 0);
    head[i++] = '$';
    while (count > 0)
        head[i++] = digits[--count];
    memcpy(head + i, "\r\n", 2);
    return i + 2;
}

static void do_set(const struct request *request)
{
    const struct text *words = request->words;
    char head[32];
    size_t head_size = write_head(head, words[2].size);
    size_t size = head_size + words[2].size + 2;
    struct entry **place = find(request), *entry = *place;
    if (!entry || entry->size != size)
        entry = realloc(entry, sizeof(*entry) + words[1].size + size);
    if (!entry)
        err(1, "no memory for a value");
    if (!*place) {
        *entry = (struct entry){.key_size = (uint32_t)words[1].size};
        memcpy(entry->bytes, words[1].at, words[1].size);
    }
    *place = entry;
    entry->size = (uint32_t)size;
    memcpy(entry->bytes + entry->key_size, head, head_size);
    memcpy(entry->bytes + entry->key_size + head_size, words[2].at, words[2].size);
    memcpy(entry->bytes + entry->key_size + size - 2, "\r\n", 2);
    say("+OK\r\n", 5);
}

static void do_get(const struct request *request)
{
    const struct entry *entry = *find(request);
    if (entry)
        say(entry->bytes + entry->key_size, entry->size);
    else
        say("$-1\r\n", 5);
}

static void do_ping(const struct request *request)
{
    (void)request;
    say("+PONG\r\n", 7);
}

static void ignore(const struct request *request)
{
    (void)request;
}

static void refuse(const struct request *request)
{
    (void)request;
    say("-ERR unknown command\r\n", 22);
}

static const struct command {
    const char *name;
    size_t name_size, words;
    void (*run)(const struct request *request);
} commands[] = {{"GET", 3, 2, do_get}, {"SET", 3, 3, do_set}, {"PING", 4, 1, do_ping}},
  unknown = {.run = refuse}, nothing = {.run = ignore};

/* In capitals or not. */
static bool is_name(const char *at, const char *name, size_t size)
{
    while (size > 0 && (at[size - 1] & ~('a' - 'A')) == name[size - 1])
        size--;
    return size == 0;
}

static const struct command *command_of(const struct text *words, size_t count)
{
    for (const struct command *c = commands; c < commands + sizeof(commands) / sizeof(*c); c++)
        if (words[0].size == c->name_size && count == c->words &&
            is_name(words[0].at, c->name, c->name_size))
            return c;
    return count > 0 ? &unknown : &nothing;
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

/* Knows what it asks for, and has the bucket of its key fetched. */
static void finish(struct request *request, size_t count)
{
    request->command = command_of(request->words, count);
    request->bucket = count > 1 ? bucket_of(request->words[1]) : buckets;
    __builtin_prefetch(request->bucket);
}

/* Reads what somebody has typed, "get key\r\n". Behind it, or NULL: there is more to come. */
static const char *read_line(const char *at, const char *end, struct request *request)
{
    struct text *words = request->words;
    size_t count = 0;
    const char *line_end = memchr(at, '\n', (size_t)(end - at));
    words[0] = (struct text){at, 0};
    while (line_end && count <= WORDS_MAX) {
        at += strspn(at, " \r"); /* the line's end ends it */
        if (at == line_end)
            break;
        words[count].at = at;
        words[count].size = strcspn(at, " \r\n");
        at += words[count++].size;
    }
    finish(request, count);
    return line_end ? line_end + 1 : NULL;
}

/* Reads one request. Behind it, or NULL as above. */
static const char *read_request(const char *at, const char *end, struct request *request,
                                long *number)
{
    struct text *words = request->words;
    if (*at != '*')
        return read_line(at, end, request);
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
        finish(request, (size_t)count);
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

/* False: as above. */
static bool run_all(weir_socket socket, const struct request *requests, size_t count)
{
    for (size_t i = 0; i < count; i++)
        __builtin_prefetch(*requests[i].bucket);
    for (size_t i = 0; i < count; i++) {
        requests[i].command->run(&requests[i]);
        if (answers_size > ANSWER_BYTES - CLIENT_BYTES - 64 && !answer(socket))
            return false;
    }
    return true;
}

/* Runs all that is whole. Behind it; or NULL: nonsense, or nobody reads the answers. */
static const char *run_whole(weir_socket socket, const char *at, const char *end)
{
    static struct request requests[TOGETHER];
    size_t count;
    long number = 0;
    do {
        const char *next;
        for (count = 0; count < TOGETHER && at < end &&
                        (next = read_request(at, end, &requests[count], &number));
             count++)
            at = next;
        if (!run_all(socket, requests, count))
            return NULL;
    } while (count == TOGETHER);
    return answer(socket) && number >= 0 ? at : NULL;
}

static void on_packet(weir_socket socket, const weir_packet *packet, void *data)
{
    struct client *client = data;
    const char *at = (const char *)packet->bytes, *end = at + packet->size;
    bool fits = packet->size <= CLIENT_BYTES - client->size;
    if (fits && client->size > 0) {
        memcpy(client->bytes + client->size, packet->bytes, packet->size);
        at = client->bytes, end = at + client->size + packet->size;
    }
    if (!fits || !(at = run_whole(socket, at, end))) {
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
    uint16_t port = argc > 1 ? (uint16_t)strtoul(argv[1], NULL, 10) : 6379;
    uint32_t gather_us = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 0;
    const weir_config config = {.schedulers = 1, .gather_us = gather_us};
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
