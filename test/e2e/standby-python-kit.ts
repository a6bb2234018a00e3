import { mkdirSync, symlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { interpreter } from '../kit/python.ts';
import type { TempProject } from '../kit/temp-project.ts';
import type { Files } from './live.ts';

/** `serve(name, tools)`, an MCP server that needs little of Python; a tool is a function of its arguments. */
const SERVE_PY = `import json
import sys


def serve(name, tools):
    def initialize(params):
        version = params["protocolVersion"]
        return {"protocolVersion": version, "capabilities": {"tools": {}}, "serverInfo": {"name": name, "version": "1"}}

    def list_tools(params):
        return {"tools": [{"name": each, "inputSchema": {"type": "object"}} for each in tools]}

    def call_tool(params):
        text = str(tools[params["name"]](**params.get("arguments", {})))
        return {"content": [{"type": "text", "text": text}]}

    methods = {"initialize": initialize, "tools/list": list_tools, "tools/call": call_tool}
    for line in sys.stdin:
        message = json.loads(line)
        if "id" not in message:
            continue
        method = methods.get(message["method"])
        answer = {"result": method(message.get("params", {}))} if method else {"error": {"code": -32601, "message": "?"}}
        print(json.dumps({"jsonrpc": "2.0", "id": message["id"], **answer}), flush=True)
`;

/** A server in Python. Each time it is loaded it adds its process to `loads.txt`. */
export const PYTHON: Files = { 'serve.py': SERVE_PY, 'server.py': pythonText('one') };

/** `server.py` of `PYTHON` with this version; `more` is put before all else, and `tools` are more entries of the dict. */
export function pythonText(version: string, more = '', tools = ''): string {
  return `${more}
import asyncio
import os

from serve import serve

with open("loads.txt", "a") as loads:
    loads.write(str(os.getpid()) + "\\n")
serve("plain", {"version": lambda: ${JSON.stringify(version)}, "variable": lambda name: os.environ.get(name), ${tools}})
`;
}

/** A package of one file that tells which processes load it. */
export function earlyPackage(version: string): string {
  return `import os

version = "${version}"
with open("early.txt", "a") as early:
    early.write("${version} %d\\n" % os.getpid())
`;
}

/** Makes `.venv` of the project a Python environment without packages; answers where its packages would be. */
export function makeEnvironment(project: TempProject): string {
  const { executable, version } = interpreter();
  project.write(`.venv/pyvenv.cfg`, `home = ${dirname(executable)}\ninclude-system-site-packages = false\n`);
  mkdirSync(project.path(`.venv/bin`), { recursive: true });
  symlinkSync(executable, project.path(`.venv/bin/python`));
  return `.venv/lib/python${version}/site-packages`;
}
