/* SPDX-License-Identifier: MIT */
/* weir load --selftest: whether what is reported is what follows by arithmetic. */
#ifndef LOAD_SELFTEST_H
#define LOAD_SELFTEST_H

/* An exit status: 0 when each scene gives what follows and the control does not. */
int selftest_run(void);

#endif
