/* SPDX-License-Identifier: MIT */
/* What becomes of a request. All but OK are failures, each with a row of its own in the results. */
#ifndef LOAD_OUTCOME_H
#define LOAD_OUTCOME_H

enum outcome {
    OUTCOME_OK,
    OUTCOME_TIMEOUT, /* sent, no whole reply in time */
    OUTCOME_UNSENT,  /* no connection had room for it in time */
    OUTCOME_CLOSED,  /* the server closed the connection first */
    OUTCOME_RESET,   /* the connection broke */
    OUTCOME_CONTENT, /* another reply than was expected, or in another order */
    OUTCOME_FRAMING, /* no reply of the protocol */
    OUTCOME_STATUS,  /* an HTTP status that was not expected */
    OUTCOME_COUNT
};

/* "timeout", as in JSON; "no reply in time", as in text. */
const char *outcome_name(enum outcome outcome);
const char *outcome_text(enum outcome outcome);

#endif
