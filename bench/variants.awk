# SPDX-License-Identifier: MIT
# One line per variant: medians with least and most, and ratios to the first one. After csv.awk.
END {
    rate = ("requests_per_second" in column) ? "requests_per_second" : "connections_per_second"
    printf "%-56s %28s %7s %26s %7s %10s %10s %6s\n", "variant", "per second", "ratio",
        "server CPU us each", "ratio", "p50 us", "p99 us", "others"
    for (i = 1; i <= server_count; i++) {
        key = scenarios[1] SUBSEP servers[i]
        base = scenarios[1] SUBSEP servers[1]
        printf "%-56s %28s %7.3f %26s %7.3f", servers[i], spread(key, rate, "%.0f"),
            median(key, rate) / median(base, rate), spread(key, "server_cpu_us", "%.3f"),
            median(key, "server_cpu_us") / median(base, "server_cpu_us")
        if ("p50_us" in column) printf " %10.1f %10.1f %6.2f",
            median(key, "p50_us"), median(key, "p99_us"), median(key, "others_busy")
        print ""
    }
}
