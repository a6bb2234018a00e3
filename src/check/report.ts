/**
 * What a smoke run found. These types are the shape of `--format json` as well: new members may come, and
 * `version` goes up when one changes its meaning or goes away.
 */

/** `legacy`: the versions with `initialize`, up to 2025-11-25; `modern`: 2026-07-28 and later. */
export type Era = 'legacy' | 'modern';

export const ERAS: readonly Era[] = ['legacy', 'modern'];

/** What was asked of the server. */
export interface Subject {
  /** Stable, and unique within a server: `build`, `legacy.tools`, `modern.call.1`. */
  readonly id: string;
  /** What holds when it passes, for people. */
  readonly title: string;
  /** Absent where the era makes no difference. */
  readonly era?: Era;
}

/** What somebody printed, of a check that failed. */
export interface Evidence {
  readonly source: 'stderr' | 'stdout' | 'build';
  /** The end of it, without colours; never empty. */
  readonly text: string;
}

/** How it turned out. */
export type Verdict =
  /** `message`: what was seen, where that is worth a word. */
  | { readonly status: 'passed'; readonly message?: string }
  /** `message`: what is wrong and what its author should change. */
  | { readonly status: 'failed'; readonly message: string; readonly evidence?: readonly Evidence[] }
  /** `message`: why it makes no sense. */
  | { readonly status: 'skipped'; readonly message: string };

/** One check. */
export type CheckResult = Subject & Verdict & { readonly ms: number };

/** So many checks of each outcome. */
export type Counts = { readonly [K in Verdict['status']]: number };

/** All checks of one server, in their order. */
export interface ServerReport {
  readonly server: string;
  /** ISO 8601, in UTC. */
  readonly startedAt: string;
  readonly ok: boolean;
  readonly ms: number;
  readonly counts: Counts;
  readonly checks: readonly CheckResult[];
}

/** A whole run. */
export interface CheckReport {
  readonly version: 1;
  /** Of `mcp-dev`. */
  readonly mcpDev: string;
  /** No check failed. */
  readonly ok: boolean;
  readonly ms: number;
  readonly counts: Counts;
  readonly servers: readonly ServerReport[];
}

export function passed(message?: string): Verdict {
  return message === undefined ? { status: 'passed' } : { status: 'passed', message };
}

export function failed(message: string, evidence: readonly Evidence[] = []): Verdict {
  return evidence.length === 0 ? { status: 'failed', message } : { status: 'failed', message, evidence };
}

export function skipped(message: string): Verdict {
  return { status: 'skipped', message };
}

/** How many there are of each outcome. */
export function count(checks: readonly CheckResult[]): Counts {
  const of = (status: Verdict['status']): number => checks.filter((check) => check.status === status).length;
  return { passed: of('passed'), failed: of('failed'), skipped: of('skipped') };
}
