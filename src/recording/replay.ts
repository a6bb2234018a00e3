import { ErrorCode, isObject, type JsonObject } from '../wire/message.ts';
import { comparable, isRefusalOfNothing } from './comparable.ts';
import { type CompareRules, firstDifference, type ValueDifference } from './compare.ts';
import { type Call, count, each, type Needs, type Script, type Step } from './script.ts';

/** A way to the server. */
export interface ReplayPorts {
  /** Writes one message, or a batch of them, as a line. */
  send(message: unknown): void;
  /** Makes an answer of the server look like a recorded one, in which some values are masked. */
  readonly masked: (message: JsonObject) => JsonObject;
  readonly rules: Omit<CompareRules, 'onOpaque'>;
  /** How long the server may take for what comes next, in ms. */
  readonly timeout: number;
}

/** An answer that is another one than the recorded. */
export interface AnswerDifference extends ValueDifference {
  readonly call: Call;
}

/** How a replay ended. `differences` are in the order of the recording, the first of each answer. */
export type ReplayOutcome = {
  readonly differences: readonly AnswerDifference[];
  /** How many answers were compared. */
  readonly compared: number;
} & (
  | { readonly kind: 'complete' }
  /** The server did not send what the client had received at that point. */
  | { readonly kind: 'timeout'; readonly missing: string }
  | { readonly kind: 'ended'; readonly how: string }
);

/** Members by which a client gives back what the server had chosen. */
const GIVEN_BACK = new Set(['cursor', 'taskId', 'requestState']);

type Stop = Extract<ReplayOutcome, { kind: 'timeout' | 'ended' }>;

/** One pass through a script. What the server sends goes into `receive`. */
export class Replay {
  readonly #script: Script;
  readonly #ports: ReplayPorts;
  readonly #open = new Map<string, Call>();
  readonly #differences = new Map<Call, ValueDifference>();
  /** Calls whose answer came, … */
  readonly #done = new Set<Call>();
  /** … which are all of the first so many of the script. */
  #complete = 0;
  readonly #arrivals = new Map<string, number>();
  /** Requests of the server, by method and number, that have no answer yet. */
  readonly #questions = new Map<string, unknown>();
  readonly #asked = new Map<string, number>();
  readonly #replies = new Map<string, JsonObject>();
  /** What the server chose in place of what it had chosen in the recording. */
  readonly #chosen = new Map<string, string>();
  #waiting: { readonly needs: Needs; end(stop?: Pick<Stop, 'kind'>): void } | undefined;
  #ended: string | undefined;

  constructor(script: Script, ports: ReplayPorts) {
    this.#script = script;
    this.#ports = ports;
  }

  /** Sends the client's half, each part when all that the client had received before it was received. */
  async run(): Promise<ReplayOutcome> {
    for (const step of this.#script.steps) {
      const stop = await this.#reached(step.needs);
      if (stop !== undefined) return stop;
      this.#take(step);
    }
    const all = { answers: this.#script.answered.length, arrivals: new Map() };
    return (await this.#reached(all)) ?? { kind: 'complete', ...this.#findings() };
  }

  /** A line of the server. */
  receive(message: unknown): void {
    for (const one of each(message)) {
      if (typeof one.method !== 'string') this.#answered(one);
      else {
        count(this.#arrivals, one.method);
        if (one.id !== undefined) this.#ask(one.method, one.id);
      }
    }
    if (this.#waiting !== undefined && this.#missing(this.#waiting.needs) === undefined) this.#waiting.end();
  }

  /** The server ended; `how` is its exit, for people. */
  ended(how: string): void {
    this.#ended = how;
    this.#waiting?.end({ kind: 'ended' });
  }

  #take(step: Step): void {
    if (step.kind === 'reply') {
      this.#replies.set(`${step.method} ${step.nth}`, step.message);
      this.#reply(step.method, step.nth);
      return;
    }
    for (const call of step.calls) this.#open.set(call.id, call);
    const messages = step.messages.map((message) => this.#givenBack(message));
    this.#ports.send(messages.length === 1 ? messages[0] : messages);
  }

  #answered(answer: JsonObject): void {
    const call = this.#open.get(JSON.stringify(answer.id));
    if (call === undefined) return;
    this.#open.delete(call.id);
    if (call.answer === undefined) return;
    this.#done.add(call);
    const { method } = call;
    const expected = comparable(method, call.answer);
    const got = comparable(method, this.#ports.masked(answer));
    if (isRefusalOfNothing(method, expected, got)) return;
    const onOpaque = (recorded: string, chosen: string): void => void this.#chosen.set(recorded, chosen);
    const difference = firstDifference(expected, got, { ...this.#ports.rules, onOpaque });
    if (difference !== undefined) this.#differences.set(call, difference);
  }

  #ask(method: string, id: unknown): void {
    const nth = count(this.#asked, method);
    if (nth >= (this.#script.asked.get(method) ?? 0)) {
      this.#ports.send({ jsonrpc: '2.0', id, ...unexpected(method) });
      return;
    }
    this.#questions.set(`${method} ${nth}`, id);
    this.#reply(method, nth);
  }

  /** Answers a request of the server when it has come and the client's answer is due. */
  #reply(method: string, nth: number): void {
    const key = `${method} ${nth}`;
    const reply = this.#replies.get(key);
    if (reply === undefined || !this.#questions.has(key)) return;
    this.#ports.send({ ...reply, id: this.#questions.get(key) });
    this.#questions.delete(key);
  }

  /** Waits for what the client had received. Answers why that will not come. */
  async #reached(needs: Needs): Promise<Stop | undefined> {
    const reason = await new Promise<Pick<Stop, 'kind'> | undefined>((resolve) => {
      if (this.#missing(needs) === undefined) return resolve(undefined);
      if (this.#ended !== undefined) return resolve({ kind: 'ended' });
      const timer = setTimeout(() => this.#waiting?.end({ kind: 'timeout' }), this.#ports.timeout);
      this.#waiting = {
        needs,
        end: (stop) => {
          clearTimeout(timer);
          this.#waiting = undefined;
          resolve(stop);
        },
      };
    });
    if (reason === undefined) return undefined;
    const findings = this.#findings();
    return reason.kind === 'ended'
      ? { kind: 'ended', how: this.#ended ?? '', ...findings }
      : { kind: 'timeout', missing: this.#missing(needs) ?? '', ...findings };
  }

  /** The first thing that has not come, in words. */
  #missing({ answers, arrivals }: Needs): string | undefined {
    const { answered } = this.#script;
    while (this.#complete < answered.length && this.#done.has(answered[this.#complete] as Call)) {
      this.#complete++;
    }
    if (this.#complete < answers) return `an answer to ${wordCall(answered[this.#complete] as Call)}`;
    for (const [method, wanted] of arrivals) {
      const missing = wanted - (this.#arrivals.get(method) ?? 0);
      if (missing > 0) return wanted === 1 ? method : `${method} for the ${wanted}. time`;
    }
    return undefined;
  }

  #findings(): { readonly differences: readonly AnswerDifference[]; readonly compared: number } {
    const differences = this.#script.answered.flatMap((call) => {
      const difference = this.#differences.get(call);
      return difference === undefined ? [] : [{ ...difference, call }];
    });
    return { differences, compared: this.#done.size };
  }

  /** A message with what this server chose in place of what the client had got. */
  #givenBack(message: JsonObject): JsonObject {
    if (this.#chosen.size === 0 || !isObject(message.params)) return message;
    const params = Object.entries(message.params).map(([key, value]) => {
      const chosen = GIVEN_BACK.has(key) && typeof value === 'string' ? this.#chosen.get(value) : undefined;
      return [key, chosen ?? value] as const;
    });
    return { ...message, params: Object.fromEntries(params) };
  }
}

/** The answer to a request of the server that it did not send when it was recorded. */
function unexpected(method: string): JsonObject {
  if (method === 'ping') return { result: {} };
  return {
    error: { code: ErrorCode.methodNotFound, message: `the recording has no answer to this ${method}` },
  };
}

/** A call as people recognise it: `tools/call add (id 4, line 12 of the recording)`. */
export function wordCall({ method, message, id, line }: Call): string {
  const params = isObject(message.params) ? message.params : {};
  const about = params.name ?? params.uri;
  const named = typeof about === 'string' ? `${method} ${about}` : method;
  return `${named} (id ${id}, line ${line} of the recording)`;
}
