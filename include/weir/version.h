/* SPDX-License-Identifier: MIT */
/* The one place that the version lives; the build reads it from here. */
#ifndef WEIR_VERSION_H
#define WEIR_VERSION_H

#define WEIR_VERSION_MAJOR 0
#define WEIR_VERSION_MINOR 1
#define WEIR_VERSION_PATCH 0

#ifdef __cplusplus
#define WEIR_BEGIN extern "C" {
#define WEIR_END   }
#else
#define WEIR_BEGIN
#define WEIR_END
#endif

#define WEIR_API          __attribute__((visibility("default")))
#define WEIR_CHECK_RESULT __attribute__((warn_unused_result))

WEIR_BEGIN

/* "MAJOR.MINOR.PATCH" of the library that is linked. Any thread. Static memory. */
WEIR_API const char *weir_version(void);

WEIR_END

#endif
