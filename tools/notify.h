/* SPDX-License-Identifier: MIT */
/* Telling systemd how it stands, by the socket of NOTIFY_SOCKET; nobody is told without it. */
#ifndef TOOLS_NOTIFY_H
#define TOOLS_NOTIFY_H

/* "STOPPING=1\n": lines of VARIABLE=VALUE. 0, or an error with its text: the service goes
 * on all the same. */
int notify_say(const char *state);

/* It serves; this process is the service, also when another one was. */
int notify_ready(void);

#endif
