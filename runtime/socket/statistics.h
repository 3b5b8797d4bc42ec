/* SPDX-License-Identifier: MIT */
/*
 * getstat. The document's running mean and deviation come down to sums: the mean is octets / count,
 * the deviation the mean of (size - mean so far), which needs one division per packet and no
 * chain of them.
 */
#ifndef RUNTIME_SOCKET_STATISTICS_H
#define RUNTIME_SOCKET_STATISTICS_H

#include <stdint.h>

struct traffic {
    uint64_t octets;
    double deviation_sum;
    uint64_t count; /* reported as 32 bits, but a wrap must not upset the mean */
};

static inline void traffic_count(struct traffic *traffic, uint32_t *max, uint64_t size)
{
    traffic->octets += size;
    traffic->count++;
    if (size > *max)
        *max = (uint32_t)size;
    /* While all packets are of one size there is no deviation, and nothing to divide. */
    if (traffic->octets != size * traffic->count)
        traffic->deviation_sum +=
            (double)size - (double)(int64_t)traffic->octets / (double)(int64_t)traffic->count;
}

static inline uint32_t traffic_average(const struct traffic *traffic)
{
    return traffic->count ? (uint32_t)(traffic->octets / traffic->count) : 0;
}

static inline uint32_t traffic_deviation(const struct traffic *traffic)
{
    if (traffic->count == 0)
        return 0;
    double deviation = traffic->deviation_sum / (double)traffic->count;
    return (uint32_t)(deviation < 0 ? -deviation : deviation);
}

#endif
