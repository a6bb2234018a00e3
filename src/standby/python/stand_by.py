"""The waiting of a Python process: loads packages, tells which files that were, and waits for its turn.

Nothing is imported here but what Python has loaded anyway, and what the server will load: a module that is
there already can't be another one for the server.
"""

import os
import sys

# What is no mere definition when it is loaded, or opens a window, or takes the terminal.
NOT_PURE = frozenset(
    "__main__ antigravity idlelib lib2to3 readline rlcompleter site sitecustomize test this tkinter turtle"
    " turtledemo usercustomize".split()
)

# Packages that take a server's time to load and do nothing but define things when they are loaded.
SAFE = frozenset(
    "annotated_types anyio attr attrs h11 httpcore httpx httpx_sse idna jsonschema mcp pydantic pydantic_core"
    " pydantic_settings referencing rpds sniffio sse_starlette starlette typing_extensions typing_inspection"
    " uvicorn".split()
)

# Reads its settings from the environment when it is loaded, so only what it needs is loaded early.
NEEDED_BY = {
    "fastmcp": ("mcp", "mcp.server.lowlevel", "pydantic_settings", "httpx", "starlette.applications"),
}

# What has to be there before anything else is loaded, as it changes what that is or does.
FIRST = frozenset(
    "appsignal beartype coverage ddtrace debugpy elasticapm eventlet gevent jaxtyping logfire newrelic"
    " opentelemetry pip_system_certs pydevd pyximport sentry_sdk truststore typeguard".split()
)

# Ways to change where modules come from, as they are written.
PATH_CHANGES = ("sys.path", "sys.meta_path", "sys.path_hooks", "addsitedir")

STANDARD_LIBRARY = os.path.dirname(os.path.abspath(os.__file__))

# Asks `compile` for the syntax tree alone, without the module that has a name for this number.
ONLY_TREE = 0x400


class Refused(Exception):
    """There can be no standby; the message is one clause."""


def stand_by(place):
    """Returns when the runner has said which generation this is; ends the process if it never will."""
    try:
        started = os.stat(place).st_mtime_ns
        # Open before anybody is told that it is: what is written to a pipe that nobody has open is lost.
        go = open_for_reading(os.path.join(place, "go"))
        with open(os.path.join(place, "load"), encoding="utf-8") as file:
            mode = file.read()
        program = Program()
        loaded = load(program, mode)
        stamps = [(path, stamp_of(path)) for path in grounds()]
        if any(changed_since(path, started) for path, _ in stamps):
            raise Refused("a package changed while it was loaded")
        tell(place, stamps)
        generation = read_line(go)
        os.close(go)
        if generation is None:
            # Nobody holds the other end any more: the runner has ended.
            os._exit(0)
        os.environ["MCP_DEV_GENERATION"] = generation
        forget_folders()
        if loaded and (comes_first_now() or program.shadows(loaded) or program.has_new_signs()):
            # With what came while it waited, not all that is loaded is what the program would load: once more, then.
            os.execve(sys.executable, sys.orig_argv, os.environ)
    except BaseException as error:
        with open(os.path.join(place, "failed"), "w", encoding="utf-8") as file:
            file.write(str(error) or type(error).__name__)
        os._exit(1)


def open_for_reading(pipe):
    """With a writer of our own for a moment: opening would wait for the runner's end, which may be gone already."""
    both = os.open(pipe, os.O_RDWR)
    reading = os.open(pipe, os.O_RDONLY)
    os.close(both)
    return reading


def read_line(pipe):
    """Blocks without any work; None when the pipe ends first."""
    text = b""
    while not text.endswith(b"\n"):
        chunk = os.read(pipe, 64)
        if not chunk:
            return None
        text += chunk
    return text.decode("ascii").rstrip()


# --- What is loaded ---------------------------------------------------------------------------------------------------


def load(program, mode):
    """Loads what the program imports, as far as the mode allows it and it is installed; answers what that were."""
    if comes_first_now():
        return []
    wanted = program.wanted(mode)
    before = set(sys.modules)
    path = sys.path[:]
    written = sys.dont_write_bytecode
    installed = [each for each in path if is_installed(each)]
    sys.path[:] = installed
    sys.dont_write_bytecode = True
    for name, members in wanted:
        try:
            __import__(name, {}, {}, members, 0)
        except ImportError:
            # There is none here, and the program may do without: that comes out at its turn.
            pass
    sys.dont_write_bytecode = written
    if sys.path != installed:
        raise Refused("a package changes the search path when it is loaded")
    sys.path[:] = path
    loaded = [name for name in sys.modules if name not in before]
    for name in loaded:
        file = of_module(name, "__file__")
        if file is not None and not is_installed(file):
            raise Refused("a package loads " + name + ", which is not installed")
    shadowed = program.shadows(loaded)
    if shadowed:
        raise Refused("the project has a module with the name of another: " + ", ".join(shadowed))
    return loaded


def forget_folders():
    """What Python noted of the contents of folders may be old; `importlib` would load more for this."""
    for path, finder in list(sys.path_importer_cache.items()):
        if finder is None:
            del sys.path_importer_cache[path]
        elif hasattr(finder, "invalidate_caches"):
            finder.invalidate_caches()


def comes_first_now():
    """Whether the user has a module by which Python lets him change anything before his program."""
    specs = filter(None, map(spec_of, ("sitecustomize", "usercustomize")))
    return any(not is_below(STANDARD_LIBRARY, spec.origin or "") for spec in specs)


def spec_of(name):
    """What Python's finders say of a module, which is not loaded for that."""
    for finder in sys.meta_path:
        find = getattr(finder, "find_spec", None)
        spec = find and find(name, None)
        if spec:
            return spec
    return None


def is_installed(path):
    """Whether it belongs to Python or to a place where packages are installed, and not to somebody's sources."""
    path = os.path.abspath(path)
    parts = path.split(os.sep)
    if "site-packages" in parts or "dist-packages" in parts or "lib-dynload" in parts:
        return True
    return is_below(STANDARD_LIBRARY, path) or parts[-1] == "python%d%d.zip" % sys.version_info[:2]


def is_below(folder, path):
    return path == folder or path.startswith(folder + os.sep)


# --- What the program imports -----------------------------------------------------------------------------------------


class Program:
    """The server's program: where its own modules lie, and what these import from elsewhere when they are loaded."""

    def __init__(self):
        # Python puts this in front when it goes on.
        self.module = module_name()
        script = os.path.realpath(sys.argv[0])
        first = os.getcwd() if self.module is not None else os.path.dirname(script)
        own = [each or os.getcwd() for each in sys.path if not is_installed(each)]
        self.folders = own if getattr(sys.flags, "safe_path", False) else [first, *own]
        self.imports = {}
        # The names of all packages that are imported anywhere, also late.
        self.mentioned = set()
        self.changes_path = False
        # Each file that was read, with what it was like and the signs in it.
        self._read = {}
        if self.module is None:
            self._read_file(script, [])
        else:
            self.imports["runpy"] = set()
            self.mentioned.add(self.module.partition(".")[0])
            self._read_module(self.module)
            self._read_module(self.module + ".__main__")

    def wanted(self, mode):
        """The modules to load, each with the names that are imported from it."""
        if self.mentioned & FIRST:
            return []
        found = []
        for name, members in self.imports.items():
            top = name.partition(".")[0]
            if top in sys.stdlib_module_names:
                if top not in NOT_PURE:
                    found.append((name, sorted(members)))
            elif self.changes_path:
                # What is installed may not be what the program finds.
                continue
            elif mode == "deps" or top in SAFE:
                found.append((name, sorted(members)))
            else:
                found.extend((each, []) for each in NEEDED_BY.get(top, ()))
        return found

    def shadows(self, loaded):
        """Which of these modules the program would get from a folder of its own instead."""
        own = {name for folder in self.folders for name in names_in(folder)}
        return sorted(name for name in loaded if name in own and is_found_in_folders(name))

    def has_new_signs(self):
        """Whether a file that was read has got a sign that it did not have; to look for it in the text costs little."""
        for path, (stamp, signs) in self._read.items():
            if stamp != stamp_of(path) and signs_in(path) - signs:
                return True
        return False

    def _read_module(self, name, members=()):
        """Reads the module if it is the program's own; answers whether it is."""
        folders = self.folders
        package = []
        for part in name.split("."):
            file, inner = own_module(folders, part)
            if file is None and inner is None:
                file, inner = self._editable(part) if not package else (None, None)
                if file is None:
                    return bool(package)
            package.append(part)
            if file is not None:
                self._read_file(file, package if inner else package[:-1])
            if inner is None:
                return True
            folders = [inner]
        for member in members:
            file, inner = own_module(folders, member)
            if file is not None:
                self._read_file(file, package + [member] if inner else package)
        return True

    def _editable(self, name):
        """Where a finder of an installed package leads to somebody's sources."""
        if name in sys.stdlib_module_names:
            return None, None
        spec = spec_of(name)
        origin = spec and spec.has_location and spec.origin
        if not origin or (is_installed(origin) and name != (self.module or "").partition(".")[0]):
            return None, None
        return origin, os.path.dirname(origin) if spec.submodule_search_locations else None

    def _read_file(self, path, package):
        if path in self._read or not path.endswith((".py", ".pyw")):
            return
        self._read[path] = (stamp_of(path), signs_in(path))
        try:
            with open(path, "rb") as file:
                tree = compile(file.read(), path, "exec", ONLY_TREE, True)
        except (OSError, SyntaxError, ValueError):
            # What is wrong is the server's start to tell.
            return
        for node in every_node(tree):
            kind = type(node).__name__
            if kind == "Import":
                self.mentioned.update(each.name.partition(".")[0] for each in node.names)
            elif kind == "ImportFrom" and node.module and not node.level:
                self.mentioned.add(node.module.partition(".")[0])
            elif kind == "Attribute" and node.attr in ("path", "meta_path", "path_hooks", "addsitedir"):
                self.changes_path |= getattr(node.value, "id", None) in ("sys", "site")
        for node in certain_imports(tree.body):
            if type(node).__name__ == "Import":
                for each in node.names:
                    self._import(each.name, [])
            else:
                base = package[: len(package) - node.level + 1] if node.level else []
                name = ".".join([*base, *filter(None, [node.module])])
                if name:
                    self._import(name, [each.name for each in node.names if each.name != "*"])

    def _import(self, name, members):
        if not self._read_module(name, members):
            self.imports.setdefault(name, set()).update(members)


def module_name():
    """The name behind -m, if the program is given so."""
    if sys.argv[0] != "-m":
        return None
    word = sys.orig_argv[len(sys.orig_argv) - len(sys.argv)]
    # The name may be one word with its option.
    return word.partition("m")[2] if word.startswith("-") else word


def own_module(folders, name):
    """The file of a module in these folders and, of a package, its folder."""
    for folder in folders:
        inner = os.path.join(folder, name)
        file = os.path.join(inner, "__init__.py")
        if os.path.isfile(file):
            return file, inner
        if os.path.isfile(inner + ".py"):
            return inner + ".py", None
    # A package without a file is one only if nothing else has its name.
    for folder in folders:
        inner = os.path.join(folder, name)
        if os.path.isdir(inner) and spec_of(name) is None:
            return None, inner
    return None, None


def every_node(node):
    """The node and all below it."""
    waiting = [node]
    while waiting:
        node = waiting.pop()
        yield node
        for field in getattr(node, "_fields", ()):
            value = getattr(node, field, None)
            waiting.extend(value if isinstance(value, list) else [value])


def certain_imports(statements):
    """The imports that run whenever these statements do, in order."""
    for node in statements:
        kind = type(node).__name__
        if kind in ("Import", "ImportFrom"):
            yield node
        elif kind in ("Try", "TryStar"):
            yield from certain_imports(node.body + node.orelse + node.finalbody)
        elif kind in ("With", "ClassDef"):
            yield from certain_imports(node.body)
        elif kind == "If" and getattr(getattr(node.test, "left", None), "id", None) == "__name__":
            yield from certain_imports(node.body)


def signs_in(path):
    """What a file mentions by which other modules may be found, or have to come later."""
    try:
        with open(path, "rb") as file:
            text = file.read()
    except OSError:
        return set()
    return {sign for sign in (*FIRST, *PATH_CHANGES) if sign.encode() in text}


def names_in(folder):
    """The modules that Python would find in the folder."""
    try:
        entries = os.listdir(folder)
    except OSError:
        return
    for entry in entries:
        stem, dot, rest = entry.partition(".")
        if dot:
            if rest.rpartition(".")[2] in ("py", "pyc", "so"):
                yield stem
        elif os.path.isfile(os.path.join(folder, entry, "__init__.py")):
            yield stem


# --- What it takes for granted ----------------------------------------------------------------------------------------


def grounds():
    """The files that this process has loaded, and what says what is installed."""
    files = {sys.executable, os.path.join(sys.prefix, "pyvenv.cfg")}
    for name in list(sys.modules):
        file = of_module(name, "__file__")
        if isinstance(file, str):
            files.add(os.path.abspath(file))
    for folder in sys.path:
        if os.path.basename(folder) not in ("site-packages", "dist-packages") or not os.path.isdir(folder):
            continue
        files.add(folder)
        files.update(os.path.join(folder, name) for name in os.listdir(folder) if name.endswith(".pth"))
    return sorted(files)


def of_module(name, attribute):
    """An attribute of a loaded module, asked for in a way that wakes none that loads itself when it is asked."""
    try:
        return object.__getattribute__(sys.modules[name], "__dict__").get(attribute)
    except AttributeError:
        return None


def is_found_in_folders(name):
    """Whether a folder that comes earlier could have had it: not so what is a part of the interpreter."""
    spec = of_module(name, "__spec__")
    return of_module(name, "__file__") is not None and getattr(spec, "origin", None) != "frozen"


def stamp_of(path):
    """What `stamp.ts` says of the same file or folder; None: nothing there."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return "%d %d %d %d" % (found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def changed_since(path, time):
    """Whether the file or folder was written, replaced or renamed at that time (ns since the epoch) or later."""
    try:
        return os.stat(path).st_ctime_ns >= time
    except OSError:
        return False


def tell(place, stamps):
    """Complete as soon as it is there. By hand, as the module for JSON may not be the server's."""
    files = ",".join("[%s]" % ",".join(map(quoted, filter(None, each))) for each in stamps)
    path = os.path.join(place, "ready.json")
    with open(path + ".new", "w", encoding="utf-8") as out:
        out.write('{"pid":%d,"files":[%s]}' % (os.getpid(), files))
    os.rename(path + ".new", path)


def quoted(text):
    plain = (each if " " <= each <= "~" and each not in '"\\' else escaped(each) for each in text)
    return '"' + "".join(plain) + '"'


def escaped(character):
    code = ord(character)
    return "\\u%04x" % code if code <= 0xFFFF else character
