# SPDX-License-Identifier: MIT
# Reads bench.csv: figure[scenario, server, name, run], and medians of it. What prints comes after.
# `order` names the servers in the order they are shown in, with commas between.
BEGIN {
    FS = ","
    server_count = split(order, servers, ",")
}
NR == 1 { for (i = 4; i <= NF; i++) column[$i] = i; next }
{
    if (!($2 in seen_scenario)) { seen_scenario[$2] = 1; scenarios[++scenario_count] = $2 }
    key = $2 SUBSEP $3
    runs[key]++
    for (name in column) figure[key, name, runs[key]] = $column[name]
}
# The values of a figure in order, in `sorted`; answers how many.
function sort_values(key, name,    i, j, value) {
    for (i = 1; i <= runs[key]; i++) {
        value = figure[key, name, i] + 0
        for (j = i - 1; j > 0 && sorted[j] > value; j--) sorted[j + 1] = sorted[j]
        sorted[j + 1] = value
    }
    return runs[key]
}
function median(key, name,    count) {
    count = sort_values(key, name)
    return (sorted[int((count + 1) / 2)] + sorted[int(count / 2) + 1]) / 2
}
function spread(key, name, format,    count, middle) {
    middle = median(key, name)
    count = runs[key]
    return sprintf(format " [" format "-" format "]", middle, sorted[1], sorted[count])
}
