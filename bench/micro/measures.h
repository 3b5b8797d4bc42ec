/* SPDX-License-Identifier: MIT */
#ifndef MEASURES_H
#define MEASURES_H

void packets_add_measures(void);
void lines_add_measures(void);
void http_add_measures(void);

#endif
