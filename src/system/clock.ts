/**
 * Milliseconds of the monotonic clock, for what runs before the first byte is forwarded: there the first use of
 * `performance` would cost each start a millisecond.
 */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
