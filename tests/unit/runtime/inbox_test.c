/* SPDX-License-Identifier: MIT */
#include "runtime/scheduler/inbox.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <weir/error.h>

enum { POSTERS = 4, POSTS = 20000 };

struct numbered {
    struct inbox_node node;
    uint32_t poster;
    uint32_t number;
};

static struct inbox inbox;
static struct numbered posts[POSTERS][POSTS];

static bool rings(void)
{
    struct pollfd bell = {inbox.bell, POLLIN, 0};
    return poll(&bell, 1, 0) == 1;
}

/* How often it was rung. */
static uint64_t drain(void)
{
    uint64_t count;
    cr_assert(read(inbox.bell, &count, sizeof(count)) == sizeof(count));
    return count;
}

Test(inbox, gives_what_was_posted_in_order)
{
    struct inbox_node nodes[3];
    memset(&inbox, 0xFF, sizeof(inbox));
    cr_assert(inbox_open(&inbox) == 0);
    cr_assert(inbox_is_empty(&inbox) && inbox_take(&inbox) == NULL);
    for (int i = 0; i < 3; i++)
        inbox_post(&inbox, &nodes[i]);
    cr_assert(!inbox_is_empty(&inbox));
    struct inbox_node *node = inbox_take(&inbox);
    for (int i = 0; i < 3; i++, node = node->next)
        cr_assert(node == &nodes[i]);
    cr_assert(node == NULL && inbox_is_empty(&inbox));
    inbox_close(&inbox);
}

Test(inbox, rings_only_for_a_sleeper)
{
    struct inbox_node node;
    memset(&inbox, 0xFF, sizeof(inbox));
    cr_assert(inbox_open(&inbox) == 0);
    inbox_post(&inbox, &node);
    cr_assert(!rings());
    cr_assert(!inbox_begin_sleep(&inbox), "it would have slept through a post");
    inbox_wake(&inbox);
    cr_assert(!rings(), "it does not sleep");
    cr_assert(inbox_take(&inbox) == &node);
    cr_assert(inbox_begin_sleep(&inbox));
    inbox_post(&inbox, &node);
    cr_assert(rings());
    inbox_wake(&inbox);
    cr_assert(drain() == 1, "it has been woken up already");
    inbox_end_sleep(&inbox);
    cr_assert(!rings());
    inbox_wake(&inbox); /* awake: no need */
    cr_assert(!rings());
    cr_assert(inbox_take(&inbox) == &node && inbox_begin_sleep(&inbox));
    inbox_end_sleep(&inbox); /* something else has woken it up */
    inbox_wake(&inbox);
    cr_assert(!rings());
    inbox_close(&inbox);
}

/* Any descriptor will do, also the first. */
Test(inbox, needs_a_descriptor)
{
    struct rlimit before;
    close(STDIN_FILENO);
    cr_assert_eq(inbox_open(&inbox), 0);
    cr_expect_eq(inbox.bell, 0);
    cr_expect_str_eq(weir_last_error_text(), "");
    inbox_close(&inbox);
    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
    const struct rlimit none = {0, before.rlim_max};
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
    cr_expect_eq(inbox_open(&inbox), -EMFILE);
    cr_expect_not_null(strstr(weir_last_error_text(), "ulimit -n"));
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
}

static void *post_all(void *data)
{
    struct numbered *mine = data;
    for (uint32_t i = 0; i < POSTS; i++)
        inbox_post(&inbox, &mine[i].node);
    return NULL;
}

/* A reader that sleeps whenever it may: nothing is lost, and each poster's posts stay in order. */
Test(inbox, many_posters_one_reader)
{
    pthread_t threads[POSTERS];
    uint32_t next[POSTERS] = {0};
    uint32_t total = 0;
    cr_assert(inbox_open(&inbox) == 0);
    for (uint32_t p = 0; p < POSTERS; p++) {
        for (uint32_t i = 0; i < POSTS; i++)
            posts[p][i] = (struct numbered){.poster = p, .number = i};
        pthread_create(&threads[p], NULL, post_all, posts[p]);
    }
    while (total < POSTERS * POSTS) {
        struct inbox_node *node = inbox_take(&inbox);
        if (!node && inbox_begin_sleep(&inbox)) {
            struct pollfd bell = {inbox.bell, POLLIN, 0};
            cr_assert(poll(&bell, 1, 60000) == 1, "slept through a post, after %u", total);
            inbox_end_sleep(&inbox);
            (void)drain();
        }
        for (struct inbox_node *following; node; node = following, total++) {
            struct numbered *numbered = (struct numbered *)node;
            following = node->next;
            cr_assert(numbered->number == next[numbered->poster]++);
        }
    }
    for (uint32_t p = 0; p < POSTERS; p++)
        pthread_join(threads[p], NULL);
    inbox_close(&inbox);
}
