/* SPDX-License-Identifier: MIT */
/* Look-ups of one scheduler, by turns of the test's own: the test is the name servers, the C
 * library and the clock. */
#include "runtime/resolver/resolver.h"

#include "own_turns.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "address/hostent.h"
#include "base/clock.h"
#include "base/memory.h"
#include "runtime/resolver/channel.h"
#include "runtime/resolver/native.h"
#include "runtime/runtime.h"
#include "runtime/scheduler/scheduler.h"
#include "support/dns_message.h"

enum { QUESTIONS_MOST = 64, TURNS_MOST = 2000 };

#define NO_FILES "{resolv_conf,\"\"}. {hosts_file,\"\"}. {domain,\"\"}. clear_search. "
#define BY_DNS   NO_FILES "{lookup,[dns]}. {nameserver,{127,0,0,1}}. {edns,false}. "

static struct scheduler *scheduler;
static struct naming naming;

/* What name servers were asked, and whether there is memory for it. */
static struct {
    struct asking *asking; /* NULL: it is over */
    uint8_t server;        /* 127.0.0._ */
    char name[64];
} questions[QUESTIONS_MOST];
static int question_count;
static bool cannot_ask;

/* What the C library was asked last. */
static struct native *native;
static int native_count;
static bool has_no_thread;

static uint64_t passed_ns; /* more than have passed */

uint64_t __real_clock_now_ns(void);
uint64_t __wrap_clock_now_ns(void);
int __wrap_channels_ask(struct channels *channels, const struct channel_key *key, const char *name,
                        ns_type type, const struct asking *asking, struct list *asker);
struct native *
__wrap_native_ask(struct natives *natives, struct scheduler *there, const struct lookup *lookup,
                  void *asker, void (*answered)(struct scheduler *there, struct inbox_node *node));

uint64_t __wrap_clock_now_ns(void)
{
    return __real_clock_now_ns() + passed_ns;
}

int __wrap_channels_ask(struct channels *channels, const struct channel_key *key, const char *name,
                        ns_type type, const struct asking *asking, struct list *asker)
{
    (void)channels, (void)type;
    struct asking *copy = cannot_ask ? NULL : memory_allocate(sizeof(*copy));
    if (!copy)
        return -ENOMEM;
    *copy = *asking;
    list_init(&copy->link);
    list_append(asker, &copy->link);
    cr_assert_lt(question_count, QUESTIONS_MOST);
    questions[question_count].asking = copy;
    questions[question_count].server = key->server.bytes[3];
    (void)snprintf(questions[question_count++].name, sizeof(questions[0].name), "%s", name);
    return 0;
}

struct native *__wrap_native_ask(struct natives *natives, struct scheduler *there,
                                 const struct lookup *lookup, void *asker,
                                 void (*answered)(struct scheduler *there, struct inbox_node *node))
{
    (void)there, (void)lookup;
    if (has_no_thread)
        return NULL;
    native = memory_allocate_zeroed(1, sizeof(*native) + 1);
    cr_assert_not_null(native);
    native->natives = natives;
    native->asker = asker;
    native->node.run = answered;
    native_count++;
    return native;
}

static struct inet_config *config_of(const char *terms)
{
    struct inet_config *config;
    int of_file;
    const struct inet_sources sources = {"", terms};
    cr_assert_eq(runtime_read_inet(&config, &sources, &of_file), 0, "%s", weir_last_error_text());
    return config;
}

static void begin(const char *terms)
{
    question_count = native_count = 0;
    naming = (struct naming){.inet = config_of(terms)};
    cr_assert_eq(naming_open(&naming), 0);
    scheduler = own_turns_begin();
}

/* What the asker has forgotten is the channel's until it is over. */
static void end(void)
{
    own_turns_end(scheduler);
    for (int i = 0; i < question_count; i++)
        memory_free(questions[i].asking);
    naming_close(&naming);
}

/* A caller who waits: a thread whose look-up is looked at here. */
struct asked {
    struct look_up look_up;
    char text[ERROR_TEXT_SIZE];
};

static void make(struct asked *asked, struct look_up look_up)
{
    struct call *call = &asked->look_up.call;
    *asked = (struct asked){.look_up = look_up};
    asked->look_up.naming = &naming;
    call->kind = CALL_BLOCKING;
    call->timeout_ms = -1;
    call->text = asked->text;
    call->operation = &operation_look_up;
    call->scheduler = scheduler;
    list_init(&call->link);
    int result = operation_look_up.run(scheduler, NULL, call);
    if (result != CALL_WAITS)
        call_complete(scheduler, call, result);
}

static void ask(struct asked *asked, const char *name)
{
    make(asked, (struct look_up){.name = name, .family = WEIR_INET});
}

static bool is_done(struct asked *asked)
{
    return atomic_load(&asked->look_up.call.done) != 0;
}

static int result_of(struct asked *asked)
{
    for (int i = 0; !is_done(asked); i++) {
        cr_assert_lt(i, TURNS_MOST);
        scheduler_turn(scheduler);
    }
    weir_hostent_free(asked->look_up.hostent);
    asked->look_up.hostent = NULL;
    return asked->look_up.call.result;
}

static void expect_text(const struct asked *asked, const char *text)
{
    cr_expect_str_eq(asked->text, text);
}

static void turn_until(const int *count, int most)
{
    for (int i = 0; *count < most; i++) {
        cr_assert_lt(i, TURNS_MOST);
        scheduler_turn(scheduler);
    }
}

static void turn_some(void)
{
    for (int i = 0; i < 5; i++)
        scheduler_turn(scheduler);
}

static void pass(uint64_t ms)
{
    passed_ns += ms * 1000000u;
    turn_some();
}

/* Whether anybody wants to know of it any more. */
static bool is_wanted(int which)
{
    return questions[which].asking && questions[which].asking->told;
}

static void tell(int which, const void *bytes, size_t size, enum query_outcome outcome)
{
    struct asking *asking = questions[which].asking;
    questions[which].asking = NULL;
    list_remove(&asking->link);
    if (asking->told)
        asking->told(asking, bytes, size, outcome);
    memory_free(asking);
}

static void answer(int which, unsigned code, const char *address)
{
    static struct dns_message message;
    dns_answer_begin(&message, 1, questions[which].name, ns_t_a, code);
    if (address)
        dns_answer_add_a(&message, questions[which].name, 5, address);
    tell(which, message.bytes, message.size, OUTCOME_TIMEOUT);
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    fputs(text, file);
    fclose(file);
}

static char hosts[] = "/tmp/weir_hosts_XXXXXX";
static char servers[] = "/tmp/weir_servers_XXXXXX";

static const char *terms_of_files(void)
{
    static char terms[256];
    close(mkstemp(hosts));
    close(mkstemp(servers));
    write_file(hosts, "10.0.0.7 seven other-name\n10.0.0.8 eight\n");
    write_file(servers, "search one.test two.test\nnameserver 127.0.0.9\n");
    (void)snprintf(terms, sizeof(terms),
                   "{lookup,[file,dns]}. {hosts_file,\"%s\"}. {resolv_conf,\"%s\"}. "
                   "{domain,\"\"}. clear_search. {search,[\"a.test\",\"b.test\"]}. ",
                   hosts, servers);
    return terms;
}

static bool ask_without(uint64_t nth, struct asked *asked, const char *name)
{
    uint64_t before = memory_allocation_count();
    memory_fail_nth(nth);
    ask(asked, name);
    (void)result_of(asked);
    memory_fail_nth(0);
    return memory_allocation_count() - before >= nth;
}

/* Whatever memory there was none for, the next look-up has all that it needs: both files, too. */
Test(resolver, is_opened_whole_or_not_at_all)
{
    const char *terms = terms_of_files();
    bool reached = true;
    int failed = 0;
    for (uint64_t nth = 1; reached; nth++) {
        struct asked asked;
        int64_t blocks = memory_live_count();
        cr_assert_lt(nth, 100u);
        begin(terms);
        reached = ask_without(nth, &asked, "seven");
        int result = asked.look_up.call.result;
        cr_expect(result == 0 || (result == -ENOMEM && reached), "%lu: %d", nth, result);
        failed += result == -ENOMEM;
        ask(&asked, "eight");
        cr_expect_eq(result_of(&asked), 0, "after allocation %lu", nth);
        ask(&asked, "far.");
        turn_until(&question_count, 1);
        cr_expect_eq(questions[0].server, 9, "after allocation %lu", nth);
        answer(0, 0, "192.0.2.1");
        cr_expect_eq(result_of(&asked), 0);
        end();
        cr_expect_eq(memory_live_count(), blocks, "after allocation %lu", nth);
    }
    cr_expect_gt(failed, 10);
    unlink(hosts);
    unlink(servers);
}

static void take(void)
{
    struct naming_call take = {.naming = &naming};
    cr_expect_eq(operation_take_naming.run(scheduler, NULL, &take.call), 0);
}

/* Those who wait hear of it, and are not asked for any more. The next one has all of it. */
Test(resolver, has_no_memory_for_another_configuration)
{
    bool reached = true;
    const char *terms = terms_of_files();
    for (uint64_t nth = 1; reached; nth++) {
        struct asked asked[3];
        cr_assert_lt(nth, 100u);
        begin(BY_DNS);
        ask(&asked[0], "one.");
        ask(&asked[1], "two.");
        turn_until(&question_count, 2);
        naming_set(&naming, config_of(terms));
        uint64_t before = memory_allocation_count();
        memory_fail_nth(nth);
        take();
        memory_fail_nth(0);
        reached = memory_allocation_count() - before >= nth;
        cr_expect(!is_wanted(0) && !is_wanted(1));
        for (int i = 0; reached && i < 2; i++) {
            cr_assert(is_done(&asked[i]), "without allocation %lu", nth);
            cr_expect_eq(result_of(&asked[i]), -ENOMEM);
            expect_text(&asked[i], "no memory to look a name up");
        }
        ask(&asked[2], "eight");
        cr_expect_eq(result_of(&asked[2]), 0, "after allocation %lu", nth);
        end();
    }
    unlink(hosts);
    unlink(servers);
}

/* The one that is there already changes nothing; nor does any where nobody has looked up. */
Test(resolver, takes_another_configuration)
{
    struct asked asked;
    begin(BY_DNS);
    take();
    ask(&asked, "one.");
    turn_until(&question_count, 1);
    take();
    turn_some();
    cr_expect(question_count == 1 && is_wanted(0));
    naming_set(&naming, config_of(NO_FILES "{lookup,[dns]}. {nameserver,{127,0,0,2}}. "));
    take();
    cr_expect(!is_wanted(0));
    turn_until(&question_count, 2);
    cr_expect_eq(questions[1].server, 2);
    answer(1, 0, "192.0.2.1");
    cr_expect_eq(result_of(&asked), 0);
    end();
}

/* Those who wait are told, and whoever comes then. */
Test(resolver, ends_with_its_scheduler)
{
    struct asked asked[3];
    struct naming_call take = {.naming = &naming};
    begin(BY_DNS);
    ask(&asked[0], "one.");
    turn_until(&question_count, 1);
    ask(&asked[1], "two.");
    error_set_text("of another call");
    scheduler_stop(scheduler);
    ask(&asked[2], "three.");
    for (int i = 0; i < 3; i++)
        cr_expect(is_done(&asked[i]) && result_of(&asked[i]) == WEIR_CLOSED && !*asked[i].text,
                  "%d: %s", i, asked[i].text);
    cr_expect(!is_wanted(0) && question_count == 1);
    cr_expect_eq(operation_take_naming.run(scheduler, NULL, &take.call), WEIR_CLOSED);
    end();
}

/* To the server that was given up a round ago: what it says then is an answer if it is one, and if
 * it is to the present question. */
static const struct {
    const char *terms;
    size_t size; /* of zeroes, of which the fourth is the code; 0: a whole message */
    unsigned code;
    bool counts;
} late[] = {
    {"{retry,2}.", 0, ns_r_noerror, true},   {"{retry,2}.", 0, ns_r_servfail, false},
    {"{retry,2}.", 0, ns_r_nxdomain, false}, {"{retry,2}.", 3, ns_r_noerror, false},
    {"{retry,2}.", 4, ns_r_noerror, true},   {"{retry,1}.", 0, ns_r_noerror, false},
};

Test(resolver, counts_what_comes_late)
{
    static const uint8_t zeroes[4];
    for (size_t i = 0; i < sizeof(late) / sizeof(late[0]); i++) {
        char terms[256];
        struct asked asked;
        (void)snprintf(terms, sizeof(terms), "%s{timeout,60000}. {search,[\"test\"]}. %s", BY_DNS,
                       late[i].terms);
        begin(terms);
        ask(&asked, "a.b");
        turn_until(&question_count, 1);
        pass(61000);
        turn_until(&question_count, 2);
        cr_expect_str_eq(questions[1].name, i == 5 ? "a.b.test" : "a.b");
        if (late[i].size > 0)
            tell(0, zeroes, late[i].size, OUTCOME_TIMEOUT);
        else
            answer(0, late[i].code, late[i].code ? NULL : "192.0.2.1");
        turn_some();
        cr_expect_eq(is_done(&asked) || question_count == 3, late[i].counts, "row %zu", i);
        if (!late[i].counts) {
            answer(1, 0, "192.0.2.2");
            cr_expect_eq(result_of(&asked), 0, "row %zu", i);
        }
        if (is_done(&asked))
            (void)result_of(&asked);
        end();
    }
}

/* Nothing is waited for then until it has gone on. */
Test(resolver, counts_what_comes_first)
{
    struct asked asked;
    begin(BY_DNS "{timeout,60000}. {retry,2}. ");
    ask(&asked, "one.");
    turn_until(&question_count, 1);
    pass(31000);
    turn_until(&question_count, 2);
    answer(1, ns_r_nxdomain, NULL);
    answer(0, 0, "192.0.2.1");
    cr_expect_eq(result_of(&asked), WEIR_NXDOMAIN);
    expect_text(&asked, "host 'one.': nobody knows it");
    end();
}

/* Whatever others have said meanwhile. */
Test(resolver, says_why_there_is_no_answer)
{
    struct asked asked;
    begin(BY_DNS);
    ask(&asked, "one.");
    turn_until(&question_count, 1);
    tell(0, NULL, 0, OUTCOME_NO_MEMORY);
    error_set_text("of another call");
    cr_expect_eq(result_of(&asked), -ENOMEM);
    expect_text(&asked, "no memory to ask a name server");
    cannot_ask = true;
    ask(&asked, "two.");
    cr_expect_eq(result_of(&asked), -ENOMEM);
    expect_text(&asked, "no memory to ask a name server");
    end();
}

/* An answer for as long as it is good: the memory comes back then, whether anybody asks or not. */
Test(resolver, remembers_for_a_while)
{
    struct asked asked;
    begin(BY_DNS "{cache_refresh,1000}. ");
    ask(&asked, "one.");
    turn_until(&question_count, 1);
    int64_t blocks = memory_live_count();
    answer(0, 0, "192.0.2.1");
    cr_expect_eq(result_of(&asked), 0);
    cr_assert_gt(memory_live_count(), 0);
    blocks = memory_live_count();
    pass(1100);
    cr_expect_eq(memory_live_count(), blocks);
    ask(&asked, "one.");
    cr_expect(result_of(&asked) == 0 && question_count == 1);
    pass(4000);
    cr_expect_lt(memory_live_count(), blocks);
    end();
}

static void say(int result, const char *text)
{
    native->result = result;
    (void)snprintf(native->text, sizeof(native->text), "%s", text);
    native->node.run(scheduler, &native->node);
}

Test(resolver, asks_the_c_library)
{
    struct asked asked;
    begin(NO_FILES "{lookup,[native]}. {timeout,1000}. ");
    ask(&asked, "one.");
    turn_until(&native_count, 1);
    say(-EINVAL, "the library says");
    error_set_text("of another call");
    cr_expect_eq(result_of(&asked), -EINVAL);
    expect_text(&asked, "the library says");
    has_no_thread = true;
    ask(&asked, "one.");
    cr_expect_eq(result_of(&asked), -ENOMEM);
    expect_text(&asked, "no memory or no thread to look a name up");
    end();
}

/* Four times as long as a name server; what comes then is nobody's. */
Test(resolver, gives_the_c_library_up)
{
    struct asked asked;
    begin(NO_FILES "{lookup,[native]}. {timeout,10000}. ");
    ask(&asked, "one.");
    turn_until(&native_count, 1);
    pass(39000);
    cr_expect(!is_done(&asked) && native->asker);
    int64_t blocks = memory_live_count();
    pass(1000);
    cr_expect(is_done(&asked) && result_of(&asked) == WEIR_NXDOMAIN);
    cr_expect_null(native->asker);
    cr_expect_lt(memory_live_count(), blocks);
    blocks = memory_live_count();
    say(-EINVAL, "too late");
    cr_expect_eq(memory_live_count(), blocks - 1);
    end();
}

Test(resolver, forgets_what_the_c_library_was_asked)
{
    struct asked asked;
    begin(NO_FILES "{lookup,[native]}. {timeout,10000}. ");
    ask(&asked, "one.");
    turn_until(&native_count, 1);
    struct native *first = native;
    naming_set(&naming, config_of(NO_FILES "{lookup,[native]}. {timeout,20000}. "));
    take();
    cr_expect_null(first->asker);
    turn_until(&native_count, 2);
    first->node.run(scheduler, &first->node);
    pass(41000);
    cr_expect(!is_done(&asked), "it is a question of the new configuration");
    scheduler_stop(scheduler);
    cr_expect(is_done(&asked) && result_of(&asked) == WEIR_CLOSED);
    cr_expect_null(native->asker);
    native->node.run(scheduler, &native->node);
    end();
}

static struct look_up look_up_of_address(uint32_t address)
{
    struct look_up look_up = {.family = WEIR_INET, .address = {.family = WEIR_INET}};
    for (int i = 0; i < 4; i++)
        look_up.address.bytes[i] = (uint8_t)(address >> 8 * i);
    return look_up;
}

/* So that a home's work is that of one of many: of names without regard to case. */
Test(resolver, spreads_what_is_asked_for)
{
    static bool seen[64];
    int count = 0;
    const struct look_up lower = {.name = "name", .family = WEIR_INET};
    const struct look_up upper = {.name = "NAME", .family = WEIR_INET};
    cr_expect_eq(look_up_hash(&lower), look_up_hash(&upper));
    for (int byte = 0; byte < 4; byte++) {
        memset(seen, 0, sizeof(seen));
        count = 0;
        for (uint32_t i = 0; i < 256; i++) {
            const struct look_up look_up = look_up_of_address(i << 8 * byte);
            uint32_t home = look_up_hash(&look_up) % 64;
            count += !seen[home];
            seen[home] = true;
        }
        cr_expect_gt(count, 32, "byte %d: %d", byte, count);
    }
}

/* Who asks the same is answered with it. */
Test(resolver, asks_once_for_all_who_ask_the_same)
{
    struct asked asked[8];
    struct look_up address = look_up_of_address(1);
    begin(BY_DNS);
    ask(&asked[0], "one.");
    ask(&asked[1], "one.");
    ask(&asked[2], "two.");
    make(&asked[3], (struct look_up){.name = "one.", .family = WEIR_INET6});
    make(&asked[4], address);
    make(&asked[5], address);
    address.address.bytes[3] = 9;
    make(&asked[6], address);
    turn_until(&question_count, 5);
    turn_some();
    cr_expect_eq(question_count, 5);
    for (int i = 0; i < 5; i++)
        tell(i, NULL, 0, OUTCOME_NO_MEMORY);
    for (int i = 0; i < 7; i++)
        cr_expect_eq(result_of(&asked[i]), -ENOMEM);
    end();
}

/* Whatever they have in common. */
Test(resolver, tells_apart_what_it_is_asked_for)
{
    enum { NAMES = 40 };
    static struct asked asked[NAMES];
    static struct look_up alike[NAMES];
    int count = 0;
    const struct look_up one = {.name = "one.", .family = WEIR_INET};
    for (uint32_t i = 0; count < NAMES; i++) {
        alike[count] = look_up_of_address(i);
        count += look_up_hash(&alike[count]) % 1024 == look_up_hash(&one) % 1024;
    }
    begin(BY_DNS);
    make(&asked[0], one);
    for (int i = 1; i < NAMES; i++)
        make(&asked[i], alike[i]);
    turn_until(&question_count, NAMES);
    for (int i = 0; i < NAMES; i++)
        tell(i, NULL, 0, OUTCOME_NO_MEMORY);
    for (int i = 0; i < NAMES; i++)
        cr_expect_eq(result_of(&asked[i]), -ENOMEM);
    end();
}
