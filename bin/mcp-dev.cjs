#!/usr/bin/env node
require('../dist/mcp-dev.cjs');
