# SPDX-License-Identifier: MIT
# Two panels of medians as ratios to epoll's; `data` is what ratios.awk wrote, `picture` a PNG.
set terminal pngcairo size 1200,900 font "sans,11"
set output picture
set style data histogram
set style histogram clustered gap 1.5
set style fill solid 0.8 border -1
set key outside right top autotitle columnhead noenhanced
set grid ytics
set yrange [0:*]
stats data index 0 nooutput
columns = int(STATS_columns)
set multiplot layout 2,1
set title "requests per second, epoll = 1 (more is better)"
plot for [i=2:columns] data index 0 using i:xticlabels(1)
set title "server CPU per request, epoll = 1 (less is better)"
plot for [i=2:columns] data index 1 using i:xticlabels(1)
unset multiplot
