/* SPDX-License-Identifier: MIT */
/* The text beside an error code, one per thread. */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <stdbool.h>
#include <weir/error.h>

/* Notes what weir_last_error_text says, and returns `error`. */
int error_say(int error, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Returns a call's result. When that is an error, and nothing is said of it until somebody asks,
 * the text is "CALL: " and weir_error_text's. */
int error_from(const char *call, int result);

/* Whether anything has been said since the text was cleared. */
bool error_is_said(void);

enum { ERROR_TEXT_SIZE = 160 };

/* Carry a text from one thread to another, as when a scheduler did the call. */
void error_copy_text(char text[ERROR_TEXT_SIZE]);
void error_set_text(const char *text);
void error_clear_text(void);

#endif
