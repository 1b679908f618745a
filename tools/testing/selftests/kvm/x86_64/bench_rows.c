// SPDX-License-Identifier: GPL-2.0
/*
 * The rows that guest_memfd_bench prints, and the unit of its clock.
 */
#include "bench.h"
#include "cost.h"

static struct row {
	char name[48];
	char unit[32];
	double value;
} rows[64];

static int nr_rows;

static const char *tick_unit;

void record(const char *name, double value, const char *unit)
{
	struct row *row = rows;

	while (row < rows + nr_rows && strcmp(row->name, name))
		row++;
	if (row == rows + nr_rows) {
		nr_rows++;
		snprintf(row->name, sizeof(row->name), "%s", name);
		snprintf(row->unit, sizeof(row->unit), "%s", unit);
		row->value = value;
	}
	if (value < row->value)
		row->value = value;
}

void record_ticks(const char *group, const char *name, uint64_t value)
{
	char full[48];

	snprintf(full, sizeof(full), "%s.%s", group, name);
	record(full, value, tick_unit);
}

void record_per(const char *group, const char *name, int64_t value,
		uint64_t count, const char *what)
{
	char full[48], unit[32];

	snprintf(full, sizeof(full), "%s.%s", group, name);
	snprintf(unit, sizeof(unit), "%s/%s", tick_unit, what);
	record(full, (double)value / count, unit);
}

/* Of work on all pages of WORK_SIZE. */
void record_page(const char *group, const char *name, int64_t value)
{
	record_per(group, name, value, WORK_SIZE / BARE_PAGE, "page");
}

void record_bytes(const char *group, const char *name, long bytes)
{
	char full[48];

	snprintf(full, sizeof(full), "%s.%s", group, name);
	record(full, bytes, "bytes");
}

void print_rows(void)
{
	int i;

	for (i = 0; i < nr_rows; i++)
		printf("%-28s %15.*f %s\n", rows[i].name,
		       strchr(rows[i].unit, '/') ? 2 : 0, rows[i].value, rows[i].unit);
	fflush(stdout);
	nr_rows = 0;
}

/* A million instructions tell. */
void calibrate(void)
{
	uint64_t million = cost_of_million_instructions(ticks);

	tick_unit = cost_unit(million, "ticks");
	record_ticks("calibration", "million", million);
	print_rows();
}
