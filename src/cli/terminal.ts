import { PassThrough, Writable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import type { RunConfig } from '../config/run-config.ts';
import type { DevSession, SessionStreams } from '../library/dev-session.ts';
import type { Reporter } from '../report/reporter.ts';
import { packageVersion } from '../system/package.ts';
import { isObject, type JsonObject } from '../wire/message.ts';
import type { SessionEnd } from './session-end.ts';
import { SmallClient } from './small-client.ts';

const CTRL_C = '\u0003';
const CTRL_D = '\u0004';
const KEYS = 'r reload, l list, s status, q quit';

/**
 * Terminal mode: `mcp-dev` is its own client, and a person reads along. Everything is said on stderr, as
 * stdout is for MCP messages only, and here there are none.
 */
export function attachTerminal(
  config: RunConfig,
  end: SessionEnd,
): { readonly streams: SessionStreams; begin(session: DevSession): void } {
  let said: Reporter | undefined;
  const stdin = new PassThrough();
  const connection = new SmallClient({
    send: (line) => stdin.write(Buffer.concat([line.bytes(), Buffer.from('\n')])),
    onNotification: (method, params) => {
      if (method === 'notifications/message')
        said?.info(`log ${params.level}: ${JSON.stringify(params.data)}`);
    },
    rootUri: pathToFileURL(config.root).href,
  });
  const stdout = new Writable({
    write(bytes: Buffer, _encoding, done) {
      connection.receive(bytes);
      done();
    },
  });

  const begin = (session: DevSession): void => {
    const { reporter } = session;
    said = reporter;
    const list = async (): Promise<void> => {
      const tools = await connection.list('tools/list', 'tools');
      reporter.info(
        tools.length === 0 ? 'no tools' : tools.length === 1 ? '1 tool' : `${tools.length} tools`,
      );
      for (const tool of tools) reporter.info(`  ${wordTool(tool)}`);
    };
    const connect = async (): Promise<void> => {
      const answer = await connection.connect(packageVersion());
      const info = isObject(answer.serverInfo) ? answer.serverInfo : {};
      reporter.info(
        `connected to ${info.name} ${info.version}, protocol ${answer.protocolVersion}; keys: ${KEYS}`,
      );
      await list();
    };
    const fail = (error: unknown): void => reporter.error(String(error));
    readKeys({
      r: () => void session.reload('key r'),
      l: () => void list().catch(fail),
      s: () => reporter.info(wordStatus(session)),
      q: () => end.because({ kind: 'client-closed' }),
      [CTRL_C]: () => process.kill(process.pid, 'SIGINT'),
      [CTRL_D]: () => end.because({ kind: 'client-closed' }),
    });
    connect().catch(fail);
  };
  return { streams: { stdin, stdout, stderr: process.stderr }, begin };
}

/** Keys come one by one from a terminal, and as characters of lines from anything else. */
function readKeys(actions: Readonly<Record<string, () => void>>): void {
  const { stdin } = process;
  if (stdin.isTTY) stdin.setRawMode(true);
  stdin.setEncoding('utf8');
  stdin.on('data', (text) => {
    for (const key of String(text)) actions[key]?.();
  });
}

function wordTool(tool: JsonObject): string {
  const [summary = ''] = String(tool.description ?? '').split('\n');
  return summary === '' ? String(tool.name) : `${tool.name} - ${summary}`;
}

function wordStatus(session: DevSession): string {
  const { state, generation, pid, uptimeMs = 0, stale, watched } = session.status();
  const serving =
    generation === undefined
      ? 'nothing serves'
      : `generation ${generation} serves (process ${pid}, for ${Math.round(uptimeMs / 1000)} s)`;
  const why = stale === undefined ? '' : `; the newest source does not work: ${stale.summary}`;
  return `${state}: ${serving}${why}; watches ${watched.join(', ')}`;
}
