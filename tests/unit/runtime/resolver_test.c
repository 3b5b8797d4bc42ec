/* SPDX-License-Identifier: MIT */
/* Look-ups of one scheduler: what they ask, what counts as an answer, and what there is no memory
 * for. */
#include "lone_resolver.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "address/hostent.h"

static void expect_text(const struct asked *asked, const char *text)
{
    cr_expect_str_eq(asked->text, text);
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
    lone_ask(asked, name);
    (void)lone_result_of(asked);
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
        lone_begin(terms);
        reached = ask_without(nth, &asked, "seven");
        int result = asked.look_up.call.result;
        cr_expect(result == 0 || (result == -ENOMEM && reached), "%lu: %d", nth, result);
        failed += result == -ENOMEM;
        lone_ask(&asked, "eight");
        cr_expect_eq(lone_result_of(&asked), 0, "after allocation %lu", nth);
        lone_ask(&asked, "far.");
        lone_turn_until(&question_count, 1);
        cr_expect_eq(questions[0].server, 9, "after allocation %lu", nth);
        lone_answer(0, 0, "192.0.2.1");
        cr_expect_eq(lone_result_of(&asked), 0);
        lone_end();
        cr_expect_eq(memory_live_count(), blocks, "after allocation %lu", nth);
    }
    cr_expect_gt(failed, 10);
    unlink(hosts);
    unlink(servers);
}

Test(resolver, needs_a_slot)
{
    struct asked asked;
    int64_t blocks = memory_live_count();
    lone_begin(terms_of_files());
    has_no_slot = true;
    lone_ask(&asked, "seven");
    cr_expect(lone_is_done(&asked) && lone_result_of(&asked) == -ENOMEM);
    expect_text(&asked, "no memory to look a name up");
    has_no_slot = false;
    lone_ask(&asked, "seven");
    cr_expect_eq(lone_result_of(&asked), 0);
    lone_end();
    cr_expect_eq(memory_live_count(), blocks);
    unlink(hosts);
    unlink(servers);
}

/* Not what servers have said that are not asked any more. */
Test(resolver, remembers_what_its_servers_have_said)
{
    struct asked asked;
    lone_begin(terms_of_files());
    for (int i = 0; i < 2; i++) {
        lone_ask(&asked, "far.");
        lone_turn_until(&question_count, 1);
        if (i == 0)
            lone_answer(0, 0, "192.0.2.1");
        cr_expect_eq(lone_result_of(&asked), 0);
    }
    cr_expect_eq(question_count, 1);
    write_file(servers, "nameserver 127.0.0.8\n");
    lone_turn_some();
    lone_ask(&asked, "far.");
    lone_turn_until(&question_count, 2);
    cr_expect_eq(questions[1].server, 8);
    lone_answer(1, 0, "192.0.2.1");
    cr_expect_eq(lone_result_of(&asked), 0);
    lone_end();
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
        lone_begin(BY_DNS);
        lone_ask(&asked[0], "one.");
        lone_ask(&asked[1], "two.");
        lone_turn_until(&question_count, 2);
        lone_tell(1, NULL, 0, OUTCOME_UNREACHABLE);
        naming_set(&naming, lone_config_of(terms));
        uint64_t before = memory_allocation_count();
        memory_fail_nth(nth);
        take();
        memory_fail_nth(0);
        reached = memory_allocation_count() - before >= nth;
        cr_expect(!lone_is_wanted(0) && !lone_is_wanted(1));
        for (int i = 0; reached && i < 2; i++) {
            cr_assert(lone_is_done(&asked[i]), "without allocation %lu", nth);
            cr_expect_eq(lone_result_of(&asked[i]), -ENOMEM);
            expect_text(&asked[i], "no memory to look a name up");
        }
        lone_ask(&asked[2], "eight");
        cr_expect_eq(lone_result_of(&asked[2]), 0, "after allocation %lu", nth);
        lone_pass(100000);
        lone_end();
    }
    unlink(hosts);
    unlink(servers);
}

/* The one that is there already changes nothing; nor does any where nobody has looked up. */
Test(resolver, takes_another_configuration)
{
    struct asked asked;
    lone_begin(BY_DNS);
    take();
    lone_ask(&asked, "one.");
    lone_turn_until(&question_count, 1);
    take();
    lone_turn_some();
    cr_expect(question_count == 1 && lone_is_wanted(0));
    naming_set(&naming, lone_config_of(NO_FILES "{lookup,[dns]}. {nameserver,{127,0,0,2}}. "));
    take();
    cr_expect(!lone_is_wanted(0));
    lone_turn_until(&question_count, 2);
    cr_expect_eq(questions[1].server, 2);
    lone_answer(1, 0, "192.0.2.1");
    cr_expect_eq(lone_result_of(&asked), 0);
    lone_end();
}

/* Those who wait are told, and whoever comes then. */
Test(resolver, ends_with_its_scheduler)
{
    struct asked asked[3];
    struct naming_call take = {.naming = &naming};
    lone_begin(BY_DNS);
    lone_ask(&asked[0], "one.");
    lone_turn_until(&question_count, 1);
    lone_ask(&asked[1], "two.");
    error_set_text("of another call");
    scheduler_stop(scheduler);
    lone_ask(&asked[2], "three.");
    for (int i = 0; i < 3; i++)
        cr_expect(lone_is_done(&asked[i]) && lone_result_of(&asked[i]) == WEIR_CLOSED &&
                      !*asked[i].text,
                  "%d: %s", i, asked[i].text);
    cr_expect(!lone_is_wanted(0) && question_count == 1);
    cr_expect_eq(operation_take_naming.run(scheduler, NULL, &take.call), WEIR_CLOSED);
    lone_end();
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
        lone_begin(terms);
        lone_ask(&asked, "a.b");
        lone_turn_until(&question_count, 1);
        lone_pass(61000);
        lone_turn_until(&question_count, 2);
        cr_expect_str_eq(questions[1].name, i == 5 ? "a.b.test" : "a.b");
        if (late[i].size > 0)
            lone_tell(0, zeroes, late[i].size, OUTCOME_TIMEOUT);
        else
            lone_answer(0, late[i].code, late[i].code ? NULL : "192.0.2.1");
        lone_turn_some();
        cr_expect_eq(lone_is_done(&asked) || question_count == 3, late[i].counts, "row %zu", i);
        if (!late[i].counts) {
            lone_answer(1, 0, "192.0.2.2");
            cr_expect_eq(lone_result_of(&asked), 0, "row %zu", i);
        }
        if (late[i].counts && lone_is_done(&asked))
            (void)lone_result_of(&asked);
        lone_end();
    }
}

/* A server that has failed is left alone for a while; one that is too late is no failure of it. */
Test(resolver, asks_again_when_it_may)
{
    struct asked asked;
    lone_begin(BY_DNS "{nameserver,{127,0,0,2}}. {timeout,1000}. {retry,2}. "
                      "{servfail_retry_timeout,20000}. ");
    lone_ask(&asked, "one.");
    lone_turn_until(&question_count, 1);
    lone_answer(0, ns_r_servfail, NULL);
    lone_turn_until(&question_count, 2);
    cr_expect_eq(questions[1].server, 2);
    lone_pass(1000);
    lone_pass(18000);
    cr_expect(question_count == 2 && native_count == 0);
    lone_pass(1100);
    cr_assert_eq(question_count, 3);
    cr_expect_eq(questions[2].server, 1);
    lone_pass(1100);
    cr_assert_eq(question_count, 4);
    cr_expect_eq(questions[3].server, 2);
    lone_answer(3, 0, "192.0.2.1");
    cr_expect_eq(lone_result_of(&asked), 0);
    lone_end();
}

/* Nothing is waited for then until it has gone on. */
Test(resolver, counts_what_comes_first)
{
    struct asked asked;
    lone_begin(BY_DNS "{timeout,60000}. {retry,2}. ");
    lone_ask(&asked, "one.");
    lone_turn_until(&question_count, 1);
    lone_pass(31000);
    lone_turn_until(&question_count, 2);
    lone_answer(1, ns_r_nxdomain, NULL);
    lone_answer(0, 0, "192.0.2.1");
    cr_expect_eq(lone_result_of(&asked), WEIR_NXDOMAIN);
    expect_text(&asked, "host 'one.': nobody knows it");
    lone_end();
}

/* Whatever others have said meanwhile. */
Test(resolver, says_why_there_is_no_answer)
{
    struct asked asked;
    lone_begin(BY_DNS);
    lone_ask(&asked, "one.");
    lone_turn_until(&question_count, 1);
    lone_tell(0, NULL, 0, OUTCOME_NO_MEMORY);
    error_set_text("of another call");
    cr_expect_eq(lone_result_of(&asked), -ENOMEM);
    expect_text(&asked, "no memory to ask a name server");
    lone_ask(&asked, "three.");
    lone_turn_until(&question_count, 2);
    error_set_text("of another call");
    memory_fail_nth(1);
    lone_answer(1, 0, "192.0.2.1");
    memory_fail_nth(0);
    cr_expect_eq(lone_result_of(&asked), -ENOMEM);
    expect_text(&asked, "");
    cannot_ask = true;
    lone_ask(&asked, "two.");
    cr_expect_eq(lone_result_of(&asked), -ENOMEM);
    expect_text(&asked, "no memory to ask a name server");
    lone_end();
}

static void remember(const char *name)
{
    struct asked asked;
    lone_ask(&asked, name);
    lone_turn_until(&question_count, question_count + 1);
    lone_answer(question_count - 1, 0, "192.0.2.1");
    cr_expect_eq(lone_result_of(&asked), 0);
}

/* An answer for as long as it is good: the memory comes back then, whether anybody asks or not. */
Test(resolver, remembers_for_a_while)
{
    struct asked asked;
    lone_begin(BY_DNS "{cache_refresh,3000}. {host,{10,0,0,7},[\"seven\"]}. {lookup,[file,dns]}. ");
    lone_ask(&asked, "seven");
    cr_expect_eq(lone_result_of(&asked), 0);
    cr_expect_eq(refreshes, 0, "nothing is remembered");
    remember("one.");
    int64_t blocks = memory_live_count();
    cr_expect_eq(refreshes, 1, "%d", refreshes);
    lone_pass(REFRESH_MS);
    cr_expect(refreshes == 2 && memory_live_count() == blocks);
    lone_pass(REFRESH_MS);
    cr_expect(refreshes == 2 && memory_live_count() < blocks);
    lone_end();
}

/* What is remembered next is looked at when that says. */
Test(resolver, remembers_as_the_configuration_says)
{
    lone_begin(BY_DNS "{cache_refresh,100000000}. ");
    remember("one.");
    naming_set(&naming, lone_config_of(BY_DNS "{cache_refresh,3000}. "));
    take();
    remember("one.");
    cr_expect_eq(refreshes, 1, "%d", refreshes);
    int64_t blocks = memory_live_count();
    lone_pass(2 * REFRESH_MS);
    cr_expect_lt(memory_live_count(), blocks);
    lone_end();
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
    const weir_address found = {.family = WEIR_INET, .bytes = {192, 0, 2, 1}};
    lone_begin(NO_FILES "{lookup,[native]}. {timeout,1000}. ");
    lone_ask(&asked, "one.");
    lone_turn_until(&native_count, 1);
    native->hostent = hostent_create("one", NULL, 0, &found, 1);
    say(0, "");
    cr_expect_eq(lone_result_of(&asked), 0);
    native_count = 0;
    lone_ask(&asked, "one.");
    lone_turn_until(&native_count, 1);
    say(-EINVAL, "the library says");
    error_set_text("of another call");
    cr_expect_eq(lone_result_of(&asked), -EINVAL);
    expect_text(&asked, "the library says");
    has_no_thread = true;
    lone_ask(&asked, "one.");
    cr_expect_eq(lone_result_of(&asked), -ENOMEM);
    expect_text(&asked, "no memory or no thread to look a name up");
    lone_end();
}

/* Four times as long as a name server; what comes then is nobody's. */
Test(resolver, gives_the_c_library_up)
{
    struct asked asked;
    lone_begin(NO_FILES "{lookup,[native]}. {timeout,10000}. ");
    lone_ask(&asked, "one.");
    lone_turn_until(&native_count, 1);
    lone_pass(39000);
    cr_expect(!lone_is_done(&asked) && native->asker);
    int64_t blocks = memory_live_count();
    lone_pass(1000);
    cr_expect(lone_is_done(&asked) && lone_result_of(&asked) == WEIR_NXDOMAIN);
    cr_expect_null(native->asker);
    cr_expect_lt(memory_live_count(), blocks);
    blocks = memory_live_count();
    say(-EINVAL, "too late");
    cr_expect_eq(memory_live_count(), blocks - 1);
    lone_end();
}

/* Others are asked meanwhile. */
Test(resolver, goes_on_without_the_c_library)
{
    struct asked asked;
    lone_begin(BY_DNS "{lookup,[native,dns]}. {timeout,10000}. ");
    lone_ask(&asked, "one.");
    lone_turn_until(&native_count, 1);
    lone_pass(40000);
    lone_turn_until(&question_count, 1);
    say(-EINVAL, "too late");
    lone_answer(0, 0, "192.0.2.1");
    cr_expect_eq(lone_result_of(&asked), 0);
    lone_end();
}

Test(resolver, forgets_what_the_c_library_was_asked)
{
    struct asked asked;
    lone_begin(NO_FILES "{lookup,[native]}. {timeout,10000}. ");
    lone_ask(&asked, "one.");
    lone_turn_until(&native_count, 1);
    struct native *first = native;
    naming_set(&naming, lone_config_of(NO_FILES "{lookup,[native]}. {timeout,20000}. "));
    take();
    cr_expect_null(first->asker);
    lone_turn_until(&native_count, 2);
    first->node.run(scheduler, &first->node);
    lone_pass(41000);
    cr_expect(!lone_is_done(&asked), "it is a question of the new configuration");
    scheduler_stop(scheduler);
    cr_expect(lone_is_done(&asked) && lone_result_of(&asked) == WEIR_CLOSED);
    cr_expect_null(native->asker);
    native->node.run(scheduler, &native->node);
    lone_end();
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
    lone_begin(BY_DNS);
    lone_ask(&asked[0], "one.");
    lone_ask(&asked[1], "one.");
    lone_ask(&asked[2], "two.");
    lone_make(&asked[3], (struct look_up){.name = "one.", .family = WEIR_INET6});
    lone_make(&asked[4], address);
    lone_make(&asked[5], address);
    address.address.bytes[3] = 9;
    lone_make(&asked[6], address);
    lone_turn_until(&question_count, 5);
    lone_turn_some();
    cr_expect_eq(question_count, 5);
    for (int i = 0; i < 5; i++)
        lone_tell(i, NULL, 0, OUTCOME_NO_MEMORY);
    for (int i = 0; i < 7; i++)
        cr_expect_eq(lone_result_of(&asked[i]), -ENOMEM);
    lone_end();
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
    lone_begin(BY_DNS);
    for (int i = 0; i < NAMES; i++)
        lone_make(&asked[i], i == NAMES / 2 ? one : alike[i]);
    lone_turn_until(&question_count, NAMES);
    for (int i = 0; i < NAMES; i++)
        lone_tell(i, NULL, 0, OUTCOME_NO_MEMORY);
    for (int i = 0; i < NAMES; i++)
        cr_expect_eq(lone_result_of(&asked[i]), -ENOMEM);
    lone_end();
}

/* One step of one of them a turn: to take it up, and to answer it. */
Test(resolver, lets_others_have_their_turn)
{
    enum { STEPS = 2 };
    struct asked asked[4];
    lone_begin(NO_FILES "{lookup,[file]}. {host,{10,0,0,7},[\"seven\"]}. ");
    for (int i = 0; i < 4; i++)
        lone_ask(&asked[i], i % 2 ? "seven" : "seven.");
    for (int turn = 1; turn < STEPS * 2; turn++) {
        int done = 0;
        scheduler_turn(scheduler);
        for (int i = 0; i < 4; i++)
            done += lone_is_done(&asked[i]);
        cr_expect_leq(done, turn / STEPS, "turn %d: %d", turn, done);
    }
    for (int i = 0; i < 4; i++)
        (void)lone_result_of(&asked[i]);
    lone_end();
}

/* What is found then is nobody's. */
Test(resolver, is_waited_for_as_long_as_was_said)
{
    struct asked asked;
    lone_begin(BY_DNS "{timeout,60000}. ");
    lone_make(&asked,
              (struct look_up){.name = "one.", .family = WEIR_INET, .call.timeout_ms = 30000});
    lone_turn_until(&question_count, 1);
    cr_expect(!lone_is_done(&asked));
    lone_pass(31000);
    cr_expect(lone_is_done(&asked) && lone_result_of(&asked) == WEIR_TIMEOUT);
    lone_answer(question_count - 1, 0, "192.0.2.1");
    lone_turn_some();
    cr_expect_eq(lone_result_of(&asked), WEIR_TIMEOUT);
    lone_end();
}
