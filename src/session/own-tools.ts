import { splice, textAt } from '../wire/edit.ts';
import type { Line } from '../wire/line.ts';
import { isObject } from '../wire/message.ts';
import { locate, skipSpace } from '../wire/scan.ts';
import type { Catalogue } from './catalogue.ts';
import type { ClientRequest, State } from './state.ts';

const OPEN_BRACKET = 0x5b;

/** What the names of our tools begin with. */
export const OWN_TOOL_PREFIX = 'mcp_dev_';

/**
 * A page of `tools/list` with our tools at its end, if it is the first one: that is what was asked for without a cursor.
 * What is of the server keeps its bytes. A tool of the server with the name of one of ours wins.
 */
export function withOwnTools(state: State, request: ClientRequest, line: Line): Line {
  if (state.settings.tools.length === 0 || !isForFirstPage(request)) return line;
  const bytes = line.bytes();
  const list = locate(bytes, ['result', 'tools']);
  if (list === undefined || bytes[list.start] !== OPEN_BRACKET) return line;
  const onPage = namesOn(line);
  // The list is that of the generation which answers, whatever serves by now.
  const catalogue = request.peer?.catalogue ?? served(state);
  const isTaken = (name: unknown) => onPage.has(name) || has(catalogue, name);
  const taken = state.settings.tools.filter(({ name }) => isTaken(name)).map(({ name }) => name);
  if (taken.length > 0) {
    const message = `the server has ${taken.join(', ')} itself, so that its own is used`;
    state.emit({ do: 'warn', about: 'tool-names', message });
  }
  const offered = state.settings.tools
    .filter(({ name }) => !isTaken(name))
    .map((tool) => JSON.stringify(tool));
  const isEmpty = skipSpace(bytes, list.start + 1, list.end) === list.end - 1;
  const text = (isEmpty ? offered : ['', ...offered]).join(',');
  return splice(line, [{ start: list.end - 1, end: list.end - 1, text }]);
}

/** Whether this is the name of a tool of ours, and of none of the server's, as far as those are known. */
export function isOwnTool(state: State, name: unknown): name is string {
  return state.settings.tools.some((tool) => tool.name === name) && !has(served(state), name);
}

function served({ active, catalogue }: State): Catalogue {
  return active?.catalogue ?? catalogue;
}

function has(catalogue: Catalogue, name: unknown): boolean {
  return (catalogue.get('tools/list') ?? []).some((tool) => tool.name === name);
}

function isForFirstPage({ line }: ClientRequest): boolean {
  const cursor = textAt(line, ['params', 'cursor']);
  return cursor === undefined || cursor === 'null';
}

function namesOn(line: Line): ReadonlySet<unknown> {
  const message = line.parse();
  const result = isObject(message) && isObject(message.result) ? message.result : {};
  const tools = Array.isArray(result.tools) ? result.tools.filter(isObject) : [];
  return new Set(tools.map(({ name }) => name));
}
