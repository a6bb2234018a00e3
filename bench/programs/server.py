"""The same as server-v1.mjs in Python, with as much of the standard library as servers tend to load."""

import asyncio  # noqa: F401
import email.message  # noqa: F401
import http.client  # noqa: F401
import json
import logging  # noqa: F401
import sqlite3  # noqa: F401
import sys
import urllib.request  # noqa: F401
import xml.etree.ElementTree  # noqa: F401

from newest import NEWEST

SCHEMA = {"type": "object"}
TOOLS = {
    "echo": lambda given: f"{given['text']} @{NEWEST}",
    "add": lambda given: given["a"] + given["b"],
    NEWEST: lambda given: NEWEST,
}


def initialize(params):
    return {
        "protocolVersion": params["protocolVersion"],
        "capabilities": {"tools": {}},
        "serverInfo": {"name": "bench", "version": "1.0.0"},
    }


def call(params):
    return {"content": [{"type": "text", "text": str(TOOLS[params["name"]](params["arguments"]))}]}


METHODS = {
    "initialize": initialize,
    "tools/list": lambda _: {"tools": [{"name": name, "inputSchema": SCHEMA} for name in TOOLS]},
    "tools/call": call,
}

for line in sys.stdin.buffer:
    message = json.loads(line)
    if "id" in message:
        result = METHODS[message["method"]](message["params"])
        print(json.dumps({"result": result, "jsonrpc": "2.0", "id": message["id"]}), flush=True)
