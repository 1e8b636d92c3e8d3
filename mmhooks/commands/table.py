"""The commands of an app as a tree of words, and the help that it can give."""

from __future__ import annotations

from collections.abc import Iterator

from mmhooks.binding import signature_of
from mmhooks.commands.command import Command
from mmhooks.commands.parameters import code
from mmhooks.commands.suggesting import nearest
from mmhooks.errors import DuplicateHandler

HELP = "help"

OPTION = ("-", "–", "—")  # noqa: RUF001 - phones make a dash of two
"""How an option begins."""


class Node:
    """A word of a command, and the words that may follow."""

    def __init__(self, name: str) -> None:
        self.name = name
        """With the words before it: `/weather today`."""
        self.command: Command | None = None
        self.children: dict[str, Node] = {}

    @property
    def description(self) -> str:
        """What it does, in a line."""
        if self.command is not None and self.command.description:
            return self.command.description
        return ", ".join(self.children)

    @property
    def hint(self) -> str:
        """What may follow it, for people who type."""
        if self.command is not None and self.command.hint:
            return self.command.hint
        return f"[{'|'.join(self.children)}]" if self.children else ""

    def commands(self) -> Iterator[Command]:
        """The commands here and below."""
        if self.command is not None:
            yield self.command
        for child in self.children.values():
            yield from child.commands()

    def help(self) -> str:
        """What the command is for, how it is written, and what is below it."""
        lines = []
        if (command := self.command) is not None:
            lines.append(f"`{self.name}`" + (f": {command.description}" if command.description else ""))
            lines.append(f"Usage: `{command.usage()}`")
            arguments = [*command.parameters.positional, *command.parameters.options.values()]
            lines += [f"- `{argument.name}`: {argument.help}" for argument in arguments if argument.help]
        if self.children:
            lines.append(f"`{self.name}` is followed by:" if command is None else "Or:")
        for child in self.children.values():
            for below in child.commands():
                lines.append(f"- `{below.usage()}`" + (f": {below.description}" if below.description else ""))
        return "\n".join(lines)

    def unknown(self, rest: str) -> str:
        """What to tell somebody who typed something below this word that is not there, or nothing."""
        if not rest:
            return self.help()
        typed, _ = _first(rest)
        return f"There is no {code(f'{self.name} {typed}')}{nearest(typed, self.children, self.name + ' {}')}\n{self.help()}"

    def takes(self, rest: str) -> bool:
        """Whether what follows this word is for its own function, rather than a mistake for a word below it."""
        if self.command is None:
            return False
        return not (rest and self.children) or bool(self.command.parameters.positional) or rest.startswith(OPTION)


class Table:
    """Commands by their words."""

    def __init__(self) -> None:
        self.roots: dict[str, Node] = {}

    def __iter__(self) -> Iterator[Command]:
        for root in self.roots.values():
            yield from root.commands()

    def check_free(self, command: Command) -> None:
        """Raise `DuplicateHandler` when the command has a function already."""
        first = next((each for each in self if each.path == command.path), None)
        if first is not None:
            raise DuplicateHandler(
                f"{command.name} has a function already, and a command takes one at most:\n"
                f"  first:  {first.location}: {signature_of(first.function)}\n"
                f"  second: {command.location}: {signature_of(command.function)}\n"
                "Call the one from the other, or remove one."
            )

    def add(self, command: Command) -> None:
        """Put a command in its place."""
        here, children = "/", self.roots
        for word in command.path:
            node = children.setdefault(word, Node(here + word))
            here, children = node.name + " ", node.children
        node.command = command

    def find(self, line: str) -> tuple[Node | None, str]:
        """The last word of a line that the table knows, and what follows it."""
        trigger, rest = _first(line)
        node = self.roots.get(trigger[1:].lower()) if trigger[:1] == "/" else None
        if node is None:
            return None, rest
        while node.children:
            word, after = _first(rest)
            child = node.children.get(word.lower())
            if child is None:
                break
            node, rest = child, after
        return node, rest

    def unknown(self, line: str) -> str:
        """What to tell somebody who typed a command that is not there."""
        trigger, _ = _first(line)
        return f"There is no {code(trigger) or 'such'} command{nearest(trigger.removeprefix('/'), self.roots, '/{}')}"


def _first(line: str) -> tuple[str, str]:
    words = line.split(maxsplit=1)
    return (words[0] if words else "", words[1] if len(words) > 1 else "")
