/** One file that is not what it was. */
export interface Change {
  /** Absolute. */
  readonly path: string;
  readonly kind: 'added' | 'changed' | 'removed';
  /**
   * Wall-clock ms when it was made: the later of the file's modification and status change (a file that was
   * moved or restored keeps its old modification time), never in the future; for a removal when it was seen.
   */
  readonly at: number;
}
