import { converse } from '../../control/connection.ts';
import type { Instance } from '../../control/instances.ts';
import { isObject, type JsonObject } from '../../wire/message.ts';
import type { Elsewhere } from './command.ts';
import { ExitCode, type Surroundings } from './surroundings.ts';

/** Calls a tool, and prints what it answers. */
export async function call(
  command: Extract<Elsewhere, { kind: 'call' }>,
  { address, hello }: Instance,
  place: Surroundings,
): Promise<number> {
  const { tool, arguments: given, json } = command;
  for await (const reply of converse(address, { ask: 'call', tool, arguments: given })) {
    if (reply.reply === 'call') return show(reply.response, json, place);
    if (reply.reply !== 'refused') continue;
    place.complain(reply.why);
    return ExitCode.failed;
  }
  place.complain(`${hello.name} ended before it had answered`);
  return ExitCode.failed;
}

function show({ result, error }: JsonObject, json: boolean, place: Surroundings): number {
  if (!isObject(result)) {
    if (json) place.print(JSON.stringify({ error }, undefined, 2));
    else place.complain(wordError(error));
    return ExitCode.failed;
  }
  if (json) place.print(JSON.stringify(result, undefined, 2));
  else for (const line of wordResult(result)) place.print(line);
  const notice = wordStale(result);
  if (notice !== undefined) place.complain(notice);
  const isComplete = result.resultType === undefined || result.resultType === 'complete';
  if (!isComplete)
    place.complain('the tool wants to be answered something first, which only a client can do');
  return isComplete && result.isError !== true ? ExitCode.done : ExitCode.failed;
}

function wordError(error: unknown): string {
  const { message, code } = isObject(error) ? error : {};
  return `the server refused the call: ${message} (${code})`;
}

/** The text of a result; what is none is named. */
function wordResult({ content, structuredContent }: JsonObject): readonly string[] {
  const blocks = Array.isArray(content) ? content.filter(isObject) : [];
  if (blocks.length === 0 && structuredContent !== undefined) {
    return [JSON.stringify(structuredContent, undefined, 2)];
  }
  return blocks.map((block) => {
    const { type, text, mimeType, uri, resource } = block;
    if (typeof text === 'string') return text;
    if (isObject(resource)) return typeof resource.text === 'string' ? resource.text : `[${resource.uri}]`;
    return `[${[type, mimeType, uri].filter((part) => part !== undefined).join(' ')}]`;
  });
}

/** That old code gave the result, and why. */
function wordStale({ _meta }: JsonObject): string | undefined {
  const mark = isObject(_meta) ? _meta['mcp-dev'] : undefined;
  if (!isObject(mark) || mark.stale !== true) return undefined;
  return `this result is from old code (generation ${mark.generation}, ${mark.reason}): see mcp-dev status`;
}
