/* SPDX-License-Identifier: MIT */
#include "address/text_list.h"

#include <errno.h>
#include <string.h>

#include "base/memory.h"

static int grow(struct text_list *list)
{
    size_t room = list->room ? 2 * list->room : 4;
    char **larger = memory_resize(list->texts, room * sizeof(*larger));
    if (!larger)
        return -ENOMEM;
    list->texts = larger;
    list->room = room;
    return 0;
}

int text_list_append(struct text_list *list, const char *text)
{
    if (list->count == list->room && grow(list) < 0)
        return -ENOMEM;
    char *copy = memory_copy_text(text);
    if (!copy)
        return -ENOMEM;
    list->texts[list->count++] = copy;
    return 0;
}

int text_list_copy(struct text_list *to, const struct text_list *from)
{
    *to = (struct text_list){0};
    for (size_t i = 0; i < from->count; i++)
        if (text_list_append(to, from->texts[i]) < 0) {
            text_list_clear(to);
            return -ENOMEM;
        }
    return 0;
}

void text_list_remove(struct text_list *list, const char *text)
{
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->texts[i], text) == 0)
            memory_free(list->texts[i]);
        else
            list->texts[kept++] = list->texts[i];
    }
    list->count = kept;
}

void text_list_clear(struct text_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        memory_free(list->texts[i]);
    memory_free(list->texts);
    *list = (struct text_list){0};
}
