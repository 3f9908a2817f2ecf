/** Numbers for people. */
import { quantile } from '../../dist/src/harness/statistics.js'

/** @param durations in milliseconds */
export function percentiles(durations) {
  const [p50, p99] = [0.5, 0.99].map((q) => quantile(durations, q))
  return {
    p50,
    p99,
    max: max(durations),
    text: `p50 ${milliseconds(p50)}, p99 ${milliseconds(p99)}, max ${milliseconds(max(durations))}`,
  }
}

export function milliseconds(number) {
  return `${number < 10 ? number.toFixed(2) : Math.round(number)} ms`
}

export function mebibytes(bytes) {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`
}

export function ratio(number, base) {
  return `${(number / base).toFixed(1)} times`
}

function max(numbers) {
  return numbers.reduce((largest, number) => Math.max(largest, number), 0)
}
