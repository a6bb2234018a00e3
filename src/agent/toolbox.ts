import { stripVTControlCharacters } from 'node:util';
import { DEFAULT_VARIANT, type Variants } from '../config/variants.ts';
import { errorText, type NamedDifferences, nameDifferences } from '../journal/event.ts';
import type { PastReload } from '../journal/journal.ts';
import type { LogLine, LogRing, LogSource } from '../journal/log-ring.ts';
import type { ReloadOutcome } from '../reload/awaited.ts';
import type { LaunchChoice } from '../reload/choice.ts';
import type { ServerStatus } from '../reload/status.ts';
import { wordChoice } from '../report/status-words.ts';
import { shortenIn, wordPhases, wordTrigger } from '../report/wording.ts';
import type { JsonObject } from '../wire/message.ts';
import { argumentProblem } from './arguments.ts';
import { LOG_LINES, RELOAD_WAIT_MS, type ToolDefinition, toolDefinitions } from './definitions.ts';
import { logText, statusText, wordError, wordNamed, wordReload } from './wording.ts';

/** What the tools need of the server that they are about. */
export interface ToolboxPorts {
  /** What it is called. */
  readonly server: string;
  readonly root: string;
  readonly variants: Variants;
  readonly allowCommands: boolean;
  readonly logs: LogRing;
  status(): ServerStatus;
  /** `choice`: what is started from now on, `default` the server as configured; absent: what was chosen before. */
  reload(by: string, ms: number, choice: LaunchChoice | 'default' | undefined): Promise<ReloadOutcome>;
}

/** So many of the last reloads a status tells of. */
const RELOADS = 5;
/** What is longer in a log is cut, and what is more is left out: clients refuse long results, and models pay for them. */
const LONGEST_LINE = 1000;
const MOST_CHARACTERS = 30_000;

/** The tools that an agent sees among those of the server, but for the one that calls another tool. */
export class Toolbox {
  readonly definitions: readonly ToolDefinition[];
  readonly #ports: ToolboxPorts;
  readonly #shorten: (path: string) => string;
  /** When the last of the reloads ended that the agent was told of; ms since the epoch. */
  #told = 0;

  constructor(ports: ToolboxPorts) {
    const { server, variants, allowCommands, root } = ports;
    this.#ports = ports;
    this.#shorten = shortenIn(root);
    this.definitions = toolDefinitions({ server, variants: Object.keys(variants), allowCommands });
  }

  /** Carries out a call. The answer is the result of `tools/call`; a mistake of the caller is one with `isError`. */
  async execute(name: string, args: JsonObject): Promise<JsonObject> {
    const tool = this.definitions.find((definition) => definition.name === name);
    if (tool === undefined) return refusal(`there is no tool ${name}`);
    const problem = argumentProblem(tool, args) ?? this.#serverProblem(args);
    if (problem !== undefined) return refusal(problem);
    switch (name) {
      case 'mcp_dev_status':
        return this.#status();
      case 'mcp_dev_logs':
        return this.#logs(args);
      case 'mcp_dev_reload':
        return await this.#reload(args);
      default:
        return refusal(`${name} is not carried out here`);
    }
  }

  #serverProblem({ server = this.#ports.server }: JsonObject): string | undefined {
    if (server === this.#ports.server) return undefined;
    return `there is no server ${JSON.stringify(server)}; there is ${this.#ports.server}`;
  }

  #status(): JsonObject {
    const whole = this.#ports.status();
    this.#noteTold(whole.reloads);
    const status = { ...whole, reloads: whole.reloads.slice(-RELOADS).map(withoutOldText) };
    return toolResult(statusText(status, this.#shorten, Date.now()), status);
  }

  #logs({ source, lines = LOG_LINES.usual, generation }: JsonObject): JsonObject {
    const { logs, server } = this.#ports;
    const found = logs.tail({
      source: source as LogSource | undefined,
      lines: lines as number,
      generation: generation as number | undefined,
    });
    const shown = lastOf(found);
    const omitted = found.length - shown.length;
    return toolResult(logText(shown, omitted), { server, lines: shown, omitted });
  }

  async #reload(args: JsonObject): Promise<JsonObject> {
    const { reason } = args;
    const by = typeof reason === 'string' && reason !== '' ? `mcp_dev_reload: ${reason}` : 'mcp_dev_reload';
    const told = this.#told;
    const outcome = await this.#ports.reload(by, RELOAD_WAIT_MS, this.#choiceOf(args));
    const { state, choice, reloads } = this.#ports.status();
    const shared = { server: this.#ports.server, ...(choice === undefined ? {} : { choice }) };
    if (outcome.event === 'pending') {
      const text = `The reload has not ended after ${RELOAD_WAIT_MS / 1000} s; mcp_dev_status tells later what came of it.`;
      return toolResult(text, { ...shared, state: 'building', ...nameDifferences([]), earlier: [] });
    }
    const described = describeOutcome(outcome);
    // A save reloads by itself: what the agent changed may have come with that, before it called.
    const others = outcome.event === 'crashed' ? reloads : reloads.slice(0, -1);
    const earlier = others.filter(
      ({ ok, time, trigger }) => ok && time > told && trigger.kind !== 'first-start',
    );
    this.#noteTold(reloads);
    const text = [
      this.#wordOutcome(outcome, described),
      ...(choice === undefined ? [] : [`Chosen, until something else is: ${wordChoice(choice)}`]),
      ...(earlier.length === 0 ? [] : ['Before that, since you last asked:']),
      ...earlier.map((reload) => `- ${wordReload(reload, this.#shorten, Date.now())}`),
    ].join('\n');
    const result = toolResult(text, { ...shared, ...described, state, earlier });
    return described.ok ? result : { ...result, isError: true };
  }

  #noteTold(reloads: readonly PastReload[]): void {
    this.#told = reloads.at(-1)?.time ?? this.#told;
  }

  #wordOutcome(outcome: Exclude<ReloadOutcome, { event: 'pending' }>, differences: NamedDifferences): string {
    switch (outcome.event) {
      case 'ready': {
        const { generation, trigger, phases } = outcome;
        const known = outcome.differences !== undefined;
        const named = known ? wordNamed(differences) : 'the tools before it are not known';
        const isNew = differences.added.some((one) => one.startsWith('tool '));
        const advice = isNew ? '\nA tool that is not in your list can be called with mcp_dev_call.' : '';
        return (
          `The reload succeeded: generation ${generation} serves the newest source ` +
          `(${wordTrigger(trigger, this.#shorten)}; ${wordPhases(phases)}).\nDifferences: ${named}${advice}`
        );
      }
      case 'failed':
        return `The reload failed. ${wordServing(outcome)}\n${wordError(outcome.failure)}`;
      case 'crashed':
        return `The server crashed. ${wordServing(outcome)}\n${wordError(outcome.failure)}`;
    }
  }

  #choiceOf({ variant, command, args, env }: JsonObject): LaunchChoice | 'default' | undefined {
    const given = Object.entries({ command, args, env }).filter(([, value]) => value !== undefined);
    if (variant === undefined && given.length === 0) return undefined;
    const isNamed = typeof variant === 'string' && variant !== DEFAULT_VARIANT;
    if (!isNamed && given.length === 0) return 'default';
    const base = isNamed ? this.#ports.variants[variant] : {};
    return { ...(isNamed ? { variant } : {}), override: { ...base, ...Object.fromEntries(given) } };
  }
}

/** A finished reload as scripts have it in `reload` events. */
function describeOutcome(outcome: Exclude<ReloadOutcome, { event: 'pending' }>) {
  if (outcome.event === 'ready') {
    const { generation, trigger, phases, differences } = outcome;
    return { ok: true, generation, trigger, ms: phases, ...nameDifferences(differences ?? []) };
  }
  const { failure, serving } = outcome;
  return {
    ok: false,
    ...(serving === undefined ? {} : { generation: serving }),
    ...(outcome.event === 'failed' ? { trigger: outcome.trigger } : {}),
    error: errorText(failure),
    ...nameDifferences([]),
  };
}

function wordServing({
  serving,
  retryMs,
}: {
  readonly serving: number | undefined;
  readonly retryMs?: number | undefined;
}): string {
  if (serving !== undefined)
    return `Generation ${serving} goes on with the code before; mend the source and reload again.`;
  return retryMs === undefined
    ? 'Nothing serves until the source is mended.'
    : 'Nothing serves; it is started again by itself, and at each change of the source.';
}

/** The words of the newest failure are enough; each may be as long as a compiler's output. */
function withoutOldText(reload: PastReload, index: number, { length }: readonly PastReload[]): PastReload {
  if (reload.error === undefined || index === length - 1) return reload;
  return { ...reload, error: { ...reload.error, text: '' } };
}

/** As many of the last lines as a model may be given at once, none of them as long as data, and without colours. */
function lastOf(lines: readonly LogLine[]): readonly LogLine[] {
  const shown: LogLine[] = [];
  let characters = 0;
  for (const line of lines.toReversed()) {
    const plain = stripVTControlCharacters(line.text);
    const text = plain.length > LONGEST_LINE ? `${plain.slice(0, LONGEST_LINE)}…` : plain;
    characters += text.length;
    if (characters > MOST_CHARACTERS) break;
    shown.unshift({ ...line, text });
  }
  return shown;
}

function toolResult(text: string, structuredContent: object): JsonObject {
  return { content: [{ type: 'text', text }], structuredContent };
}

function refusal(problem: string): JsonObject {
  return { content: [{ type: 'text', text: `mcp-dev: ${problem}` }], isError: true };
}
