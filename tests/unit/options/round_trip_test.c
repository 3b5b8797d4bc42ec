/* SPDX-License-Identifier: MIT */
/* Any valid list, written as text and read back, is the same list. */
#include "differential/random.h"
#include "options/word.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <weir/error.h>

enum { LISTS = 20000, LENGTH_MAX = 6, RAW_MAX = 12, TEXT_SIZE = 4096 };

/* Bytes and paths of the list at hand. */
static char pool[LENGTH_MAX][RAW_MAX + 1];

static int64_t number_within(struct random *random, int64_t least, int64_t most)
{
    uint64_t span = (uint64_t)most - (uint64_t)least + 1;
    if (random_one_in(random, 4))
        return random_one_in(random, 2) ? least : most;
    return (int64_t)((uint64_t)least + random_next(random) % span);
}

static int64_t random_word(struct random *random, const struct option_row *row)
{
    int64_t number;
    do {
        number = random_below(random, 16);
        if (row->type == OPTION_ACTIVE)
            number = WEIR_ACTIVE_FALSE + number % 3;
        if (row->type == OPTION_TIMEOUT)
            number = -1;
    } while (!word_of((enum option_type)row->type, number));
    return number;
}

static void fill(struct random *random, void *bytes, size_t size)
{
    uint8_t *byte = bytes;
    for (size_t i = 0; i < size; i++)
        byte[i] = (uint8_t)random_next(random);
}

/* Text of printable and other bytes, none of them zero. */
static void fill_text(struct random *random, char *text, size_t size)
{
    size_t length = random_below(random, (uint32_t)size);
    fill(random, text, length);
    for (size_t i = 0; i < length; i++)
        if (!text[i])
            text[i] = '"';
    text[length] = '\0';
}

/* The second group of fe80 and ff02 is read as a scope. */
static weir_address random_address(struct random *random, uint8_t family)
{
    weir_address address = {family, {0}, 0, 0};
    fill(random, address.bytes, family == WEIR_INET6 ? 16 : 4);
    if (family == WEIR_INET6 && random_one_in(random, 3))
        memcpy(address.bytes, random_one_in(random, 2) ? "\xfe\x80" : "\xff\x02", 2);
    if (memcmp(address.bytes, "\xfe\x80", 2) != 0 && memcmp(address.bytes, "\xff\x02", 2) != 0)
        return address;
    if (family == WEIR_INET6) {
        memset(address.bytes + 2, 0, 2);
        address.scope_id = random_below(random, 65536);
    }
    return address;
}

static uint8_t random_family(struct random *random)
{
    return random_one_in(random, 2) ? WEIR_INET : WEIR_INET6;
}

static weir_address random_interface(struct random *random, uint8_t family)
{
    if (family == WEIR_INET)
        return random_address(random, family);
    return (weir_address){family, {0}, 0, (uint32_t)random_next(random)};
}

static weir_address random_local(struct random *random)
{
    if (random_one_in(random, 3))
        return weir_address_of_number(random_one_in(random, 2));
    return random_address(random, random_family(random));
}

/* Of a local socket, an abstract name among them. */
static weir_option random_name(struct random *random, enum weir_option_id id, char *bytes)
{
    size_t size = random_below(random, RAW_MAX + 1);
    fill(random, bytes, size);
    return weir_option_local(id, bytes, size);
}

static weir_option random_raw(struct random *random, char *bytes)
{
    size_t size = random_below(random, RAW_MAX + 1);
    fill(random, bytes, size);
    return WEIR_RAW((int32_t)number_within(random, INT32_MIN, INT32_MAX),
                    (int32_t)number_within(random, INT32_MIN, INT32_MAX), bytes, size);
}

static weir_option random_path(struct random *random, enum weir_option_id id, char *bytes)
{
    fill_text(random, bytes + 1, RAW_MAX);
    bytes[0] = '/';
    return weir_option_path(id, bytes);
}

static weir_option random_named(struct random *random, enum weir_option_id id)
{
    char name[WEIR_OPTION_NAME_SIZE];
    fill_text(random, name, sizeof(name));
    return weir_option_name_value(id, name);
}

static weir_option random_option(struct random *random, char *bytes)
{
    enum weir_option_id id = (enum weir_option_id)(1 + random_below(random, WEIR_OPTION_COUNT - 1));
    const struct option_row *row = &option_rows[id];
    uint8_t family = random_family(random);
    bool on = random_one_in(random, 2);
    switch (row->type) {
    case OPTION_INTEGER:
        return weir_option_number(id, number_within(random, row->least, row->most));
    case OPTION_TIMEOUT:
    case OPTION_ACTIVE:
        if (on)
            return weir_option_number(id, number_within(random, row->least, row->most));
        return weir_option_number(id, random_word(random, row));
    case OPTION_FLAG:
        return weir_option_number(id, 1);
    case OPTION_ADDRESS:
        return random_one_in(random, 3) ? random_name(random, id, bytes)
                                        : weir_option_address(id, random_local(random));
    case OPTION_INTERFACE:
        return weir_option_address(id, random_interface(random, family));
    case OPTION_MEMBERSHIP:
        return weir_option_membership(id, random_address(random, family),
                                      random_interface(random, family));
    case OPTION_LINGER:
        return WEIR_LINGER(on, (int32_t)number_within(random, 0, INT32_MAX));
    case OPTION_NAME:
        return random_named(random, id);
    case OPTION_PATH:
        return random_path(random, id, bytes);
    case OPTION_RAW:
        return random_raw(random, bytes);
    default:
        return weir_option_number(id, random_word(random, row));
    }
}

/* Of any bytes: most have no text. */
static weir_option hostile_option(struct random *random, char *bytes)
{
    weir_option option = random_option(random, bytes);
    switch (option_rows[option.id].type) {
    case OPTION_ADDRESS:
        if (option.value.address.family == WEIR_LOCAL) {
            option.value.local.name = random_one_in(random, 2) ? NULL : option.value.local.name;
            break;
        }
        /* fall through */
    case OPTION_INTERFACE:
        option.value.address.family =
            (uint8_t[]){0, WEIR_INET, WEIR_INET6}[random_below(random, 3)];
        option.value.address.scope_id = random_below(random, 3) * 40000;
        fill(random, option.value.address.bytes + random_below(random, 16), 1);
        break;
    case OPTION_LINGER:
        option.value.linger.seconds = (int32_t)random_next(random);
        break;
    case OPTION_RAW:
        option.value.raw.bytes = random_one_in(random, 2) ? NULL : option.value.raw.bytes;
        break;
    case OPTION_NAME:
    case OPTION_PATH:
    case OPTION_MEMBERSHIP:
    case OPTION_FLAG:
        break;
    default:
        option.value.number += (int64_t)random_below(random, 9) - 4;
    }
    return option;
}

static bool same_raw(const weir_raw *a, const weir_raw *b)
{
    return a->level == b->level && a->number == b->number && a->size == b->size &&
           (a->size == 0 || memcmp(a->bytes, b->bytes, a->size) == 0);
}

static bool same_name(const weir_local_name *a, const weir_local_name *b)
{
    return a->size == b->size && (a->size == 0 || memcmp(a->name, b->name, a->size) == 0);
}

static bool same_address(const weir_address *a, const weir_address *b)
{
    return a->family == b->family && a->scope_id == b->scope_id && a->port == b->port &&
           memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

static bool same(const weir_option *a, const weir_option *b)
{
    if (a->id != b->id)
        return false;
    switch (option_rows[a->id].type) {
    case OPTION_ADDRESS:
        if (a->value.address.family == WEIR_LOCAL && b->value.address.family == WEIR_LOCAL)
            return same_name(&a->value.local, &b->value.local);
        return same_address(&a->value.address, &b->value.address);
    case OPTION_INTERFACE:
        return same_address(&a->value.address, &b->value.address);
    case OPTION_MEMBERSHIP:
        return a->value.membership.family == b->value.membership.family &&
               a->value.membership.index == b->value.membership.index &&
               memcmp(a->value.membership.group, b->value.membership.group, 16) == 0;
    case OPTION_LINGER:
        return a->value.linger.on == b->value.linger.on &&
               a->value.linger.seconds == b->value.linger.seconds;
    case OPTION_NAME:
        return strcmp(a->value.name, b->value.name) == 0;
    case OPTION_PATH:
        return strcmp(a->value.path, b->value.path) == 0;
    case OPTION_RAW:
        return same_raw(&a->value.raw, &b->value.raw);
    default:
        return a->value.number == b->value.number;
    }
}

/* Bytes behind an inet address do not count. */
static void forget_what_does_not_count(weir_option *option)
{
    unsigned type = option_rows[option->id].type;
    weir_address *address = &option->value.address;
    if (type != OPTION_ADDRESS && type != OPTION_INTERFACE)
        return;
    if (address->family == WEIR_INET)
        memset(address->bytes + 4, 0, 12);
    if (type == OPTION_INTERFACE && address->family == WEIR_INET6)
        memset(address->bytes, 0, 16);
    if (type == OPTION_INTERFACE && address->family == WEIR_INET)
        address->scope_id = 0;
}

static void round_trip(const weir_option *options, size_t length, uint64_t seed)
{
    static char text[TEXT_SIZE];
    weir_option *read_back;
    int size = weir_options_format(options, text, sizeof(text));
    cr_assert(size > 0 && size < TEXT_SIZE, "seed %" PRIu64 ": %d", seed, size);
    int result = weir_options_parse(text, &read_back);
    cr_assert(result == 0, "seed %" PRIu64 ": %s: %s", seed, text, weir_last_error_text());
    for (size_t i = 0; i <= length; i++)
        cr_assert(i < length ? same(&options[i], &read_back[i]) : !option_follows(&read_back[i]),
                  "seed %" PRIu64 ": element %zu of %s", seed, i, text);
    weir_options_free(read_back);
}

static uint64_t chosen_seed(void)
{
    const char *given = getenv("WEIR_SEED");
    uint64_t seed = given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);
    printf("WEIR_SEED=%" PRIu64 "\n", seed);
    return seed;
}

Test(round_trip, any_list)
{
    uint64_t seed = chosen_seed();
    struct random random = {seed};
    for (int list = 0; list < LISTS; list++) {
        weir_option options[LENGTH_MAX + 1];
        size_t length = random_below(&random, LENGTH_MAX + 1);
        for (size_t i = 0; i < length; i++)
            options[i] = random_option(&random, pool[i]);
        options[length] = WEIR_REQUEST(END);
        round_trip(options, length, seed);
    }
}

Test(round_trip, whatever_format_takes)
{
    uint64_t seed = chosen_seed();
    struct random random = {seed};
    int taken = 0;
    for (int list = 0; list < LISTS; list++) {
        weir_option options[2] = {hostile_option(&random, pool[0]), WEIR_REQUEST(END)};
        forget_what_does_not_count(options);
        if (weir_options_format(options, NULL, 0) < 0)
            continue;
        taken++;
        round_trip(options, 1, seed);
    }
    cr_assert(taken > LISTS / 10 && taken < LISTS, "%d", taken);
}
