/* SPDX-License-Identifier: MIT */
#include "base/error.h"
#include "base/error_list.h"
#include "support/vectors.h"

#include <criterion/criterion.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>

enum { NAME, LINUX_ERRNO, ATOM_OF_ERRNO, TEXT, OTP_TEXT }; /* columns of posix_errors.tsv */
enum { DOCUMENT_NAME_COUNT = 138, EXTRA_NAME_COUNT = 9 };

static bool has(const char *column)
{
    return strcmp(column, "-") != 0;
}

/* The document's own text where it has one; the two names of its posix() type have OTP's. */
static const char *expected_text(const struct vector *vector)
{
    bool own = has(vector->columns[TEXT]) && vector->columns[TEXT][0] != '(';
    return vector->columns[own ? TEXT : OTP_TEXT];
}

static void check_row(const struct vector *vector)
{
    const char *name = vector->columns[NAME];
    int code = weir_error_from_name(name);
    cr_assert_lt(code, 0, "line %zu: no code for %s", vector->line, name);
    cr_expect_str_eq(weir_format_error_atom(name), expected_text(vector));
    if (has(vector->columns[LINUX_ERRNO]))
        cr_expect_eq(code, -strtol(vector->columns[LINUX_ERRNO], NULL, 10), "line %zu",
                     vector->line);
    else
        cr_expect_lt(code, -4095, "line %zu: %s must lie beyond every errno", vector->line, name);

    /* Real OTP misspells a guard and so calls errno 120 unknown; its name is eisnam. */
    bool misspelt = strcmp(name, "eisnam") == 0;
    const char *atom =
        misspelt || !has(vector->columns[ATOM_OF_ERRNO]) ? name : vector->columns[ATOM_OF_ERRNO];
    cr_expect_str_eq(weir_error_name(code), atom, "line %zu", vector->line);
    if (strcmp(atom, name) == 0)
        cr_expect_str_eq(weir_format_error(code), expected_text(vector));
}

Test(error, every_row_of_the_table)
{
    size_t count = vectors_each("posix_errors.tsv", check_row);
    cr_assert_eq(count, DOCUMENT_NAME_COUNT + EXTRA_NAME_COUNT);
}

Test(error, aliases_share_the_first_name)
{
    cr_expect_str_eq(weir_error_name(-EOPNOTSUPP), "enotsup");
    cr_expect_str_eq(weir_error_name(-EAGAIN), "eagain");
    cr_expect_str_eq(weir_error_name(-EDEADLK), "edeadlk");
    cr_expect_str_eq(weir_format_error(-EAGAIN), "resource temporarily unavailable");
    cr_expect_str_eq(weir_format_error_atom("ewouldblock"), "operation would block");
}

Test(error, named_codes_go_there_and_back)
{
#define X(name, atom)                                      \
    cr_expect_str_eq(weir_error_name(WEIR_##name), #atom); \
    cr_expect_eq(weir_error_from_name(#atom), WEIR_##name);
    WEIR_NAMED_ERRORS(X)
#undef X
}

Test(error, codes_without_a_name)
{
    static const int codes[] = {1, EINVAL, -4096, -133, -85, INT_MIN, INT_MAX};
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        cr_expect_str_eq(weir_error_name(codes[i]), "unknown", "%d", codes[i]);
        cr_expect_str_eq(weir_format_error(codes[i]), "unknown POSIX error", "%d", codes[i]);
    }
    cr_expect_eq(weir_error_from_name("no_such_atom"), 0);
    cr_expect_eq(weir_error_from_name("EINVAL"), 0);
    cr_expect_eq(weir_error_from_name(""), 0);
    cr_expect_eq(weir_error_from_name(NULL), 0);
}

Test(error, success_is_ok)
{
    cr_expect_str_eq(weir_error_name(0), "ok");
    cr_expect_str_eq(weir_error_text(0), "no error");
}

Test(error, every_error_has_a_text)
{
#define ROW(code, atom, text)                                      \
    cr_expect_str_neq(weir_error_text(code), ERROR_NO_POSIX_NAME); \
    cr_expect_str_neq(weir_error_text(code), "");
    ERROR_LIST(ROW)
#undef ROW
    cr_expect_str_eq(weir_error_text(-ECONNREFUSED), "connection refused");
    cr_expect_str_eq(weir_error_text(WEIR_CLOSED), "closed");
    cr_expect_str_eq(weir_error_text(WEIR_TIMEOUT), "timed out");
    cr_expect_str_eq(weir_error_text(WEIR_BADARG), "bad argument");
    cr_expect_str_eq(weir_error_text(12345), "unknown error");
}

Test(error, a_failure_that_says_nothing_has_a_text)
{
    cr_expect_eq(error_from("weir_recv", WEIR_TIMEOUT), WEIR_TIMEOUT);
    cr_expect_str_eq(weir_last_error_text(), "weir_recv: timed out");
    error_clear_text();
    cr_expect_str_eq(weir_last_error_text(), "");
    cr_expect_eq(error_from("weir_recv", 7), 7);
    cr_expect_str_eq(weir_last_error_text(), "");
    cr_expect_eq(error_from("weir_recv", error_say(-EINVAL, "what it is")), -EINVAL);
    cr_expect_str_eq(weir_last_error_text(), "what it is");
}

Test(error, no_atom_twice)
{
#define ROW(code, atom, text) #atom,
    static const char *const atoms[] = {ERROR_LIST(ROW)};
#undef ROW
    size_t count = sizeof(atoms) / sizeof(atoms[0]);
    for (size_t i = 0; i < count; i++)
        for (size_t j = i + 1; j < count; j++)
            cr_expect_str_neq(atoms[i], atoms[j]);
}

Test(error, text_is_kept_until_cleared)
{
    cr_expect_str_eq(weir_last_error_text(), "");
    cr_expect_eq(error_say(-EINVAL, "option %s: %d", "backlog", 7), -EINVAL);
    cr_expect_str_eq(weir_last_error_text(), "option backlog: 7");
    error_set_text(weir_last_error_text() + 7);
    cr_expect_str_eq(weir_last_error_text(), "backlog: 7");
    error_clear_text();
    cr_expect_str_eq(weir_last_error_text(), "");
}

Test(error, long_texts_are_cut)
{
    char text[3 * ERROR_TEXT_SIZE];
    memset(text, 'a', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    error_say(-EINVAL, "%s", text);
    cr_expect_eq(strlen(weir_last_error_text()), ERROR_TEXT_SIZE - 1);
    error_set_text(text);
    cr_expect_eq(strlen(weir_last_error_text()), ERROR_TEXT_SIZE - 1);
}

static void *say_elsewhere(void *text)
{
    error_say(-EINVAL, "elsewhere");
    memcpy(text, weir_last_error_text(), sizeof("elsewhere"));
    return NULL;
}

Test(error, each_thread_has_its_own_text)
{
    char elsewhere[ERROR_TEXT_SIZE] = "";
    pthread_t thread;
    error_say(-EINVAL, "here");
    cr_assert_eq(pthread_create(&thread, NULL, say_elsewhere, elsewhere), 0);
    pthread_join(thread, NULL);
    cr_expect_str_eq(elsewhere, "elsewhere");
    cr_expect_str_eq(weir_last_error_text(), "here");
}
