# SPDX-License-Identifier: MIT
# For the picture: per scenario the medians of each server as a ratio to the baseline's, first
# requests/s, then CPU per request. After csv.awk.
function block(name,    s, i, key, base) {
    printf "scenario"
    for (i = 1; i <= server_count; i++) printf " %s", servers[i]
    print ""
    for (s = 1; s <= scenario_count; s++) {
        printf "%s", scenarios[s]
        base = scenarios[s] SUBSEP baseline
        for (i = 1; i <= server_count; i++) {
            key = scenarios[s] SUBSEP servers[i]
            if (key in runs && base in runs) printf " %.4f", median(key, name) / median(base, name)
            else printf " NaN"
        }
        print ""
    }
}
END {
    block("requests_per_second")
    printf "\n\n"
    block("server_cpu_us")
}
