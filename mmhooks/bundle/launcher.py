#!/bin/sh
""":"
# A released Mattermost server runs this file as a program, and then it is a shell script that looks for a Python.
# Mattermost's runtime for Python plugins runs it by a Python, to which all of this is a text. What follows is said to
# the first Python there is; whether it fits is for the part below to find out.
for python in "${MMHOOKS_PYTHON:-python3}" python3 python3.14 python3.13 python3.12 python3.11; do
    if command -v "$python" >/dev/null 2>&1; then
        # -I and -S: nothing of the server's own packages, and a start that takes a third of the time.
        exec "$python" -I -S "$0" netrpc
    fi
done
echo "[ERROR] this plugin is written in Python, and there is no python3 on the PATH of the server's user ($PATH): install Python, or name one by the variable MMHOOKS_PYTHON, or bundle the plugin with --standalone" >&2
exit 1
"""

# Started by whichever Python there is: what stands here has to be understood by old ones, too.
import os
import sys

SERVER = os.path.dirname(os.path.abspath(__file__))
LIBRARIES = os.path.join(SERVER, "lib")
ISOLATED = ["-I", "-S"]


def main() -> None:
    """Go on in a Python that the bundle was made for, isolated from what is installed there, and run the plugin."""
    wire = sys.argv[1] if len(sys.argv) > 1 else "grpc"
    libraries = os.path.join(LIBRARIES, target(sys.version_info[0], sys.version_info[1]))
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


def target(major: int, minor: int) -> str:
    """The name of the folder with what was compiled for this system and such a Python."""
    system = os.uname()
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(system.machine, system.machine)
    return "%s-%s-py%d.%d" % (system.sysname.lower(), machine, major, minor)


def become(python: str, wire: str) -> None:
    """Go on in that Python; does not return."""
    os.execv(python, [python] + ISOLATED + [__file__, wire])


def another_python() -> str:
    """The path of a Python on the PATH that fits. Where there is none, says so in the log and ends the process."""
    wanted = sorted(name for name in os.listdir(LIBRARIES) if name != "any")
    tried = ["%s, which is %d.%d" % (sys.executable, sys.version_info[0], sys.version_info[1])]
    for name in wanted:
        version = name.rpartition("-py")[2]
        if target(*map(int, version.split("."))) != name:
            continue
        for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
            python = os.path.join(folder, "python" + version)
            if os.access(python, os.X_OK) and os.path.isfile(python):
                if version_of(python) == version:
                    return python
                tried.append(python + ", which does not run")
    complain(
        "this bundle has parts for {}, and none fits here: this is {}; found {}; looked for {} on the PATH. Install one, or "
        "bundle the plugin again with --platform and --python for this server, or with --standalone".format(
            " and ".join(wanted).replace("-py", " with Python "),
            target(0, 0).rpartition("-")[0],
            " and ".join(tried),
            " and ".join(sorted({"python" + name.rpartition("-py")[2] for name in wanted})),
        )
    )
    sys.exit(1)


def version_of(python: str) -> str:
    """What a Python says of itself; empty when it does not run, as those that only stand in for one."""
    import subprocess

    program = "import sys; print('%d.%d' % sys.version_info[:2])"
    ran = subprocess.run([python] + ISOLATED + ["-c", program], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return ran.stdout.decode().strip()


def complain(text: str) -> None:
    """Write an error that the server's log shows as one."""
    import json
    import time

    now = time.strftime("%Y-%m-%dT%H:%M:%S.000000Z", time.gmtime())
    entry = {"@level": "error", "@message": text, "@module": "mmhooks", "@timestamp": now}
    sys.stderr.write(json.dumps(entry) + "\n")


if __name__ == "__main__":
    main()
