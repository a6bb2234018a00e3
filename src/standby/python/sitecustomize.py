"""Loaded by Python at its start, before anything of the server: reports that it is, or lets the process wait.

Then the search path is what it would be without this folder, and the user's own sitecustomize takes the place of
this one. Any Python may come here, so this file keeps to what Python 2 reads, too.
"""

import os
import sys


def leave_search_path():
    """Goes out of Python's search path; it and what Python keeps for it are as if nobody had been there."""
    folder = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [each for each in sys.path if os.path.abspath(each) != folder]
    sys.path_importer_cache.pop(folder, None)


def leave_environment(folder):
    """PYTHONPATH is the user's own again; the folder was put before it."""
    del os.environ["MCP_DEV_STANDBY"]
    merged = os.environ.get("PYTHONPATH", "")
    if merged == folder:
        del os.environ["PYTHONPATH"]
    elif merged.startswith(folder + os.pathsep):
        os.environ["PYTHONPATH"] = merged[len(folder + os.pathsep) :]


def report(file, text):
    """Tells; that nobody hears it is nothing that the server should suffer from."""
    try:
        with open(file, "w") as out:
            out.write(text)
    except (IOError, OSError):
        pass


def stand_by(place):
    """Waits for its turn, by code that is loaded for this alone and leaves no module behind."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "stand_by.py")
    scope = {"__name__": "mcp_dev_stand_by"}
    try:
        with open(path, "rb") as source:
            exec(compile(source.read(), path, "exec"), scope)
        scope["stand_by"](place)
    except BaseException:
        # Beyond this file lies the server, which is not to run now.
        os._exit(1)


def take_task():
    """Does what the environment says, if this process is the server; what else Python runs on the way is left alone."""
    text = os.environ.get("MCP_DEV_STANDBY")
    if text is None:
        return
    parts = text.split("\x1f")
    role, place, folder = parts[:3]
    if sys.version_info < (3, 10):
        # It can't be told which program this process is for.
        if role == "wait":
            os._exit(1)
        leave_environment(folder)
        report(place, "Python is older than 3.10")
        return
    words = parts[3:]
    if sys.orig_argv[1 : len(words) + 1] != words:
        return
    leave_environment(folder)
    if role == "wait":
        stand_by(place)
    else:
        report(place, "")


leave_search_path()
take_task()
# Kept, as Python 2 empties modules that nobody keeps.
_this = sys.modules.pop(__name__)
# That of the user, if there is one; else this fails in the way that Python expects.
import sitecustomize  # noqa: E402,F401
