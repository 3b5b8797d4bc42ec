/* SPDX-License-Identifier: MIT */
#include "load/outcome.h"

static const struct {
    const char *name;
    const char *text;
} rows[OUTCOME_COUNT] = {
    [OUTCOME_OK] = {"ok", "answered"},
    [OUTCOME_TIMEOUT] = {"timeout", "no reply in time"},
    [OUTCOME_UNSENT] = {"unsent", "no connection free in time"},
    [OUTCOME_CLOSED] = {"closed", "closed by the server"},
    [OUTCOME_RESET] = {"reset", "connection broken"},
    [OUTCOME_CONTENT] = {"content", "wrong content or order"},
    [OUTCOME_FRAMING] = {"framing", "wrong framing"},
    [OUTCOME_STATUS] = {"status", "unexpected status"},
};

const char *outcome_name(enum outcome outcome)
{
    return rows[outcome].name;
}

const char *outcome_text(enum outcome outcome)
{
    return rows[outcome].text;
}
