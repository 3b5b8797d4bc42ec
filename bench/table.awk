# SPDX-License-Identifier: MIT
# One table per scenario: medians over the rounds with least and most, and the ratios of weir's
# medians to each peer's. After csv.awk.
function ratios(scenario, weir,    i, peer) {
    for (i = 1; i <= server_count; i++) {
        peer = servers[i]
        if (peer ~ /^weir/ || !((scenario, peer) in runs)) continue
        printf "  %-14s : %-9s requests/s %.3f   CPU per request %.3f   p99 %.3f\n", weir, peer,
            median(scenario SUBSEP weir, "requests_per_second") / \
            median(scenario SUBSEP peer, "requests_per_second"),
            median(scenario SUBSEP weir, "server_cpu_us") / \
            median(scenario SUBSEP peer, "server_cpu_us"),
            median(scenario SUBSEP weir, "p99_us") / median(scenario SUBSEP peer, "p99_us")
    }
}
function table(scenario,    i, server, key) {
    printf "%s\n  %-14s %32s %26s %10s %10s %10s %6s %6s\n", scenario, "server", "requests/s",
        "server CPU us/request", "p50 us", "p99 us", "p99.9 us", "busy", "others"
    for (i = 1; i <= server_count; i++) {
        server = servers[i]
        key = scenario SUBSEP server
        if (!(key in runs)) continue
        printf "  %-14s %32s %26s %10.1f %10.1f %10.1f %6.2f %6.2f\n", server,
            spread(key, "requests_per_second", "%.0f"), spread(key, "server_cpu_us", "%.3f"),
            median(key, "p50_us"), median(key, "p99_us"), median(key, "p999_us"),
            median(key, "server_busy"), median(key, "others_busy")
    }
    for (i = 1; i <= server_count; i++)
        if (servers[i] ~ /^weir/ && (scenario, servers[i]) in runs) ratios(scenario, servers[i])
    print ""
}
END { for (s = 1; s <= scenario_count; s++) table(scenarios[s]) }
