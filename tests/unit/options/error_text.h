/* SPDX-License-Identifier: MIT */
#ifndef TESTS_UNIT_OPTIONS_ERROR_TEXT_H
#define TESTS_UNIT_OPTIONS_ERROR_TEXT_H

#include <criterion/criterion.h>
#include <string.h>
#include <weir/error.h>

static inline void expect_error_text(const char *text)
{
    cr_expect(strcmp(weir_last_error_text(), text) == 0, "\"%s\" instead of \"%s\"",
              weir_last_error_text(), text);
}

#endif
