import { describeExit } from '../generation/exit.ts';
import { LIST_METHODS, LISTS, type ListMethod } from '../session/catalogue.ts';
import { isObject, type JsonObject } from '../wire/message.ts';
import type { Attempt } from './attempt.ts';
import type { Ending } from './bare-process.ts';
import { type Bench, CALL_MS, REQUEST_MS, type WantedCall } from './bench.ts';
import { duplicates, type ReadList, readList } from './lists.ts';
import { explain, type Introduction } from './official-client.ts';
import { describeProcess } from './process-names.ts';
import { type Evidence, failed, passed, type Subject, skipped, type Verdict } from './report.ts';
import { type SchemaJudge, schemaJudge } from './schemas.ts';
import { END_MS, type EraSubjects } from './subjects.ts';

/** The checks of one era on one process that shook hands: what it offers, and then how it ends. */
export class EraChecks {
  readonly #bench: Bench;
  readonly #subjects: EraSubjects;
  readonly #attempt: Attempt;
  readonly #lists = new Map<ListMethod, ReadList>();

  constructor(bench: Bench, subjects: EraSubjects, attempt: Attempt) {
    this.#bench = bench;
    this.#subjects = subjects;
    this.#attempt = attempt;
  }

  /** Everything that the protocol offers. */
  async offers({ capabilities }: Introduction): Promise<void> {
    const schemas = await schemaJudge(this.#attempt.era);
    for (const method of LIST_METHODS) {
      await this.#check(this.#subjects.lists[method], () => this.#list(method, capabilities, schemas));
    }
    await this.#check(this.#subjects.schemas, () => this.#schemas(schemas));
    await this.#check(this.#subjects.names, async () => this.#names());
    for (const { subject, tool } of this.#subjects.expected) {
      await this.#check(subject, async () => this.#expected(tool));
    }
    for (const { subject, call } of this.#subjects.calls) {
      await this.#check(subject, () => this.#call(call, schemas));
    }
  }

  /** How it goes, and what it leaves. Its process is told to end. */
  async departure(): Promise<void> {
    const { process } = this.#attempt;
    const { end, leftovers, stdout, answers } = this.#subjects;
    const { judge } = this.#bench;
    if (process.exit !== undefined) {
      const why = `the server had ended by itself (${describeExit(process.exit)})`;
      judge.skip(end, why);
      judge.skip(leftovers, why);
    } else {
      let ending: Ending | undefined;
      await this.#check(end, async () => {
        ending = await process.end(END_MS);
        return verdictOnEnd(ending, this.#attempt.evidence());
      });
      if (ending?.exit === undefined) judge.skip(leftovers, 'the server itself did not end');
      else await this.#check(leftovers, async () => verdictOnLeftOvers(ending as Ending));
    }
    await this.#attempt.readOut();
    await this.#check(stdout, async () => this.#stdout());
    await this.#check(answers, async () => this.#answers());
  }

  /** The lists that were read, for the reload. Undefined: one of them can't be. */
  get lists(): readonly ListMethod[] | undefined {
    const read = [...this.#lists].filter(([, { kind }]) => kind === 'read').map(([method]) => method);
    return [...this.#lists.values()].some(({ kind }) => kind === 'failed') ? undefined : read;
  }

  async #check(subject: Subject, work: () => Promise<Verdict>): Promise<void> {
    await this.#bench.judge.check(subject, work, () => this.#attempt.evidence());
  }

  async #list(method: ListMethod, capabilities: JsonObject, schemas: SchemaJudge): Promise<Verdict> {
    const { capability, noun } = LISTS[method];
    if (capabilities[capability] === undefined)
      return skipped(`the server says that it has no ${capability}`);
    const gone = this.#gone();
    if (gone !== undefined) return skipped(gone);
    const { client, transport } = this.#attempt;
    const list = await readList(client, transport, method, this.#bounds(REQUEST_MS));
    this.#lists.set(method, list);
    switch (list.kind) {
      case 'failed': {
        const end = this.#gone();
        return this.#failed(
          end === undefined ? list.why : `at ${method} ${end}: let it live until its stdin is closed`,
        );
      }
      case 'no-method':
        if (method === 'resources/templates/list') return skipped('the server has no resource templates');
        this.#lists.set(method, { kind: 'failed', why: '' });
        return this.#failed(
          `it has the capability "${capability}", but does not know ${method}: answer it, or do not claim the capability`,
        );
      case 'read': {
        const { items, pages, complaint } = list;
        const seen = `${items.length} ${noun}${items.length === 1 ? '' : 's'}${pages > 1 ? ` on ${pages} pages` : ''}`;
        if (complaint === undefined) return passed(seen);
        // What is wrong with its schemas is for another check to say.
        if (method === 'tools/list' && items.some((tool) => schemas.faults(tool).length > 0))
          return passed(seen);
        return this.#failed(
          `the official client does not accept the answer to ${method}, correct it (${complaint})`,
        );
      }
    }
  }

  async #schemas(schemas: SchemaJudge): Promise<Verdict> {
    const tools = this.#tools();
    if (tools === undefined || tools.length === 0) return skipped('there are no tools to look at');
    const faults = tools.flatMap((tool) => schemas.faults(tool));
    return faults.length === 0 ? passed() : this.#failed(sentence(faults));
  }

  #names(): Verdict {
    const lists = [...this.#lists].flatMap(([method, list]) =>
      list.kind === 'read' ? [{ method, list }] : [],
    );
    if (lists.length === 0) return skipped('there is no list to look at');
    const faults = lists.flatMap(({ method, list }) =>
      duplicates(method, list.items).map(
        (name) => `the ${LISTS[method].noun} ${name} is listed more than once`,
      ),
    );
    return faults.length === 0
      ? passed()
      : this.#failed(`${sentence(faults)}: give each its own name, or register it once`);
  }

  #expected(name: string): Verdict {
    const tools = this.#tools();
    if (tools === undefined) return skipped('the tools could not be listed');
    const names = tools.map((tool) => String(tool.name));
    if (names.includes(name)) return passed();
    const others = names.length === 0 ? 'it has none' : `it has ${names.join(', ')}`;
    return this.#failed(`there is no tool ${name} (${others}): register it, or correct --expect-tool`);
  }

  async #call({ tool, args }: WantedCall, schemas: SchemaJudge): Promise<Verdict> {
    const gone = this.#gone();
    if (gone !== undefined) return skipped(gone);
    const { client, transport } = this.#attempt;
    const complaint = await client.callTool(tool, args, this.#bounds(CALL_MS)).then(() => undefined, explain);
    const { response } = transport.last('tools/call') ?? {};
    if (response === undefined) {
      const end = this.#gone();
      return this.#failed(
        end === undefined
          ? `the call was not answered (${complaint}): answer it`
          : `at the call ${end}: let it live until its stdin is closed`,
      );
    }
    if (isObject(response.error)) {
      const { code, message } = response.error;
      return this.#failed(
        `the call was answered with the error ${code} (${message}): correct the tool, or what --call says`,
      );
    }
    const result = isObject(response.result) ? response.result : {};
    if (result.isError === true) {
      const why = textOf(result) || 'it does not say why';
      return this.#failed(`the tool answered with isError (${why}): correct it, or what --call says`);
    }
    if (complaint !== undefined) {
      return this.#failed(`the official client does not accept the result, correct it (${complaint})`);
    }
    const problem = this.#structureProblem(tool, result, schemas);
    return problem === undefined ? passed() : this.#failed(problem);
  }

  /** Whether a result is what the tool's outputSchema says. */
  #structureProblem(name: string, result: JsonObject, schemas: SchemaJudge): string | undefined {
    const tool = this.#tools()?.find((one) => one.name === name);
    // A result that asks for something is none yet.
    if (!isObject(tool?.outputSchema) || result.resultType === 'input_required') return undefined;
    if (schemas.faults(tool).length > 0) return undefined;
    if (result.structuredContent === undefined) {
      return 'the tool has an outputSchema, but its result has no structuredContent: return it, or remove the schema';
    }
    const problem = schemas.invalid(tool.outputSchema, result.structuredContent);
    return (
      problem && `the structuredContent is not what the outputSchema says, correct one of them: ${problem}`
    );
  }

  #stdout(): Verdict {
    const { count } = this.#attempt.stray;
    if (count === 0) return passed();
    const lines =
      count === 1 ? 'a line on stdout that is no message' : `${count} lines on stdout that are no messages`;
    return failed(
      `it printed ${lines}: print to stderr instead (console.error, ` +
        "print(…, file=sys.stderr)); npm's banner goes away with npm -s",
      this.#attempt.strayEvidence(),
    );
  }

  #answers(): Verdict {
    const faults = [...this.#attempt.surplus];
    return faults.length === 0
      ? passed()
      : this.#failed(`${sentence(faults)}: send one response for each request, with the id of that request`);
  }

  #tools(): readonly JsonObject[] | undefined {
    const list = this.#lists.get('tools/list');
    if (list === undefined) return [];
    return list.kind === 'read' ? list.items : undefined;
  }

  #gone(): string | undefined {
    const { exit } = this.#attempt.process;
    return exit && `the server ended by itself (${describeExit(exit)})`;
  }

  #failed(message: string): Verdict {
    return failed(message, this.#attempt.evidence());
  }

  #bounds(timeout: number): { readonly timeout: number; readonly signal: AbortSignal } {
    return { timeout, signal: this.#bench.deadline.signal };
  }
}

function verdictOnEnd({ exit, ms }: Ending, evidence: readonly Evidence[]): Verdict {
  if (exit !== undefined) return passed(`${describeExit(exit)} after ${ms} ms`);
  return failed(
    `it still ran ${END_MS / 1000} s after its stdin was closed: end the process when stdin ends, and close what ` +
      'keeps it alive (timers, sockets, watchers, children)',
    evidence,
  );
}

function verdictOnLeftOvers({ leftOver }: Ending): Verdict {
  if (leftOver.length === 0) return passed();
  const names = leftOver.map(({ pid }) => describeProcess(pid)).join(', ');
  return failed(
    `it ended, but ${leftOver.length === 1 ? 'a process that it started lives' : 'processes that it started live'} on ` +
      `(${names}): end what it starts before it ends itself`,
  );
}

/** The first of some faults, and how many more there are. */
function sentence(faults: readonly string[]): string {
  const [first = '', second, ...more] = faults;
  if (second === undefined) return first;
  return more.length === 0 ? `${first}; ${second}` : `${first}; ${second}; and ${more.length} more`;
}

function textOf(result: JsonObject): string {
  const blocks = Array.isArray(result.content) ? result.content.filter(isObject) : [];
  return blocks.flatMap(({ text }) => (typeof text === 'string' ? [text] : [])).join('\n');
}
