/** Folders that never hold source, whatever .gitignore says: version control, packages, caches. */
const FOLDERS = new Set([
  '.git',
  '.hg',
  '.svn',
  '.jj',
  'node_modules',
  '.venv',
  '.tox',
  '.nox',
  '__pypackages__',
  'site-packages',
  '__pycache__',
  '.mypy_cache',
  '.pytest_cache',
  '.ruff_cache',
]);

/** Files that editors and tools put beside a source for a moment. Tested against the base name. */
const TEMPORARY = [
  /^4913$/, // vim asks whether it may create files in the folder
  /\.sw[n-px]$/, // vim's swap files
  /~$/, // backups of vim, Emacs, gedit
  /^\.?#/, // Emacs' locks and auto-saves
  /^flycheck_/,
  /_flymake\.[^.]+$/,
  /\.tmp$/,
  /\.tmp\.\d+(\.\w+)?$/, // name.ts.tmp.<pid>.<time>
  /^\.goutputstream-/,
  /___jb_(tmp|old)___$/,
  /\.kate-swp$/,
  /\.vsctmp$/,
  /\.crswap$/,
  /\.timestamp-\d+-[\da-f]+\.[cm]?js$/, // Vite's copy of its configuration
  /\.bundled_\w+\.[cm]?js$/, // a bundled configuration that is imported and removed
  /^\.DS_Store$/,
  /^Thumbs\.db$/,
];

/** Whether a folder of this base name is never looked into. */
export function isIgnoredFolderName(name: string): boolean {
  return FOLDERS.has(name);
}

/** Whether a file of this base name is an editor's or a tool's temporary one. */
export function isTemporaryName(name: string): boolean {
  return TEMPORARY.some((pattern) => pattern.test(name));
}
