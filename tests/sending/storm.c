/* SPDX-License-Identifier: MIT */
/*
 * Several threads send records in every form to one socket whose peer reads a little at a time and
 * which ends in one of several ways, for every combination of the options that matter. The peer
 * checks every byte: records are whole, each thread's come in order, and none is lost unless the
 * connection was thrown away.
 * usage: storm [SEED [ROUNDS]]
 */
#include "base/check.h"
#include "base/memory.h"

#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <weir/weir.h>

enum { THREADS = 3, RECORDS = 40, HEAD = 6, RECORD_MAX = 30000 };

enum ending { END_CLOSE, END_SHUTDOWN, END_RESET_BY_PEER, END_THROWN_AWAY, ENDING_COUNT };

struct storm {
    weir_socket socket;
    int peer;
    size_t header; /* bytes before each record */
    size_t record_max;
    enum ending ending;
    uint32_t seed;
    uint64_t stop_after; /* bytes that the peer reads before the connection is thrown away */
    uint32_t records;    /* whole ones that the peer has read */
    uint32_t sent;       /* accepted sends */
    uint32_t owned;
    uint32_t released;
};

struct sender {
    struct storm *storm;
    uint32_t number;
    pthread_t thread;
};

static uint32_t next_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

/* A record: size 3 bytes, sender 1, number 2, then bytes that follow from these. */
static size_t make_record(struct storm *storm, uint32_t *state, uint32_t sender, uint32_t number,
                          uint8_t *record)
{
    uint32_t choice = next_random(state);
    size_t limit = choice % 8 == 0 ? storm->record_max : 200;
    size_t size = HEAD + next_random(state) % (limit - HEAD);
    record[0] = (uint8_t)(size >> 16);
    record[1] = (uint8_t)(size >> 8);
    record[2] = (uint8_t)size;
    record[3] = (uint8_t)sender;
    record[4] = (uint8_t)(number >> 8);
    record[5] = (uint8_t)number;
    for (size_t i = HEAD; i < size; i++)
        record[i] = (uint8_t)(i * 31 + number * 7 + sender);
    return size;
}

struct owned {
    struct storm *storm;
    uint8_t bytes[];
};

static void release_owned(void *data)
{
    struct owned *owned = data;
    __atomic_fetch_add(&owned->storm->released, 1, __ATOMIC_RELEASE);
    memory_free(owned);
}

static int send_owned(struct storm *storm, const uint8_t *record, size_t size)
{
    struct owned *owned = memory_allocate(sizeof(*owned) + size);
    CHECK(owned);
    owned->storm = storm;
    memcpy(owned->bytes, record, size);
    __atomic_fetch_add(&storm->owned, 1, __ATOMIC_RELAXED);
    return weir_send_owned(storm->socket, owned->bytes, size, release_owned, owned);
}

static int send_file(struct storm *storm, const uint8_t *record, size_t size)
{
    FILE *file = tmpfile();
    CHECK(file);
    CHECK_EQ(fwrite(record, 1, size, file), size);
    fflush(file);
    int result = weir_send_file(storm->socket, fileno(file), 0, size);
    fclose(file);
    return result;
}

static int send_pieces(struct storm *storm, uint8_t *record, size_t size)
{
    struct iovec pieces[] = {{record, 1}, {record + 1, size / 2}, {NULL, 0}, {NULL, 0}};
    pieces[3] = (struct iovec){record + 1 + size / 2, size - 1 - size / 2};
    return weir_sendv(storm->socket, pieces, 4);
}

static int send_some_way(struct storm *storm, uint32_t *state, uint8_t *record, size_t size)
{
    switch (next_random(state) % 8) {
    case 0:
        return send_owned(storm, record, size);
    case 1:
        return send_pieces(storm, record, size);
    case 2:
        return send_file(storm, record, size);
    default:
        return weir_send(storm->socket, record, size);
    }
}

static void *send_records(void *data)
{
    const struct sender *sender = data;
    struct storm *storm = sender->storm;
    uint32_t state = storm->seed * 2654435761u + sender->number + 1;
    uint8_t *record = memory_allocate(RECORD_MAX);
    for (uint32_t i = 0; i < RECORDS; i++) {
        size_t size = make_record(storm, &state, sender->number, i, record);
        int result = send_some_way(storm, &state, record, size);
        if (result < 0) {
            CHECK(storm->ending == END_RESET_BY_PEER || storm->ending == END_THROWN_AWAY);
            CHECK(result == WEIR_CLOSED || result == -ENOTCONN);
            break;
        }
        __atomic_fetch_add(&storm->sent, 1, __ATOMIC_RELAXED);
    }
    memory_free(record);
    return NULL;
}

/* Checks the whole records at the front. How many bytes they are. */
static size_t check_records(struct storm *storm, const uint8_t *bytes, size_t size, uint32_t *next)
{
    size_t used = 0;
    while (size - used >= storm->header + HEAD) {
        const uint8_t *record = bytes + used + storm->header;
        size_t length = (size_t)record[0] << 16 | (size_t)record[1] << 8 | record[2];
        size_t announced = 0;
        CHECK_LE(length, (size_t)RECORD_MAX);
        if (size - used < storm->header + length)
            break;
        for (size_t i = 0; i < storm->header; i++)
            announced = announced << 8 | bytes[used + i];
        CHECK(storm->header == 0 || announced == length);
        CHECK_LT(record[3], THREADS);
        uint32_t number = (uint32_t)record[4] << 8 | record[5];
        CHECK_EQ(number, next[record[3]]);
        next[record[3]]++;
        for (size_t i = HEAD; i < length; i++)
            CHECK_EQ(record[i], (uint8_t)(i * 31 + number * 7 + record[3]));
        storm->records++;
        used += storm->header + length;
    }
    return used;
}

static void reset_peer(struct storm *storm)
{
    struct linger none = {.l_onoff = 1};
    setsockopt(storm->peer, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
    close(storm->peer);
}

static void stop_early(struct storm *storm)
{
    if (storm->ending == END_RESET_BY_PEER)
        reset_peer(storm);
    else
        weir_close(storm->socket);
}

/* A slow reader: so the queue grows, and the kernel takes only parts of it. */
static void pause_sometimes(uint32_t *state)
{
    const struct timespec pause = {.tv_nsec = 200000};
    if (next_random(state) % 4 == 0)
        nanosleep(&pause, NULL);
}

/* Reads a little at a time to the end, or until it is time to throw the connection away. */
static void *read_records(void *data)
{
    struct storm *storm = data;
    uint32_t next[THREADS] = {0};
    uint32_t state = storm->seed | 1;
    uint8_t *bytes = memory_allocate(2 * RECORD_MAX);
    size_t size = 0;
    uint64_t total = 0;
    for (;;) {
        pause_sometimes(&state);
        size_t most = 1 + next_random(&state) % 8000;
        ssize_t count = recv(storm->peer, bytes + size, most, 0);
        if (count <= 0) {
            CHECK(count == 0 || storm->ending == END_THROWN_AWAY);
            CHECK(size == 0 || storm->ending == END_THROWN_AWAY);
            break;
        }
        size += (size_t)count;
        total += (size_t)count;
        size_t used = check_records(storm, bytes, size, next);
        memmove(bytes, bytes + used, size - used);
        size -= used;
        if (total >= storm->stop_after) {
            storm->stop_after = UINT64_MAX;
            stop_early(storm);
            if (storm->ending == END_RESET_BY_PEER)
                break;
        }
    }
    if (storm->ending != END_RESET_BY_PEER)
        close(storm->peer);
    memory_free(bytes);
    return NULL;
}

static int connect_peer(weir_socket listener)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)weir_port(listener)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    /* Smaller ones make the kernel wait for its persist timer, 200 ms each time. */
    int size = 32768;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
    CHECK_EQ(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

static void open_storm(weir_runtime *runtime, struct storm *storm, const char *options)
{
    weir_option *parsed;
    weir_socket listener;
    CHECK_EQ(weir_options_parse(options, &parsed), 0);
    CHECK_EQ(weir_tcp_listen(runtime, "127.0.0.1", 0, parsed, &listener), 0);
    weir_options_free(parsed);
    storm->peer = connect_peer(listener);
    CHECK_EQ(weir_tcp_accept(listener, weir_owned_by_nobody(), WEIR_INFINITY, &storm->socket), 0);
    weir_close(listener);
}

static void run_storm(struct storm *storm)
{
    struct sender senders[THREADS];
    pthread_t reader;
    pthread_create(&reader, NULL, read_records, storm);
    for (uint32_t i = 0; i < THREADS; i++) {
        senders[i] = (struct sender){.storm = storm, .number = i};
        pthread_create(&senders[i].thread, NULL, send_records, &senders[i]);
    }
    for (uint32_t i = 0; i < THREADS; i++)
        pthread_join(senders[i].thread, NULL);
    if (storm->ending == END_SHUTDOWN)
        CHECK_EQ(weir_shutdown(storm->socket, WEIR_WRITE), 0);
    else
        weir_close(storm->socket);
    pthread_join(reader, NULL);
    weir_close(storm->socket);
}

static uint32_t run_case(weir_runtime *runtime, uint32_t number, uint32_t seed)
{
    static const char *const marks[] = {"", ",{high_watermark,2000},{low_watermark,500}",
                                        ",{high_watermark,1}", ",{high_watermark,70000}"};
    static const size_t packets[] = {0, 1, 2, 4};
    char options[256];
    struct storm storm = {.ending = number % ENDING_COUNT, .stop_after = UINT64_MAX};
    number /= ENDING_COUNT;
    storm.header = packets[number / 16 % 4];
    storm.record_max = storm.header == 1 ? 255 : RECORD_MAX;
    storm.seed = seed | 1;
    if (storm.ending >= END_RESET_BY_PEER)
        storm.stop_after = seed % 60000;
    snprintf(options, sizeof(options),
             "[{active,false},{sndbuf,4096},{delay_send,%s},{nodelay,%s}%s,{packet,%zu}%s]",
             number & 1 ? "true" : "false", number & 2 ? "true" : "false", marks[number / 4 % 4],
             storm.header, storm.ending == END_THROWN_AWAY ? ",{linger,{true,0}}" : "");
    open_storm(runtime, &storm, options);
    run_storm(&storm);
    bool whole = storm.ending == END_CLOSE || storm.ending == END_SHUTDOWN;
    CHECK(!whole || storm.records == THREADS * RECORDS);
    CHECK(!whole || storm.sent == THREADS * RECORDS);
    while (__atomic_load_n(&storm.released, __ATOMIC_ACQUIRE) != storm.owned)
        sched_yield();
    return storm.records;
}

int main(int argc, char **argv)
{
    enum { CASES = 4 * 4 * 2 * 2 * ENDING_COUNT };
    weir_config config = {.schedulers = 2, .zero_copy_from_bytes = 20000};
    uint32_t seed = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : (uint32_t)time(NULL);
    uint32_t rounds = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 1;
    weir_runtime *runtime;
    weir_totals totals;
    uint64_t records = 0;
    printf("storm: seed %u\n", seed);
    fflush(stdout);
    CHECK_EQ(weir_start(&runtime, &config), 0);
    for (uint32_t i = 0; i < rounds * CASES; i++)
        records += run_case(runtime, i % CASES, next_random(&seed));
    weir_get_totals(runtime, -1, &totals);
    weir_stop(runtime);
    printf("%u connections, %lu records whole and in order, %lu short sends of %lu\n",
           rounds * CASES, (unsigned long)records, (unsigned long)totals.short_sends,
           (unsigned long)totals.send_operations);
    return 0;
}
