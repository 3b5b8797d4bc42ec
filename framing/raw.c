/* SPDX-License-Identifier: MIT */
#include "framing/input.h"

int raw_decode(const struct input *input, weir_decoded *decoded)
{
    return decoded_whole(decoded, input->bytes, input->size);
}
