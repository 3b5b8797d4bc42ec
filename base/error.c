/* SPDX-License-Identifier: MIT */
#include "base/error.h"

#include "base/error_list.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

struct error_row {
    int code;
    const char *atom;
    const char *text;
};

#define ROW(code, atom, text) {code, #atom, text},
static const struct error_row rows[] = {ERROR_LIST(ROW)};
#undef ROW

enum { ROW_COUNT = sizeof(rows) / sizeof(rows[0]) };

/* What the document has no text for: it counts no POSIX names among these. */
static const struct error_row more[] = {
    {0, "ok", "no error"},
    {-ECANCELED, "ecanceled", "operation canceled"},
    {-EILSEQ, "eilseq", "illegal byte sequence"},
    {WEIR_CLOSED, "closed", "closed"},
    {WEIR_TIMEOUT, "timeout", "timed out"},
    {WEIR_NOT_OWNER, "not_owner", "not the owner"},
    {WEIR_BADARG, "badarg", "bad argument"},
    {WEIR_UNKNOWN, "unknown", "unknown error"},
    {WEIR_KILLED, "killed", "killed"},
    {WEIR_NOPROC, "noproc", "no such process"},
};

static const struct error_row none = {0, "unknown", ERROR_NO_POSIX_NAME};

/* Cleared by every call: initial-exec, so that it is one store in the shared library too. */
static _Thread_local char last_text[ERROR_TEXT_SIZE] __attribute__((tls_model("initial-exec")));

/* What the text is made of when it is asked for and nothing has been said: a busy socket's sends
 * fail often. */
static _Thread_local const char *last_call __attribute__((tls_model("initial-exec")));
static _Thread_local int last_error __attribute__((tls_model("initial-exec")));

static const struct error_row *row_of_code(int code)
{
    for (size_t i = 0; i < ROW_COUNT; i++)
        if (rows[i].code == code)
            return &rows[i];
    return &none;
}

static const struct error_row *row_of_atom(const char *atom)
{
    for (size_t i = 0; atom && i < ROW_COUNT; i++)
        if (strcmp(rows[i].atom, atom) == 0)
            return &rows[i];
    return &none;
}

const char *weir_error_name(int error)
{
    return error == 0 ? "ok" : row_of_code(error)->atom;
}

const char *weir_format_error(int error)
{
    return row_of_code(error)->text;
}

const char *weir_error_text(int error)
{
    for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++)
        if (more[i].code == error)
            return more[i].text;
    const struct error_row *row = row_of_code(error);
    return row == &none ? "unknown error" : row->text;
}

const char *weir_format_error_atom(const char *atom)
{
    return row_of_atom(atom)->text;
}

int weir_error_from_name(const char *atom)
{
    return row_of_atom(atom)->code;
}

const char *weir_last_error_text(void)
{
    if (!last_text[0] && last_error)
        snprintf(last_text, sizeof(last_text), "%s: %s", last_call, weir_error_text(last_error));
    return last_text;
}

int error_say(int error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(last_text, sizeof(last_text), format, arguments);
    va_end(arguments);
    return error;
}

int error_from(const char *call, int result)
{
    last_call = call;
    last_error = result < 0 ? result : 0;
    return result;
}

bool error_is_said(void)
{
    return last_text[0] != '\0';
}

void error_copy_text(char text[ERROR_TEXT_SIZE])
{
    memcpy(text, last_text, ERROR_TEXT_SIZE);
}

/* The text may be this thread's own. */
void error_set_text(const char *text)
{
    size_t size = strnlen(text, sizeof(last_text) - 1);
    memmove(last_text, text, size);
    last_text[size] = '\0';
}

void error_clear_text(void)
{
    last_text[0] = '\0';
    last_error = 0;
}
