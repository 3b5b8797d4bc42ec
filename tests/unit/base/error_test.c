/* SPDX-License-Identifier: MIT */
#include "base/error.h"

#include <criterion/criterion.h>
#include <errno.h>

Test(error, aliases_share_the_first_name)
{
    cr_assert_str_eq(weir_error_name(-EOPNOTSUPP), "enotsup");
}
