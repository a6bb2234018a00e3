import { chmodSync, existsSync, mkdirSync, readdirSync, statSync, symlinkSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, onTestFinished, test } from 'vitest';
import { carryOut } from '../../src/cli/elsewhere/run.ts';
import { privateFolder } from '../../src/config/private-folder.ts';
import { addressOf, isGone, type Owner, ourselves } from '../../src/control/address.ts';
import type { Subject } from '../../src/control/answering.ts';
import { converse } from '../../src/control/connection.ts';
import { findInstances } from '../../src/control/instances.ts';
import { listen } from '../../src/control/listener.ts';
import type { Ask, Hello, Reply } from '../../src/control/protocol.ts';
import { Journal } from '../../src/journal/journal.ts';
import type { ServerStatus } from '../../src/reload/status.ts';
import { Line } from '../../src/wire/line.ts';
import { run } from '../e2e/run.ts';
import { tempProject } from '../kit/temp-project.ts';
import { until } from '../kit/wait.ts';

const HELLO: Hello = {
  reply: 'hello',
  protocol: 1,
  version: '1.2.3',
  name: 'listened',
  cwd: '/a',
  root: '/a',
  pid: 1,
  startedAt: 5,
};

const STATUS: ServerStatus = {
  server: 'listened',
  state: 'serving',
  watched: [],
  reloads: [],
  crashes: 0,
  hints: [],
  strayLines: 0,
  standby: { kind: 'none', reason: 'it is switched off' },
};

/** A folder as privateFolder makes it. */
function meetingFolder(): string {
  const folder = privateFolder(tempProject().path('meeting'));
  if (folder === undefined) throw new Error('no private folder');
  return folder;
}

/** Listens in a folder of its own, for a server whose calls stay open. */
async function open(hello: Partial<Hello> = {}) {
  const folder = meetingFolder();
  const journal = new Journal();
  const hungUp: string[] = [];
  let status = STATUS;
  const subject: Subject = {
    hello: { ...HELLO, ...hello },
    journal,
    server: {
      status: () => status,
      reload: async () => ({ event: 'pending' }),
      call(tool, args, answered) {
        if (tool === 'echo') answered(Line.json({ id: 1, result: args }));
        return () => hungUp.push(tool);
      },
    },
    stop: () => {},
  };
  const address = addressOf(folder, ourselves());
  const listener = await listen(address, subject);
  onTestFinished(() => listener.close());
  const become = (state: ServerStatus['state']): void => {
    status = { ...STATUS, state };
  };
  return { folder, address, journal, listener, hungUp, become };
}

async function ask(address: string, what: Ask): Promise<Reply[]> {
  const replies: Reply[] = [];
  for await (const reply of converse(address, what)) replies.push(reply);
  return replies;
}

/** Writes bytes as they are, and gives all that comes back, in lines. */
async function say(address: string, bytes: string | Buffer): Promise<Reply[]> {
  const socket = connect(address);
  // What is refused may be refused before it was written to its end.
  socket.on('error', () => socket.destroy());
  socket.write(bytes);
  const said = await text(socket);
  return said
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Reply);
}

const notOnWindows = process.platform !== 'win32';

describe.runIf(notOnWindows)('the folder', () => {
  test('is made for this user alone, and found again', () => {
    const path = tempProject().path('meeting');
    expect(privateFolder(path)).toBe(path);
    expect(statSync(path).mode & 0o777).toBe(0o700);
    expect(privateFolder(path)).toBe(path);
  });

  test('is none that others may look into or write to', () => {
    const path = tempProject().path('meeting');
    mkdirSync(path);
    for (const mode of [0o750, 0o701, 0o770, 0o777]) {
      chmodSync(path, mode);
      expect(privateFolder(path)).toBeUndefined();
    }
  });

  test('is none that is a link, or a file', () => {
    const project = tempProject({ file: '' });
    mkdirSync(project.path('real'), { mode: 0o700 });
    symlinkSync(project.path('real'), project.path('link'));
    expect(privateFolder(project.path('link'))).toBeUndefined();
    expect(privateFolder(project.path('file'))).toBeUndefined();
  });

  test.runIf(process.getuid?.() === 0)("is none that is somebody else's", async () => {
    const path = tempProject().path('meeting');
    mkdirSync(path, { mode: 0o700 });
    await run('chown', ['12345', path]);
    expect(privateFolder(path)).toBeUndefined();
  });
});

describe('finding', () => {
  test('one that listens greets with who it is', async () => {
    const { folder, address } = await open();
    expect(await findInstances(folder)).toEqual({ instances: [{ address, hello: HELLO }], silent: [] });
  });

  test('the socket is gone in the call that closes it', async () => {
    const { folder, listener } = await open();
    listener.close();
    expect(readdirSync(folder)).toEqual([]);
  });

  test.runIf(notOnWindows)('what a dead process left is removed, what a living one has is not', async () => {
    const folder = meetingFolder();
    const dead = addressOf(folder, { pid: process.pid, start: 1 });
    const mute = addressOf(folder, ourselves());
    // A listening process that is killed leaves its file behind.
    const program =
      'require("net").createServer().listen(process.argv[1], () => process.kill(process.pid, "SIGKILL"))';
    for (const address of [dead, mute]) await run(process.execPath, ['-e', program, address]);
    expect(readdirSync(folder)).toHaveLength(2);
    expect(await findInstances(folder)).toEqual({ instances: [], silent: [] });
    expect([existsSync(dead), existsSync(mute)]).toEqual([false, true]);
  });

  test.runIf(notOnWindows)(
    'a socket on which somebody listens stays, though its owner cannot be seen',
    async () => {
      const folder = meetingFolder();
      const unseen: Owner = { pid: process.pid, start: 1 };
      expect(isGone(unseen)).toBe(true);
      const server = createServer((socket) => socket.end()).listen(addressOf(folder, unseen));
      onTestFinished(() => void server.close());
      expect(await findInstances(folder)).toEqual({ instances: [], silent: [process.pid] });
      expect(existsSync(addressOf(folder, unseen))).toBe(true);
    },
  );

  test('other files in the folder are nobody', async () => {
    const { folder, address } = await open();
    mkdirSync(`${folder}/something-1`);
    const { instances } = await findInstances(folder);
    expect(instances.map((one) => one.address)).toEqual([address]);
  });
});

describe('talking', () => {
  test('many ask at the same time, and each gets its own answer', async () => {
    const { address } = await open();
    const calls = Array.from({ length: 100 }, (_, n) =>
      ask(address, { ask: 'call', tool: 'echo', arguments: { n } }),
    );
    const replies = await Promise.all(calls);
    expect(replies).toEqual(
      Array.from({ length: 100 }, (_, n) => [{ reply: 'call', response: { id: 1, result: { n } } }]),
    );
  });

  test('a follower of the log gets the end of it, and then what comes, of its source alone', async () => {
    const { address, journal } = await open();
    for (const n of [1, 2, 3]) journal.logs.line('server', `old ${n}`, n);
    const seen: string[] = [];
    for await (const reply of converse(address, { ask: 'logs', source: 'server', lines: 2, follow: true })) {
      if (reply.reply !== 'line') continue;
      seen.push(reply.line.text);
      if (reply.line.text === 'old 3') {
        journal.logs.line('build', 'not this');
        journal.logs.line('server', 'new');
      }
      if (reply.line.text === 'new') break;
    }
    expect(seen).toEqual(['old 2', 'old 3', 'new']);
  });

  test('a follower of the status hears of each change once', async () => {
    const { address, journal, become } = await open();
    const seen: string[] = [];
    for await (const reply of converse(address, { ask: 'status', follow: true })) {
      if (reply.reply !== 'status') continue;
      seen.push(reply.status.state);
      if (seen.length === 1) {
        become('stale');
        journal.note({ event: 'change', paths: [] });
        journal.note({ event: 'change', paths: [] });
      } else if (seen.length === 2) become('building');
      else break;
    }
    expect(seen).toEqual(['serving', 'stale', 'building']);
  });

  test('a call whose caller goes away is taken back', async () => {
    const { address, hungUp } = await open();
    const socket = connect(address);
    socket.write('{"protocol":1,"ask":"call","tool":"slow","arguments":{}}\n');
    await new Promise((resolve) => socket.once('data', resolve));
    socket.destroy();
    await until(() => hungUp.includes('slow'), 'the call is taken back');
  });

  test('what cannot be removed hides nobody', async () => {
    const { folder } = await open();
    // Nobody is process 0, and no folder can be removed like a socket.
    mkdirSync(addressOf(folder, { pid: 0, start: 1 }));
    const { instances } = await findInstances(folder);
    expect(instances.map(({ hello }) => hello.name)).toEqual(['listened']);
  });

  test('one that speaks another protocol is known by name, and not asked', async () => {
    const { folder, address } = await open({ protocol: 2 });
    expect((await findInstances(folder)).instances).toHaveLength(1);
    const replies = await ask(address, { ask: 'stop' });
    expect(replies).toEqual([
      { reply: 'refused', why: 'it is mcp-dev 1.2.3, which this one cannot talk to: use the same version' },
    ]);
  });

  test.each([
    [false, []],
    [true, ['[]']],
  ])('its status is not known, which is no good news (as JSON: %s)', async (json, printed) => {
    const { folder } = await open({ protocol: 2 });
    const prints: string[] = [];
    const complaints: string[] = [];
    const code = await carryOut(
      { kind: 'status', name: undefined, json, watch: false },
      {
        folder,
        cwd: '/',
        home: '/nowhere',
        print: (text) => prints.push(text),
        complain: (text) => complaints.push(text),
      },
    );
    expect({ code, prints, complaints }).toEqual({
      code: 1,
      prints: printed,
      complaints: ['listened: it is mcp-dev 1.2.3, which this one cannot talk to: use the same version'],
    });
  });
});

describe('what is no question is refused in a sentence, and harms nobody', () => {
  const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
  test.each([
    ['nonsense', 'what\n', 'this is no line of JSON with an object'],
    ['bytes', Buffer.from([0xff, 0x00, 0x0a]), 'this is no line of JSON with an object'],
    ['a list', '[1]\n', 'this is no line of JSON with an object'],
    [
      'depth',
      `{"protocol":1,"ask":"call","tool":"a","arguments":{"a":${deep}}}\n`,
      'this is no line of JSON with an object',
    ],
    ['no protocol', '{}\n', 'protocol none was asked for, and this is 1'],
    ['another protocol', '{"protocol":9}\n', 'protocol 9 was asked for, and this is 1'],
    ['nothing', '{"protocol":1}\n', 'nobody knows what nothing is'],
    ['something unknown', '{"protocol":1,"ask":"__proto__"}\n', 'nobody knows what "__proto__" is'],
    ['a number for a reason', '{"protocol":1,"ask":"reload","reason":1}\n', '"reason" must be a string'],
    ['an unknown source', '{"protocol":1,"ask":"logs","source":"x","lines":1}\n', '"source" must be one of'],
    ['lines below zero', '{"protocol":1,"ask":"logs","lines":-1}\n', '"lines" must be a whole number'],
    ['half a generation', '{"protocol":1,"ask":"logs","lines":1,"generation":0.5}\n', '"generation" must be'],
    ['a call of nothing', '{"protocol":1,"ask":"call","arguments":{}}\n', '"tool" must be a string'],
    [
      'a call with a list',
      '{"protocol":1,"ask":"call","tool":"a","arguments":[]}\n',
      '"arguments" must be an object',
    ],
  ])('%s', async (_, bytes, why) => {
    const { address } = await open();
    const [hello, refused, ...more] = await say(address, bytes);
    expect(hello).toEqual(HELLO);
    expect(refused).toMatchObject({ reply: 'refused', why: expect.stringContaining(why) });
    expect(more).toEqual([]);
    expect(await ask(address, { ask: 'status', follow: false })).toEqual([
      { reply: 'status', status: STATUS },
    ]);
  });

  test('a question without end is not kept', async () => {
    const { address } = await open();
    const [, refused] = await say(address, Buffer.alloc(17 * 1024 * 1024, 0x20));
    expect(refused).toMatchObject({ reply: 'refused', why: expect.stringContaining('longer than') });
  });

  test('only the first of several questions is answered', async () => {
    const { address } = await open();
    const line = '{"protocol":1,"ask":"status"}\n';
    expect(await say(address, line + line)).toHaveLength(2);
  });
});
