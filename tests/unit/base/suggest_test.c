/* SPDX-License-Identifier: MIT */
#include "base/suggest.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

static const char *nearest_to(const char *typed, size_t length)
{
    static const char *const names[] = {"packet", "packet_size", "port", "active", "exit_on_close"};
    static struct suggestion suggestion;
    suggest_begin(&suggestion, typed, length);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        suggest_look(&suggestion, names[i]);
    return suggestion.nearest ? suggestion.nearest : "none";
}

Test(suggest, what_is_near)
{
    static const char *const rows[][2] = {
        {"packt", "packet"},    {"pakcet", "packet"},
        {"packet", "packet"},   {"packetsize", "packet_size"},
        {"prot", "port"},       {"exit_on_clsoe", "exit_on_close"},
        {"x", "none"},          {"", "none"},
        {"abcdef", "none"},     {"a_name_that_is_longer_than_any_name_of_ours", "none"},
        {"activ,rest", "none"}, {"size", "none"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        cr_expect(eq(str, (char *)nearest_to(rows[i][0], strlen(rows[i][0])), (char *)rows[i][1]));
    cr_expect(eq(str, (char *)nearest_to("activ,rest", 5), (char *)"active"));
}

static const char *one_near(const char *typed, const char *name)
{
    static struct suggestion suggestion;
    suggest_begin(&suggestion, typed, strlen(typed));
    suggest_look(&suggestion, name);
    return suggestion.nearest ? suggestion.nearest : "none";
}

Test(suggest, up_to_a_length)
{
    static const char longest[] = "a_name_of_thirty_and_one_letter";
    static const char longer[] = "a_name_of_thirty_and_one_letters";
    cr_assert(sizeof(longest) == SUGGEST_LENGTH_MAX + 1);
    cr_expect(
        eq(str, (char *)one_near("a_name_of_thirty_and_one_lettre", longest), (char *)longest));
    cr_expect(eq(str, (char *)one_near(longest, longer), (char *)"none"));
    cr_expect(eq(str, (char *)one_near(longer, longest), (char *)"none"));
    cr_expect(eq(str, (char *)one_near(longer, "a"), (char *)"none"));
    cr_expect(eq(str, (char *)one_near("", "a"), (char *)"none"));
}

/* Whatever another one has left behind. */
Test(suggest, a_name_is_as_far_as_it_is_long)
{
    cr_expect(eq(str, (char *)one_near("packets", "packets"), (char *)"packets"));
    cr_expect(eq(str, (char *)one_near("x", "another"), (char *)"none"));
}

Test(suggest, as_text)
{
    char text[SUGGEST_TEXT_SIZE];
    struct suggestion suggestion;
    suggest_begin(&suggestion, "bactive", 7);
    cr_expect(eq(str, (char *)suggest_text(&suggestion, text), (char *)""));
    suggest_look(&suggestion, "active");
    cr_expect(eq(str, (char *)suggest_text(&suggestion, text), (char *)"; did you mean 'active'?"));
    suggest_look(&suggestion, "bactives");
    suggest_look(&suggestion, "bactive_");
    cr_expect(eq(str, (char *)suggest_text(&suggestion, text), (char *)"; did you mean 'active'?"));
}
