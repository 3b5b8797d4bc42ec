/* SPDX-License-Identifier: MIT */
#include "framing/http_method.h"

const struct http_method http_methods[HTTP_METHOD_COUNT] = {
    {"GET ", "\xff\xff\xff\xff", 3, WEIR_HTTP_GET},
    {"POST ", "\xff\xff\xff\xff\xff", 4, WEIR_HTTP_POST},
    {"HEAD ", "\xff\xff\xff\xff\xff", 4, WEIR_HTTP_HEAD},
    {"PUT ", "\xff\xff\xff\xff", 3, WEIR_HTTP_PUT},
    {"DELETE ", "\xff\xff\xff\xff\xff\xff\xff", 6, WEIR_HTTP_DELETE},
    /* It fills its room: a text would want one more, for its NUL. */
    {{'O', 'P', 'T', 'I', 'O', 'N', 'S', ' '},
     {-1, -1, -1, -1, -1, -1, -1, -1},
     7,
     WEIR_HTTP_OPTIONS},
    {"TRACE ", "\xff\xff\xff\xff\xff\xff", 5, WEIR_HTTP_TRACE},
};

enum weir_http_method http_method_find(weir_slice name)
{
    for (size_t i = 0; i < HTTP_METHOD_COUNT; i++)
        if (name.size == http_methods[i].size &&
            memcmp(name.bytes, http_methods[i].word, name.size) == 0)
            return http_methods[i].method;
    return WEIR_HTTP_OTHER_METHOD;
}
