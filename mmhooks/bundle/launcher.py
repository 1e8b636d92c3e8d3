#!/bin/sh
""":"
# A released Mattermost server runs this file as a program, and then it is a shell script that looks for a Python.
# Mattermost's runtime for Python plugins runs it by a Python, to which all of this is a text. The first Python that runs
# goes on; whether it fits is for the part below to find out.
if [ -n "${MMHOOKS_PYTHON:-}" ] && ! "$MMHOOKS_PYTHON" -I -S -c "" >/dev/null 2>&1; then
    echo "[WARN] MMHOOKS_PYTHON is $MMHOOKS_PYTHON, which does not run as a Python: looking for another" >&2
fi
for python in "${MMHOOKS_PYTHON:-python3}" python3 python3.14 python3.13 python3.12 python3.11; do
    if "$python" -I -S -c "" >/dev/null 2>&1; then
        # -I and -S: nothing of the server's own packages, and a start that takes a third of the time.
        exec "$python" -I -S "$0" netrpc
    fi
done
echo "[ERROR] this plugin is written in Python, and there is no python3 that runs on the PATH of the server's user ($PATH): install Python, or name one by the variable MMHOOKS_PYTHON, or bundle the plugin with --standalone" >&2
exit 1
"""

# Started by whichever Python there is: what stands here has to be understood by old ones, too.
import os
import sys

SERVER = os.path.dirname(os.path.abspath(__file__))
LIBRARIES = os.path.join(SERVER, "lib")
ISOLATED = ["-I", "-S"]

# `3.12`, with a further word for Pythons that libraries which were compiled for that version do not fit.
VERSION = (
    "import sys; kind = sys.implementation.name + 't' * ('t' in getattr(sys, 'abiflags', '')); "
    "version = '%d.%d' % sys.version_info[:2] + ('' if kind == 'cpython' else ' ' + kind)"
)


def main() -> None:
    """Go on in a Python that the bundle was made for, isolated from what is installed there, and run the plugin."""
    wire = sys.argv[1] if len(sys.argv) > 1 else "grpc"
    libraries = os.path.join(LIBRARIES, target(own_version()))
    if not os.path.isdir(libraries):
        become(another_python(), wire)
    if not (sys.flags.isolated and sys.flags.no_site):
        become(sys.executable, wire)
    root = os.path.dirname(SERVER)
    # As in development: the plugin's own modules, the standard library, what is installed.
    sys.path.insert(0, root)
    # What was compiled for this Python goes before what is for all: where the versions differ, it is the right one.
    sys.path += [libraries, os.path.join(LIBRARIES, "any")]
    os.environ.setdefault("MMHOOKS_HOST", wire)
    plugin = os.path.join(root, "plugin.py")
    sys.argv = [plugin]

    from mmhooks.hosts import ahead

    ahead.run(plugin)


def own_version() -> str:
    """The version of this Python, as `VERSION` has it."""
    found = {}  # type: dict[str, str]
    exec(VERSION, found)
    return found["version"]


def target(version: str) -> str:
    """The name of the folder with what was compiled for this system and such a Python."""
    system = os.uname()
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(system.machine, system.machine)
    return "%s-%s-py%s" % (system.sysname.lower(), machine, version)


def become(python: str, wire: str) -> None:
    """Go on in that Python; does not return."""
    os.execv(python, [python] + ISOLATED + [os.path.abspath(__file__), wire])


def another_python() -> str:
    """The path of a Python on the PATH that fits. Where there is none, says so in the log and ends the process."""
    wanted = sorted(name for name in os.listdir(LIBRARIES) if name != "any")
    versions = [name.rpartition("-py")[2] for name in wanted if name == target(name.rpartition("-py")[2])]
    path = os.environ.get("PATH", os.defpath)
    named = os.environ.get("MMHOOKS_PYTHON", "")
    names = [named] if named else []
    names += ["python" + version for version in versions]
    tried = ["%s (%s)" % (sys.executable, own_version())]
    for name in names:
        for folder in path.split(os.pathsep):
            python = os.path.join(folder, name)  # the name alone, where it is a whole path
            if not os.path.isfile(python) or not os.access(python, os.X_OK):
                continue
            version = version_of(python)
            if version in versions:
                return python
            found = "%s (%s)" % (python, version or "does not run")
            if found not in tried:
                tried.append(found)
    complain(
        "this bundle needs %s; this machine is %s, and there is: %s; PATH is %s. Install one that fits, or name one by the "
        "variable MMHOOKS_PYTHON, or bundle the plugin with --platform and --python for this server, or with --standalone"
        % (
            " or ".join(wanted).replace("-py", " with Python "),
            target("").rpartition("-")[0],
            ", ".join(tried),
            path,
        )
    )
    sys.exit(1)


def version_of(python: str) -> str:
    """The version of a Python by its own word; empty when it does not run, as those that only stand in for one."""
    import subprocess

    try:
        command = [python] + ISOLATED + ["-c", VERSION + "; print(version)"]
        ran = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    except OSError:
        return ""
    return ran.stdout.decode().strip() if ran.returncode == 0 else ""


def complain(text: str) -> None:
    """Write an error that the server's log shows as one."""
    import json
    import time

    now = time.strftime("%Y-%m-%dT%H:%M:%S.000000Z", time.gmtime())
    entry = {"@level": "error", "@message": text, "@module": "mmhooks", "@timestamp": now}
    sys.stderr.write(json.dumps(entry) + "\n")


if __name__ == "__main__":
    main()
