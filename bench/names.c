/* SPDX-License-Identifier: MIT */
/*
 * Look-ups in a second of processor time: `names weir PORT` asks the name server on that port of
 * 127.0.0.1, `names getaddrinfo THREADS` whoever /etc/resolv.conf names, by so many threads. Every
 * name is another one, and the server's own time is not counted: it is another process.
 */
#include <netdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#include <weir/weir.h>

enum { LOOK_UPS = 20000, UNDER_WAY_MOST = 1000 };

static weir_runtime *runtime;
static atomic_uint begun;
static atomic_int answered;
static atomic_int failures;

static double seconds_of(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

static double spent_s(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
}

static void next_name(char name[32])
{
    snprintf(name, 32, "known%u.test.", atomic_fetch_add(&begun, 1));
}

static void ask(void);

static void found(const weir_hostent *hostent, int result, void *data)
{
    (void)hostent;
    (void)data;
    atomic_fetch_add(&failures, result < 0);
    atomic_fetch_add(&answered, 1);
    if (atomic_load(&begun) < LOOK_UPS)
        ask();
}

static void ask(void)
{
    char name[32];
    next_name(name);
    if (weir_gethostbyname_async(runtime, name, WEIR_INET, -1, found, NULL) < 0)
        abort();
}

static int by_weir(const char *port)
{
    char terms[256];
    snprintf(terms, sizeof(terms),
             "{lookup,[dns]}. {resolv_conf,\"\"}. {cache_size,0}. {nameserver,{127,0,0,1},%s}.",
             port);
    const weir_config config = {.schedulers = 1, .inet_terms = terms};
    if (weir_start(&runtime, &config) < 0) {
        fprintf(stderr, "%s\n", weir_last_error_text());
        return -1;
    }
    for (int i = 0; i < UNDER_WAY_MOST; i++)
        ask();
    while (atomic_load(&answered) < LOOK_UPS)
        usleep(1000);
    return 0;
}

static void *ask_library(void *unused)
{
    char name[32];
    const struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
    (void)unused;
    while (atomic_load(&begun) < LOOK_UPS) {
        struct addrinfo *result = NULL;
        next_name(name);
        atomic_fetch_add(&failures, getaddrinfo(name, NULL, &hints, &result) != 0);
        if (result)
            freeaddrinfo(result);
        atomic_fetch_add(&answered, 1);
    }
    return NULL;
}

static int by_getaddrinfo(const char *threads)
{
    pthread_t pool[256];
    long count = strtol(threads, NULL, 10);
    if (count < 1 || count > 256)
        return -1;
    for (long i = 0; i < count; i++)
        if (pthread_create(&pool[i], NULL, ask_library, NULL) != 0)
            return -1;
    for (long i = 0; i < count; i++)
        pthread_join(pool[i], NULL);
    return 0;
}

int main(int argc, char **argv)
{
    int result = -1;
    if (argc == 3 && strcmp(argv[1], "weir") == 0)
        result = by_weir(argv[2]);
    else if (argc == 3 && strcmp(argv[1], "getaddrinfo") == 0)
        result = by_getaddrinfo(argv[2]);
    if (result < 0) {
        fprintf(stderr, "usage: names weir PORT | names getaddrinfo THREADS\n");
        return 2;
    }
    printf("%-11s %6.0f look-ups a CPU-second, %d failed\n", argv[1],
           atomic_load(&answered) / spent_s(), atomic_load(&failures));
    return atomic_load(&failures) > 0;
}
