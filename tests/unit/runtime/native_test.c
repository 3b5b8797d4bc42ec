/* SPDX-License-Identifier: MIT */
/* What the C library says of a name or an address, and what becomes of it. */
#include "runtime/resolver/native.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/memory.h"
#include "runtime/scheduler/scheduler.h"

enum { MANY = 1030, MOST = 1024, SMALLEST = 8192, LARGEST = 1 << 20, THREADS = 4 };

static struct scheduler scheduler;
static struct natives *natives;
static int64_t blocks;

/* What the library is to say. */
static struct {
    int error;
    int times; /* so often, and then what follows */
    int reason;
    int errno_;
    int fail_nth; /* allocation that fails behind it */
    bool found;
    struct hostent entry;
} saying;

/* How it was called. */
static struct {
    int count;
    size_t sizes[16];
    char name[64];
    uint8_t address[16];
    socklen_t address_size;
    int family;
} called;

static sem_t arrived;
static bool waits; /* until its gate is opened: that of names that begin so, or of the others */
static sem_t first_gate;
static sem_t gate;
static _Atomic int inside;
static struct native *answer;

static int say(struct hostent *entry, size_t size, struct hostent **found, int *reason)
{
    called.sizes[called.count++ % 16] = size;
    *found = NULL;
    *reason = saying.reason;
    errno = saying.errno_;
    if (saying.times != 0) {
        saying.times -= saying.times > 0;
        memory_fail_nth((uint64_t)saying.fail_nth);
        return saying.error;
    }
    *entry = saying.entry;
    *found = saying.found ? entry : NULL;
    if (saying.fail_nth)
        memory_fail_nth((uint64_t)saying.fail_nth);
    return 0;
}

int __wrap_gethostbyname2_r(const char *name, int family, struct hostent *entry, char *buffer,
                            size_t size, struct hostent **found, int *reason);
int __wrap_gethostbyaddr_r(const void *address, socklen_t address_size, int family,
                           struct hostent *entry, char *buffer, size_t size, struct hostent **found,
                           int *reason);
void __wrap_inbox_post(struct inbox *inbox, struct inbox_node *node);
int __real_thread_create(pthread_t *thread, void *(*run)(void *data), void *data);
int __wrap_thread_create(pthread_t *thread, void *(*run)(void *data), void *data);

static int threads;
static bool lacks_threads;

int __wrap_thread_create(pthread_t *thread, void *(*run)(void *data), void *data)
{
    if (lacks_threads)
        return -EAGAIN;
    threads++;
    return __real_thread_create(thread, run, data);
}

static void answered(struct scheduler *there, struct inbox_node *node)
{
    (void)there, (void)node;
}

int __wrap_gethostbyname2_r(const char *name, int family, struct hostent *entry, char *buffer,
                            size_t size, struct hostent **found, int *reason)
{
    memset(buffer, 0, size);
    if (waits) {
        inside++;
        while (sem_wait(strcmp(name, "first") == 0 ? &first_gate : &gate) != 0)
            ;
        *found = NULL;
        *reason = HOST_NOT_FOUND;
        return 0;
    }
    (void)snprintf(called.name, sizeof(called.name), "%s", name);
    called.family = family;
    return say(entry, size, found, reason);
}

int __wrap_gethostbyaddr_r(const void *address, socklen_t address_size, int family,
                           struct hostent *entry, char *buffer, size_t size, struct hostent **found,
                           int *reason)
{
    memset(buffer, 0, size);
    memcpy(called.address, address, address_size);
    called.address_size = address_size;
    called.family = family;
    return say(entry, size, found, reason);
}

void __wrap_inbox_post(struct inbox *inbox, struct inbox_node *node)
{
    cr_expect(inbox == &scheduler.inbox && node->run == answered);
    answer = list_entry(node, struct native, node);
    sem_post(&arrived);
}

static void begin(void)
{
    memset(&saying, 0, sizeof(saying));
    memset(&called, 0, sizeof(called));
    sem_init(&arrived, 0, 0);
    sem_init(&first_gate, 0, 0);
    sem_init(&gate, 0, 0);
    blocks = memory_live_count();
    cr_assert_eq(natives_open(&natives), 0);
}

/* A thread that has not come back from the library yet frees the rest. */
static void end(void)
{
    natives_close(natives);
    while (memory_live_count() > blocks)
        sched_yield();
    cr_expect_eq(memory_live_count(), blocks);
}

static struct native *ask(const char *name, enum weir_family family)
{
    static char copy[64];
    (void)snprintf(copy, sizeof(copy), "%s", name);
    const struct lookup lookup = {.kind = LOOKUP_NAME, .name = copy, .family = family};
    struct native *native = native_ask(natives, &scheduler, &lookup, &saying, answered);
    cr_assert_not_null(native);
    return native;
}

static struct native *answer_to(struct native *native)
{
    while (sem_wait(&arrived) != 0)
        ;
    memory_fail_nth(0);
    cr_assert_eq(answer, native);
    return native;
}

static char real[] = "real";
static char one[] = "one";
static char two[] = "two";
static char *aliases[] = {one, two, NULL};
static uint8_t bytes[MANY][16];
static char *addresses[MANY + 1];

static void find(int family, int size, int count)
{
    for (int i = 0; i < count; i++) {
        memset(bytes[i], i, 16);
        addresses[i] = (char *)bytes[i];
    }
    addresses[count] = NULL;
    saying.found = true;
    saying.entry = (struct hostent){real, aliases, family, size, addresses};
}

Test(native, what_is_found_is_told_whole)
{
    static const enum weir_family families[] = {WEIR_INET, WEIR_INET6};
    begin();
    for (size_t i = 0; i < 2; i++) {
        int size = i == 0 ? 4 : 16;
        find((int)families[i], size, 3);
        struct native *native = answer_to(ask("name", families[i]));
        const weir_hostent *hostent = native->hostent;
        cr_assert(native->result == 0 && hostent);
        cr_expect_str_eq(native->text, "");
        cr_expect_str_eq(called.name, "name");
        cr_expect_eq(called.family, (int)families[i]);
        cr_expect_str_eq(hostent->h_name, "real");
        cr_assert(hostent->alias_count == 2 && hostent->address_count == 3);
        cr_expect_str_eq(hostent->h_aliases[1], "two");
        for (int at = 0; at < 3; at++) {
            const weir_address *address = &hostent->h_addr_list[at];
            cr_expect_eq(address->family, families[i]);
            cr_expect_eq(memcmp(address->bytes, bytes[at], (size_t)size), 0);
            cr_expect(size == 16 || address->bytes[4] == 0);
        }
        native_free(native);
    }
    end();
}

Test(native, an_address_is_asked_for_as_it_is)
{
    begin();
    for (int size = 4; size <= 16; size += 12) {
        weir_address address = {.family = size == 4 ? WEIR_INET : WEIR_INET6,
                                .bytes = {1, 2, 3, 4, [15] = 16}};
        const struct lookup lookup = {
            .kind = LOOKUP_ADDRESS, .address = address, .family = address.family};
        find(address.family, size, 1);
        struct native *native = native_ask(natives, &scheduler, &lookup, &saying, answered);
        cr_expect_eq(answer_to(native)->result, 0);
        cr_expect_eq(called.address_size, (socklen_t)size);
        cr_expect_eq(memcmp(called.address, address.bytes, (size_t)size), 0);
        cr_expect_eq(called.family, address.family);
        native_free(native);
    }
    saying.found = false;
    saying.reason = HOST_NOT_FOUND;
    const struct lookup lookup = {.kind = LOOKUP_ADDRESS, .family = WEIR_INET};
    struct native *native = answer_to(native_ask(natives, &scheduler, &lookup, &saying, answered));
    cr_expect_eq(native->result, WEIR_NXDOMAIN);
    cr_expect(strstr(native->text, "host 'of that address': "), "%s", native->text);
    native_free(native);
    end();
}

static const struct {
    const char *name;
    int family; /* of what is found */
    int size;
    int count;
    int result;
    size_t addresses;
} findings[] = {
    {"one", AF_INET, 4, 1, 0, 1},
    {"as many as are wanted", AF_INET, 4, MOST, 0, MOST},
    {"more", AF_INET, 4, MANY, 0, MOST},
    {"none", AF_INET, 4, 0, WEIR_NXDOMAIN, 0},
    {"of another family", AF_INET6, 16, 1, WEIR_NXDOMAIN, 0},
    {"of another family's size", AF_INET, 16, 1, WEIR_NXDOMAIN, 0},
    {"of its size", AF_INET6, 4, 1, WEIR_NXDOMAIN, 0},
};

Test(native, what_does_not_fit_is_nothing)
{
    begin();
    for (size_t i = 0; i < sizeof(findings) / sizeof(findings[0]); i++) {
        find(findings[i].family, findings[i].size, findings[i].count);
        struct native *native = answer_to(ask("name", WEIR_INET));
        cr_expect_eq(native->result, findings[i].result, "%s: %d", findings[i].name,
                     native->result);
        cr_expect_eq(native->hostent ? native->hostent->address_count : 0, findings[i].addresses,
                     "%s", findings[i].name);
        cr_expect(native->result == 0 || strstr(native->text, "nothing of that family"), "%s: %s",
                  findings[i].name, native->text);
        native_free(native);
    }
    end();
}

static const struct {
    const char *name;
    int error;
    int reason;
    int errno_;
    int result;
    const char *text;
} failures[] = {
    {"none", 0, HOST_NOT_FOUND, 0, WEIR_NXDOMAIN, "host 'name': Unknown host"},
    {"none for now", EAGAIN, TRY_AGAIN, ENOMEM, WEIR_NXDOMAIN, "host 'name': "},
    {"no memory", ENOMEM, HOST_NOT_FOUND, 0, -ENOMEM, "the C library has no memory"},
    {"no memory, as it says too", 0, NETDB_INTERNAL, ENOMEM, -ENOMEM, "the C library has no mem"},
    {"something else", EIO, NETDB_INTERNAL, EIO, WEIR_NXDOMAIN, "host 'name': "},
};

Test(native, why_nothing_is_found)
{
    begin();
    for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
        saying.error = failures[i].error;
        saying.times = 1;
        saying.reason = failures[i].reason;
        saying.errno_ = failures[i].errno_;
        struct native *native = answer_to(ask("name", WEIR_INET));
        cr_expect_eq(native->result, failures[i].result, "%s: %d", failures[i].name,
                     native->result);
        cr_expect(strstr(native->text, failures[i].text), "%s: %s", failures[i].name, native->text);
        cr_expect_null(native->hostent);
        native_free(native);
    }
    find(AF_INET, 4, 1);
    struct native *native = answer_to(ask("name", WEIR_INET));
    cr_expect(native->result == 0 && !*native->text, "of one before: %s", native->text);
    native_free(native);
    end();
}

Test(native, a_buffer_is_as_large_as_it_has_to_be)
{
    begin();
    find(AF_INET, 4, 1);
    saying.error = ERANGE;
    for (int times = 0; times <= 7; times++) {
        saying.times = times;
        called.count = 0;
        struct native *native = answer_to(ask("name", WEIR_INET));
        cr_expect_eq(native->result, 0, "%d", times);
        cr_expect_eq(called.count, times + 1);
        for (int i = 0; i <= times; i++)
            cr_expect_eq(called.sizes[i], (size_t)SMALLEST << i);
        native_free(native);
    }
    saying.times = -1;
    called.count = 0;
    struct native *native = answer_to(ask("name", WEIR_INET));
    cr_expect_eq(native->result, -ENOMEM);
    cr_expect(called.count == 8 && called.sizes[7] == LARGEST);
    native_free(native);
    end();
}

Test(native, needs_memory)
{
    blocks = memory_live_count();
    memory_fail_nth(1);
    cr_expect_eq(natives_open(&natives), -ENOMEM);
    memory_fail_nth(0);
    begin();
    const struct lookup lookup = {.kind = LOOKUP_ADDRESS, .family = WEIR_INET};
    memory_fail_nth(1);
    cr_expect_null(native_ask(natives, &scheduler, &lookup, &saying, answered));
    memory_fail_nth(0);
    saying.error = ERANGE;
    saying.times = saying.fail_nth = 1;
    struct native *native = answer_to(ask("name", WEIR_INET));
    cr_expect(native->result == -ENOMEM && called.count == 1);
    native_free(native);
    end();
}

/* But for the first: a thread that there is answers in the end. */
Test(native, needs_a_thread)
{
    begin();
    find(AF_INET, 4, 1);
    const struct lookup lookup = {.kind = LOOKUP_ADDRESS, .family = WEIR_INET};
    lacks_threads = true;
    cr_expect_null(native_ask(natives, &scheduler, &lookup, &saying, answered));
    cr_expect_eq(memory_live_count(), blocks + 1);
    lacks_threads = false;
    native_free(answer_to(ask("name", WEIR_INET)));
    lacks_threads = true;
    for (int i = 0; i < 3; i++)
        native_free(answer_to(ask("name", WEIR_INET)));
    cr_expect_eq(threads, 1);
    end();
}

Test(native, needs_memory_for_what_is_found)
{
    begin();
    find(AF_INET, 4, 2);
    for (int nth = 1; nth <= 2; nth++) {
        saying.fail_nth = nth;
        struct native *native = answer_to(ask("name", WEIR_INET));
        cr_expect(native->result == -ENOMEM && !native->hostent, "%d: %d", nth, native->result);
        native_free(native);
    }
    end();
}

/* So many look at a time, and the others when those have answered. Of one that is forgotten nobody
 * is told. */
Test(native, has_so_many_threads)
{
    struct native *asked[THREADS + 2];
    waits = true;
    begin();
    for (int i = 0; i < THREADS; i++) {
        asked[i] = ask("first", WEIR_INET);
        while (inside < i + 1)
            sched_yield();
    }
    asked[THREADS] = ask("name", WEIR_INET);
    asked[THREADS + 1] = ask("name", WEIR_INET);
    cr_expect(inside == THREADS && threads == THREADS);
    for (int i = 0; i < THREADS; i++)
        native_forget(asked[i]);
    for (int i = 0; i < THREADS; i++)
        sem_post(&first_gate);
    while (inside < THREADS + 2)
        sched_yield();
    cr_expect_lt(sem_trywait(&arrived), 0, "nobody waits for those");
    for (int i = 0; i < 2; i++) {
        sem_post(&gate);
        while (sem_wait(&arrived) != 0)
            ;
        cr_expect(answer == asked[THREADS] || answer == asked[THREADS + 1]);
        native_free(answer);
    }
    end();
}

/* What has not begun is given up, and what has goes on for nobody. */
Test(native, may_be_closed_while_the_library_looks)
{
    waits = true;
    begin();
    for (int i = 0; i < THREADS; i++) {
        native_forget(ask("name", WEIR_INET));
        while (inside < i + 1)
            sched_yield();
    }
    native_forget(ask("name", WEIR_INET));
    natives_close(natives);
    cr_expect_gt(memory_live_count(), blocks, "the threads have it");
    for (int i = 0; i < THREADS; i++)
        sem_post(&gate);
    while (memory_live_count() > blocks)
        sched_yield();
    cr_expect_eq(inside, THREADS);
}
