import type { CheckReport, CheckResult, ServerReport } from '../../src/check/report.ts';
import { runMcpDev } from '../e2e/run.ts';
import { repositoryFile } from '../kit/messages.ts';

/** What `mcp-dev check` found in one server. */
export interface Smoke {
  readonly code: number | null;
  readonly stderr: string;
  readonly report: CheckReport;
  readonly server: ServerReport;
  /** Those with this outcome. */
  readonly of: (status: CheckResult['status']) => readonly CheckResult[];
}

/** `mcp-dev check` with these arguments in the folder of the repository, or in another one. */
export async function smoke(args: readonly string[], cwd = repositoryFile('')): Promise<Smoke> {
  const { code, stdout, stderr } = await runMcpDev(['check', '--format', 'json', ...args], { cwd });
  const report = JSON.parse(stdout) as CheckReport;
  const [server] = report.servers as readonly [ServerReport];
  return {
    code,
    stderr,
    report,
    server,
    of: (status) => server.checks.filter((check) => check.status === status),
  };
}
