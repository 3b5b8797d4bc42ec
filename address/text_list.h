/* SPDX-License-Identifier: MIT */
/* A list of texts that owns them. */
#ifndef ADDRESS_TEXT_LIST_H
#define ADDRESS_TEXT_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct text_list {
    char **texts;
    size_t count;
    size_t room;
};

/* 0 or -ENOMEM; then the list is as it was. */
int text_list_append(struct text_list *list, const char *text);
int text_list_copy(struct text_list *to, const struct text_list *from);

/* Every text that is exactly this one. */
void text_list_remove(struct text_list *list, const char *text);

void text_list_clear(struct text_list *list);

#endif
