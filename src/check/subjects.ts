import type { ListMethod } from '../session/catalogue.ts';
import type { CheckOptions } from './bench.ts';
import type { Era, Subject } from './report.ts';

/** What is checked once for a server. */
export const BUILD: Subject = { id: 'build', title: 'the build succeeds' };
export const START: Subject = { id: 'start', title: 'the server starts' };
export const ERA: Subject = { id: 'era', title: 'the server speaks an era of the protocol' };

const LIST_SUBJECTS: { readonly [M in ListMethod]: readonly [id: string, title: string] } = {
  'tools/list': ['tools', 'its tools can be listed'],
  'prompts/list': ['prompts', 'its prompts can be listed'],
  'resources/list': ['resources', 'its resources can be listed'],
  'resources/templates/list': ['templates', 'its resource templates can be listed'],
};

/** What is checked in each era. */
export interface EraSubjects {
  readonly handshake: Subject;
  readonly lists: { readonly [M in ListMethod]: Subject };
  readonly schemas: Subject;
  readonly names: Subject;
  readonly expected: readonly { readonly subject: Subject; readonly tool: string }[];
  readonly calls: readonly { readonly subject: Subject; readonly call: CheckOptions['calls'][number] }[];
  readonly stdout: Subject;
  readonly answers: Subject;
  readonly end: Subject;
  readonly leftovers: Subject;
  /** Undefined when it is not wanted. */
  readonly reload: Subject | undefined;
}

/** How long a server may take to end when its stdin is closed. */
export const END_MS = 2000;

export function subjectsOf(era: Era, options: CheckOptions): EraSubjects {
  const subject = (id: string, title: string): Subject => ({ id: `${era}.${id}`, title, era });
  const list = (method: ListMethod): Subject => subject(...LIST_SUBJECTS[method]);
  return {
    handshake: subject('handshake', 'it shakes hands with the official client'),
    lists: {
      'tools/list': list('tools/list'),
      'prompts/list': list('prompts/list'),
      'resources/list': list('resources/list'),
      'resources/templates/list': list('resources/templates/list'),
    },
    schemas: subject('schemas', 'the schemas of its tools are valid JSON Schema'),
    names: subject('names', 'nothing is listed twice'),
    expected: options.expectTool.map((tool) => ({
      subject: subject(`expect-tool.${tool}`, `it has the tool ${tool}`),
      tool,
    })),
    calls: options.calls.map((call, at) => ({
      subject: subject(`call.${at + 1}`, `the call ${call.tool}=${JSON.stringify(call.args)} succeeds`),
      call,
    })),
    stdout: subject('stdout', 'stdout carries nothing but messages'),
    answers: subject('answers', 'each request gets one answer'),
    end: subject('end', `it ends within ${END_MS / 1000} s when its stdin is closed`),
    leftovers: subject('leftovers', 'it leaves no process behind'),
    reload: options.reload ? subject('reload', 'it survives a reload') : undefined,
  };
}

/** All of them, in the order in which they are made. */
export function allSubjects(subjects: EraSubjects): readonly Subject[] {
  const { handshake, lists, schemas, names, expected, calls, stdout, answers, end, leftovers, reload } =
    subjects;
  return [
    handshake,
    ...Object.values(lists),
    schemas,
    names,
    ...expected.map(({ subject }) => subject),
    ...calls.map(({ subject }) => subject),
    end,
    leftovers,
    stdout,
    answers,
    ...(reload === undefined ? [] : [reload]),
  ];
}
