# Cost of one KVM_SET_MEMORY_ATTRIBUTES over the size of its range: gnuplot -e 'data="FILE"' attributes.gnuplot
# Columns: bytes, ours to private, to shared, upstream to private, to shared, 1 if upstream's are extrapolated.
set terminal svg size 800,480 font "sans-serif,13" background "white"
set logscale xy
set xlabel "size of the range"
set ylabel "instructions"
set xtics ("4 KiB" 2**12, "2 MiB" 2**21, "32 MiB" 2**25, "256 MiB" 2**28, "1 GiB" 2**30, \
	"4 GiB" 2**32, "32 GiB" 2**35, "256 GiB" 2**38, "1 TiB" 2**40) rotate by -45
set ytics format "10^{%T}"
set yrange [100:1e12]
set grid
set key top left
plot data using 1:4 with lines dashtype 2 linewidth 1 linecolor "#c0392b" title "6.12, in proportion", \
	data using 1:($6 == 0 ? $4 : NaN) with linespoints pointtype 7 linewidth 2 linecolor "#c0392b" title "6.12: to private", \
	data using 1:($6 == 0 ? $5 : NaN) with linespoints pointtype 6 linewidth 2 linecolor "#e67e22" title "6.12: to shared", \
	data using 1:2 with linespoints pointtype 7 linewidth 2 linecolor "#1f618d" title "this series: to private", \
	data using 1:3 with linespoints pointtype 6 linewidth 2 linecolor "#5dade2" title "this series: to shared"
