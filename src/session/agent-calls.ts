import { nearest } from '../text/suggest.ts';
import { editAt, splice, textAt } from '../wire/edit.ts';
import type { Line } from '../wire/line.ts';
import { isObject, type JsonObject } from '../wire/message.ts';
import { answer } from './answers.ts';
import type { Failure } from './failure.ts';
import { settleAlone } from './modern.ts';
import { isOwnTool, OWN_TOOL_PREFIX } from './own-tools.ts';
import { calledTool, paramsOf } from './requests.ts';
import { ownResult } from './results.ts';
import type { ClientRequest, Peer, State } from './state.ts';

/** The tool of ours that calls a tool of the server. */
const CALL = `${OWN_TOOL_PREFIX}call`;
/** Of so many names that could be meant one is mostly it. */
const MOST_NAMES = 5;

/**
 * Takes a call of one of our tools, which waits for no generation. True: it needs nothing more. A call to call another
 * tool becomes a call of that one, in the client's name, and goes the way of every call.
 */
export function takeOwnCall(state: State, request: ClientRequest): boolean {
  if (request.method !== 'tools/call' || state.settings.tools.length === 0) return false;
  // Nearly every call is of another tool, and is not parsed to see that.
  if (!state.ownNames.isIn(request.line)) return false;
  const { name, arguments: given } = paramsOf(request);
  if (!isOwnTool(state, name)) return false;
  const args = isObject(given) ? given : {};
  if (name === CALL) return callAnother(state, request, args);
  settleAlone(state, request);
  const key = ++state.lastId;
  state.executing.set(key, request);
  state.emit({ do: 'execute', key, tool: name, args });
  return true;
}

/** Answers a call of one of our tools, unless the client has cancelled it. */
export function receiveResult(state: State, key: number, result: JsonObject): void {
  const request = state.executing.get(key);
  if (request === undefined) return;
  state.executing.delete(key);
  answer(state, request, ownResult(request, result));
}

/** The answer to a call of a tool that this generation certainly has not; only such as the client need not have read. */
export function refuseUnknownTool(
  peer: Peer,
  request: ClientRequest,
  stale: Failure | undefined,
): Line | undefined {
  if (!request.indirect) return undefined;
  const tools = peer.catalogue.get('tools/list');
  if (tools === undefined || isReadingTools(peer)) return undefined;
  const name = calledTool(request) ?? '';
  if (tools.some((tool) => tool.name === name)) return undefined;
  const names = tools.flatMap((tool) => (typeof tool.name === 'string' ? [tool.name] : []));
  const old = stale === undefined ? '' : `, which has the code before: ${stale.summary}`;
  const near = nearest(name, names, MOST_NAMES).join(', ');
  const which = names.length > MOST_NAMES ? `the nearest of its ${names.length} tools` : 'its tools';
  const advice = near === '' ? 'it has none' : `${which}: ${near}`;
  return toolError(
    request,
    `there is no tool ${JSON.stringify(name)} in generation ${peer.generation}${old}; ${advice}`,
  );
}

/** Makes a call of the tool that the arguments name, with everything else as the client has it. True: it was refused. */
function callAnother(state: State, request: ClientRequest, args: JsonObject): boolean {
  const problem = problemOf(state, args);
  if (problem !== undefined) {
    answer(state, request, toolError(request, problem));
    return true;
  }
  const { line } = request;
  const name = editAt(line, ['params', 'name'], JSON.stringify(args.tool));
  const inner = textAt(line, ['params', 'arguments', 'arguments']) ?? '{}';
  const edit = editAt(line, ['params', 'arguments'], inner);
  if (name === undefined || edit === undefined) return false;
  request.line = splice(line, [name, edit]);
  request.indirect = true;
  return false;
}

function problemOf(state: State, args: JsonObject): string | undefined {
  const { server = state.settings.name, tool, arguments: inner = {}, ...more } = args;
  const [unknown] = Object.keys(more);
  if (unknown !== undefined)
    return `${CALL} has no argument ${JSON.stringify(unknown)}; what the tool gets belongs into "arguments"`;
  if (typeof tool !== 'string') return `${CALL} needs the name of the tool to call in "tool"`;
  if (!isObject(inner)) return `"arguments" must be an object, as the tool's inputSchema has it`;
  if (server !== state.settings.name)
    return `there is no server ${JSON.stringify(server)}; there is ${state.settings.name}`;
  if (isOwnTool(state, tool))
    return `${tool} is a tool of mcp-dev and no tool of the server: call it directly`;
  return undefined;
}

function toolError(request: ClientRequest, text: string): Line {
  return ownResult(request, { content: [{ type: 'text', text: `mcp-dev: ${text}` }], isError: true });
}

/** Its list may have changed, so that what it has not is not certain. */
function isReadingTools({ questions, outdated }: Peer): boolean {
  if (outdated.has('tools/list')) return true;
  return [...questions.values()].some((one) => one.purpose === 'list' && one.method === 'tools/list');
}
