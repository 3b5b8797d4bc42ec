/* SPDX-License-Identifier: MIT */
/* Channels to name servers, without c-ares's part: what it is told, how many there are, and what
 * askers are told. */
#include "runtime/resolver/channel.h"

#include "own_turns.h"

#define CARES_NO_DEPRECATED
#include <ares.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "address/inet_config.h"
#include "base/memory.h"
#include "runtime/scheduler/scheduler.h"
#include "runtime/watch/watch.h"

enum { QUESTIONS_MAX = 16384, LINGER_MS = 60000, ANSWERS_PER_TURN = 2, SOCKETS_MAX = 4 };

static struct scheduler *scheduler;
static struct inet_config *config;
static struct channels channels;

static int opened;
static struct ares_options options; /* of the last */
static struct ares_socket_functions functions;
static void *functions_context;

/* What was asked, and is not answered yet. */
static struct {
    ares_callback answered;
    void *argument;
    ares_channel channel;
} questions[QUESTIONS_MAX + 8];
static int question_count;
static bool lacks_memory; /* for the next, which is over at once, and ends another one */

int __real_ares_init_options(ares_channel *channel, struct ares_options *given, int mask);
int __wrap_ares_init_options(ares_channel *channel, struct ares_options *given, int mask);
void __wrap_ares_query(ares_channel channel, const char *name, int class, int type,
                       ares_callback callback, void *argument);
void __wrap_ares_set_socket_functions(ares_channel channel,
                                      const struct ares_socket_functions *given, void *context);
void __wrap_ares_process_fd(ares_channel channel, ares_socket_t reads, ares_socket_t writes);

int __wrap_ares_init_options(ares_channel *channel, struct ares_options *given, int mask)
{
    opened++;
    options = *given;
    return __real_ares_init_options(channel, given, mask);
}

void __wrap_ares_query(ares_channel channel, const char *name, int class, int type,
                       ares_callback callback, void *argument)
{
    (void)type;
    if (lacks_memory) {
        unsigned char *query = NULL;
        int size;
        lacks_memory = false;
        memory_fail_nth(1);
        int status = ares_create_query(name, class, ns_t_a, 1, 0, &query, &size, 0);
        memory_fail_nth(0);
        cr_assert_eq(status, ARES_ENOMEM);
        callback(argument, ARES_ECONNREFUSED, 0, NULL, 0);
        questions[0].answered(questions[0].argument, ARES_ETIMEOUT, 0, NULL, 0);
        return;
    }
    questions[question_count].answered = callback;
    questions[question_count].argument = argument;
    questions[question_count++].channel = channel;
}

void __wrap_ares_set_socket_functions(ares_channel channel,
                                      const struct ares_socket_functions *given, void *context)
{
    (void)channel;
    functions = *given;
    functions_context = context;
}

static bool has_no_watch;

struct watch *__real_watch_open(struct scheduler *there, int fd, watch_ready *ready, void *context);
struct watch *__wrap_watch_open(struct scheduler *there, int fd, watch_ready *ready, void *context);

struct watch *__wrap_watch_open(struct scheduler *there, int fd, watch_ready *ready, void *context)
{
    return has_no_watch ? NULL : __real_watch_open(there, fd, ready, context);
}

/* Reads as long as it may, as c-ares does. */
static int reads_;
static int last_errno;

void __wrap_ares_process_fd(ares_channel channel, ares_socket_t reads, ares_socket_t writes)
{
    char bytes[8];
    struct sockaddr_storage from;
    ares_socklen_t size = sizeof(from);
    (void)channel, (void)writes;
    if (reads == ARES_SOCKET_BAD)
        return;
    while (functions.arecvfrom(reads, bytes, sizeof(bytes), 0, (struct sockaddr *)&from, &size,
                               functions_context) >= 0)
        reads_++;
    last_errno = errno;
}

static void begin(void)
{
    scheduler = own_turns_begin();
    cr_assert_eq(inet_config_create(&config), 0);
    channels = (struct channels){.scheduler = scheduler, .config = config};
    list_init(&channels.list);
    opened = question_count = 0;
}

static void answer(int which, int status, uint8_t *bytes, int size)
{
    questions[which].answered(questions[which].argument, status, 0, bytes, size);
}

static void end(void)
{
    channels_close(&channels);
    inet_config_free(config);
    own_turns_end(scheduler);
}

static struct {
    int count;
    enum query_outcome before; /* of the one before */
    const void *bytes;
    size_t size;
    enum query_outcome outcome;
} told;

static void tell(struct asking *asking, const void *bytes, size_t size, enum query_outcome outcome)
{
    cr_expect(asking->asker == &told && asking->serial == 7);
    told.count++;
    told.bytes = bytes;
    told.size = size;
    told.before = told.outcome;
    told.outcome = outcome;
}

static struct list askings;

static void ask(struct channel_key key)
{
    const struct asking asking = {.told = tell, .asker = &told, .serial = 7};
    if (!askings.next)
        list_init(&askings);
    cr_assert_eq(channels_ask(&channels, &key, "name", ns_t_a, &asking, &askings), 0);
}

static struct channel_key key_of(uint8_t last, bool tcp, bool edns)
{
    return (struct channel_key){
        .server = {.family = WEIR_INET, .port = 53, .bytes = {127, 0, 0, last}},
        .tcp = tcp,
        .edns = edns,
    };
}

static const struct {
    int64_t timeout_ms;
    int64_t retry;
    bool tcp;
    int lifetime_ms;
} lives[] = {
    {2000, 3, false, 16100},
    {2000, 3, true, 10100},
    {1, 1, false, 102},
    {1, 16, false, LINGER_MS},
    {1, 15, false, 32868},
    {1, 17, false, LINGER_MS},
    {1, 1000, false, LINGER_MS},
    {LINGER_MS, 1, true, LINGER_MS},
    {LINGER_MS / 2, 1, false, LINGER_MS},
    {LINGER_MS / 2 - 1, 1, false, LINGER_MS + 98},
    {INT32_MAX, 16, true, LINGER_MS},
};

Test(channel, waits_for_longer_than_any_round)
{
    begin();
    for (size_t i = 0; i < sizeof(lives) / sizeof(lives[0]); i++) {
        config->numbers[INET_TIMEOUT_MS] = lives[i].timeout_ms;
        config->numbers[INET_RETRY] = lives[i].retry;
        ask(key_of((uint8_t)(1 + i), lives[i].tcp, false));
        cr_expect_eq(options.timeout, lives[i].lifetime_ms, "row %zu: %d", i, options.timeout);
        answer(question_count - 1, ARES_ETIMEOUT, NULL, 0);
    }
    end();
}

Test(channel, is_of_one_server_and_one_way_to_ask)
{
    begin();
    config->numbers[INET_UDP_PAYLOAD_SIZE] = 1234;
    for (int round = 0; round < 2; round++)
        for (unsigned i = 0; i < 8; i++) {
            ask(key_of((uint8_t)(1 + i / 4), i & 1, i & 2));
            cr_expect_eq(opened, round == 0 ? (int)i + 1 : 8);
            if (round == 0) {
                cr_expect_eq((options.flags & ARES_FLAG_USEVC) != 0, i & 1);
                cr_expect_eq((options.flags & ARES_FLAG_EDNS) != 0, (i & 2) != 0);
                cr_expect(options.ednspsz == 1234 && options.tries == 1);
            } else {
                cr_expect_eq(questions[8 + i].channel, questions[i].channel);
            }
        }
    for (int i = 0; i < question_count; i++)
        answer(i, ARES_ETIMEOUT, NULL, 0);
    cr_expect_eq(told.count, 16);
    end();
}

/* Then there is another, until some of the first have been answered. */
Test(channel, has_so_many_questions)
{
    begin();
    const struct channel_key key = key_of(1, false, false);
    for (int i = 0; i < QUESTIONS_MAX; i++)
        ask(key);
    cr_expect_eq(opened, 1);
    ask(key);
    cr_expect(opened == 2 && questions[QUESTIONS_MAX].channel != questions[0].channel);
    answer(0, ARES_ETIMEOUT, NULL, 0);
    ask(key);
    cr_expect(opened == 2 && questions[QUESTIONS_MAX + 1].channel == questions[1].channel);
    for (int i = 1; i < question_count; i++)
        answer(i, ARES_ETIMEOUT, NULL, 0);
    cr_expect(list_is_empty(&askings));
    end();
}

static const struct {
    int status;
    enum query_outcome outcome;
} outcomes[] = {
    {ARES_ENOMEM, OUTCOME_NO_MEMORY},         {ARES_ETIMEOUT, OUTCOME_TIMEOUT},
    {ARES_EBADRESP, OUTCOME_NONSENSE},        {ARES_ECONNREFUSED, OUTCOME_UNREACHABLE},
    {ARES_EDESTRUCTION, OUTCOME_UNREACHABLE},
};

Test(channel, tells_what_it_came_to)
{
    uint8_t bytes[4] = {1, 2, 3, 4};
    begin();
    for (size_t i = 0; i < sizeof(outcomes) / sizeof(outcomes[0]); i++) {
        int64_t blocks = memory_live_count();
        ask(key_of(1, false, false));
        blocks += i == 0 ? memory_live_count() - blocks - 1 : 0;
        told.count = 0;
        answer((int)i, outcomes[i].status, NULL, 0);
        cr_expect(told.count == 1 && !told.bytes && told.outcome == outcomes[i].outcome, "row %zu",
                  i);
        cr_expect_eq(memory_live_count(), blocks, "row %zu", i);
    }
    for (int size = 0; size <= 4; size += 4) {
        ask(key_of(1, false, false));
        answer(question_count - 1, ARES_SUCCESS, bytes, size);
        cr_expect(told.bytes == bytes && told.size == (size_t)size);
    }
    ask(key_of(1, false, false));
    answer(question_count - 1, ARES_ENODATA, NULL, 4);
    cr_expect(!told.bytes && told.size == 0);
    end();
}

/* Of what lacked memory nothing else is known; and that is of this question alone. */
Test(channel, tells_that_memory_was_short)
{
    begin();
    ask(key_of(1, false, false));
    lacks_memory = true;
    ask(key_of(1, false, false));
    cr_expect_eq(told.count, 2);
    cr_expect(told.before == OUTCOME_NO_MEMORY && told.outcome == OUTCOME_TIMEOUT);
    int64_t blocks = memory_live_count();
    const struct asking asking = {.told = tell, .asker = &told, .serial = 7};
    const struct channel_key other = key_of(2, false, false);
    int result = -ENOMEM;
    for (uint64_t nth = 1; result < 0; nth++) {
        memory_fail_nth(nth);
        result = channels_ask(&channels, &other, "name", ns_t_a, &asking, &askings);
        memory_fail_nth(0);
        cr_expect(result == 0 || (result == -ENOMEM && told.count == 2), "%lu: %d", nth, result);
        cr_assert_lt(nth, 100);
    }
    cr_expect_gt(memory_live_count(), blocks);
    answer(question_count - 1, ARES_ETIMEOUT, NULL, 0);
    cr_expect(told.count == 3 && told.outcome == OUTCOME_TIMEOUT);
    end();
}

/* Whatever c-ares cannot have of it. */
Test(channel, is_opened_whole_or_not_at_all)
{
    const struct asking asking = {.told = tell, .asker = &told, .serial = 7};
    const struct channel_key key = key_of(1, false, false);
    int result = -ENOMEM;
    begin();
    ask(key_of(2, false, false)); /* what c-ares keeps for all is there from now on */
    for (uint64_t nth = 1; result < 0; nth++) {
        int64_t blocks = memory_live_count();
        memory_fail_nth(nth);
        result = channels_ask(&channels, &key, "name", ns_t_a, &asking, &askings);
        memory_fail_nth(0);
        if (channels.list.next->next == &channels.list)
            cr_expect_eq(memory_live_count(), blocks, "without allocation %lu", nth);
        cr_assert_lt(nth, 100u);
    }
    for (int i = 0; i < question_count; i++)
        answer(i, ARES_ETIMEOUT, NULL, 0);
    end();
}

static int next_number(void)
{
    int next = dup(0);
    close(next);
    return next;
}

/* Without a watch it would not hear of its answer; c-ares says that nobody can be reached. */
Test(channel, has_no_socket_without_memory)
{
    begin();
    ask(key_of(1, false, false));
    int next = next_number();
    has_no_watch = true;
    cr_expect_eq(functions.asocket(AF_INET, SOCK_DGRAM, 0, functions_context), ARES_SOCKET_BAD);
    cr_expect_eq(next_number(), next);
    answer(0, ARES_ECONNREFUSED, NULL, 0);
    cr_expect_eq(told.outcome, OUTCOME_NO_MEMORY);
    end();
}

/* One of each protocol, and those that close. */
Test(channel, has_so_many_sockets)
{
    int fds[SOCKETS_MAX];
    begin();
    ask(key_of(1, false, false));
    for (int i = 0; i < SOCKETS_MAX; i++) {
        fds[i] = functions.asocket(AF_INET, SOCK_DGRAM, 0, functions_context);
        cr_assert_geq(fds[i], 0);
    }
    cr_expect_eq(functions.asocket(AF_INET, SOCK_DGRAM, 0, functions_context), ARES_SOCKET_BAD);
    cr_expect_eq(functions.aclose(fds[1], functions_context), 0);
    cr_assert_eq(functions.asocket(AF_INET, SOCK_DGRAM, 0, functions_context), fds[1]);
    for (int i = 0; i < SOCKETS_MAX; i++)
        cr_expect_eq(functions.aclose(fds[i], functions_context), 0);
    answer(0, ARES_ECONNREFUSED, NULL, 0);
    cr_expect_eq(told.outcome, OUTCOME_UNREACHABLE);
    end();
}

Test(channel, does_not_tell_who_has_forgotten)
{
    begin();
    ask(key_of(1, false, false));
    int64_t blocks = memory_live_count();
    asking_forget(list_entry(askings.next, struct asking, link));
    cr_expect(list_is_empty(&askings));
    answer(0, ARES_ETIMEOUT, NULL, 0);
    cr_expect(told.count == 0 && memory_live_count() == blocks - 1);
    end();
}

/* So many in a turn by UDP; the rest is there to be told of again. */
Test(channel, reads_so_many_answers_a_turn)
{
    begin();
    ask(key_of(1, false, false));
    int fd = functions.asocket(AF_INET, SOCK_DGRAM, 0, functions_context);
    cr_assert_geq(fd, 0);
    options.sock_state_cb(options.sock_state_cb_data, fd, 1, 0);
    struct sockaddr_storage name = {.ss_family = AF_INET};
    socklen_t size = sizeof(name);
    cr_assert_eq(bind(fd, (struct sockaddr *)&name, sizeof(struct sockaddr_in)), 0);
    cr_assert_eq(getsockname(fd, (struct sockaddr *)&name, &size), 0);
    int peer = socket(AF_INET, SOCK_DGRAM, 0);
    for (int i = 0; i < 2 * ANSWERS_PER_TURN + 1; i++)
        cr_assert_eq(sendto(peer, "x", 1, 0, (struct sockaddr *)&name, size), 1);
    static const int so_far[] = {ANSWERS_PER_TURN, 2 * ANSWERS_PER_TURN, 2 * ANSWERS_PER_TURN + 1};
    for (int i = 0; i < 3; i++) {
        int before = reads_;
        while (reads_ == before)
            scheduler_turn(scheduler);
        cr_expect_eq(reads_, so_far[i], "%d", reads_);
        cr_expect_eq(last_errno, EAGAIN);
    }
    close(peer);
    answer(0, ARES_ETIMEOUT, NULL, 0);
    cr_expect_eq(functions.aclose(fd, functions_context), 0);
    end();
}

/* Not by TCP, where what was read is the beginning of what is there. */
Test(channel, reads_all_that_there_is_by_tcp)
{
    int ends[2];
    char byte;
    begin();
    ask(key_of(1, true, false));
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    cr_assert_eq(write(ends[1], "abcde", 5), 5);
    for (int i = 0; i < 5; i++)
        cr_expect_eq(functions.arecvfrom(ends[0], &byte, 1, 0, NULL, NULL, functions_context), 1);
    cr_expect_lt(
        functions.arecvfrom(ends[0], &byte, 1, MSG_DONTWAIT, NULL, NULL, functions_context), 0);
    cr_expect_eq(errno, EAGAIN);
    answer(0, ARES_ETIMEOUT, NULL, 0);
    close(ends[0]);
    close(ends[1]);
    end();
}
