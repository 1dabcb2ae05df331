/** Counts values by upper bound, as Prometheus wants them. */
export interface Histogram {
  observe(value: number): void;
  /** Cumulative buckets, sum and count, by what follows the metric's name. */
  series(): Record<string, number>;
}

/** A histogram with these upper bounds, in ascending order; one without a bound is added. */
export function createHistogram(bounds: readonly number[]): Histogram {
  const counts = new Float64Array(bounds.length + 1);
  let sum = 0;
  return {
    observe: (value) => {
      let bucket = 0;
      while (bucket < bounds.length && value > (bounds[bucket] ?? Infinity)) bucket += 1;
      counts[bucket] = (counts[bucket] ?? 0) + 1;
      sum += value;
    },
    series: () => {
      const series: Record<string, number> = {};
      let total = 0;
      for (const [index, count] of counts.entries()) {
        total += count;
        series[`_bucket{le="${bounds[index] ?? "+Inf"}"}`] = total;
      }
      return { ...series, _sum: sum, _count: total };
    },
  };
}
