"""The program of a standalone bundle, frozen together with Python and its standard library.

It does what the launcher does once it has found a Python: mmhooks, the plugin and what it needs are plain files in the
bundle, as ever.
"""

import os
import sys

STANDALONE = os.path.dirname(os.path.abspath(sys.executable))
LIBRARIES = os.path.join(os.path.dirname(STANDALONE), "lib")


def main() -> None:
    """Run the plugin; with arguments, what they ask of a Python."""
    # The bootloader puts its own libraries before the system's; programs that the plugin starts want the system's.
    before = os.environ.pop("LD_LIBRARY_PATH_ORIG", None)
    os.environ.pop("LD_LIBRARY_PATH", None)
    if before is not None:
        os.environ["LD_LIBRARY_PATH"] = before
    root = os.path.dirname(os.path.dirname(STANDALONE))
    compiled = [name for name in os.listdir(LIBRARIES) if name != "any"]
    sys.path.insert(0, root)
    sys.path += [os.path.join(LIBRARIES, name) for name in [*compiled, "any"]]
    plugin = os.path.join(root, "plugin.py")
    if len(sys.argv) > 1:
        be_python(sys.argv[1:])
        return
    sys.argv = [plugin]

    from mmhooks.hosts import ahead

    ahead.run(plugin)


def be_python(arguments: list[str]) -> None:
    """Do what a Python with these arguments does: plugins, and `multiprocessing`, start `sys.executable`.

    Known are `-c`, `-m`, a file, and what `multiprocessing` has for frozen programs. Options count for nothing.
    """
    if arguments[0] == "--multiprocessing-fork":
        from multiprocessing import spawn

        spawn.freeze_support()
    while arguments and arguments[0].startswith("-") and arguments[0] not in ("-c", "-m"):
        del arguments[: 2 if arguments[0] in ("-W", "-X") else 1]
    if arguments[:1] == ["-c"]:
        sys.argv = ["-c", *arguments[2:]]
        exec(arguments[1], {"__name__": "__main__"})
    elif arguments:
        import runpy

        if arguments[0] == "-m":
            sys.argv = arguments[1:]
            runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
        else:
            sys.argv = arguments
            runpy.run_path(sys.argv[0], run_name="__main__")


main()
