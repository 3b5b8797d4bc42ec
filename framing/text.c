/* SPDX-License-Identifier: MIT */
#include "framing/text.h"

#define T TEXT_TOKEN
#define D (TEXT_TOKEN | TEXT_DIGIT)
#define B TEXT_BLANK

/* clang-format off */
const uint8_t text_classes[256] = {
/*            0  1  2  3  4  5  6  7  8  9  a  b  c  d  e  f */
/* control */ 0, 0, 0, 0, 0, 0, 0, 0, 0, B, 0, 0, 0, 0, 0, 0,
              0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
/*  !"#$%& */ B, T, 0, T, T, T, T, T, 0, 0, T, T, 0, T, T, 0,
/* 0 ... ? */ D, D, D, D, D, D, D, D, D, D, 0, 0, 0, 0, 0, 0,
/* @ ... O */ 0, T, T, T, T, T, T, T, T, T, T, T, T, T, T, T,
/* P ... _ */ T, T, T, T, T, T, T, T, T, T, T, 0, 0, 0, T, T,
/* ` ... o */ T, T, T, T, T, T, T, T, T, T, T, T, T, T, T, T,
/* p . DEL */ T, T, T, T, T, T, T, T, T, T, T, 0, T, 0, T, T,
};
/* clang-format on */
