import { formatGithub } from './format-github.ts';
import { formatJunit } from './format-junit.ts';
import { formatPretty } from './format-pretty.ts';
import type { CheckReport } from './report.ts';

export type Format = 'pretty' | 'json' | 'junit' | 'github';

/** A report as text that ends with a newline; `color` is for people, and only `pretty` has any. */
export function formatReport(report: CheckReport, format: Format, color: boolean): string {
  switch (format) {
    case 'pretty':
      return formatPretty(report, color);
    case 'json':
      return `${JSON.stringify(report, undefined, 2)}\n`;
    case 'junit':
      return formatJunit(report);
    case 'github':
      return formatGithub(report);
  }
}
