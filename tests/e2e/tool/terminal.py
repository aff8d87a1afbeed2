"""Terminal that a test types into and reads: a pty with a terminal emulator, or a window of tmux."""

from __future__ import annotations

import fcntl
import os
import re
import select
import shlex
import struct
import subprocess
import sys
import termios
import time
import uuid
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path

import pyte

COLUMNS, LINES = 120, 50
WAIT_S = 90.0
CTRL_C = "\x03"


class Terminal(ABC):
    """A program in a terminal."""

    def wait_for(self, pattern: str, wait_s: float = WAIT_S) -> re.Match[str]:
        """Wait until the screen shows the pattern."""
        deadline = time.monotonic() + wait_s
        while True:
            found = re.search(pattern, self.screen())
            if found:
                return found
            assert time.monotonic() < deadline, f"no {pattern!r} on the screen:\n{self.screen()}"
            self.look()

    def answer(self, question: str, text: str) -> None:
        """Wait for a question in the last line with text, then type a line."""
        self.wait_for(rf"(?s){question}[^\n]*:\s*\Z")
        self.type(text + "\r")

    @abstractmethod
    def screen(self) -> str:
        """The text on the screen, without blanks at line ends and at the end."""

    @abstractmethod
    def look(self) -> None:
        """Let the screen change for a moment."""

    @abstractmethod
    def type(self, keys: str) -> None:
        """Press keys."""

    @abstractmethod
    def end(self) -> int:
        """Wait for the program's end. Returns the exit code."""

    @abstractmethod
    def close(self) -> None:
        """End the program if it still runs."""


def _trimmed(lines: Sequence[str]) -> str:
    return "\n".join(line.rstrip() for line in lines).rstrip()


# Makes standard input the terminal that Ctrl-C comes from, then becomes the program.
_LAUNCH = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"


class PtyTerminal(Terminal):
    """A pseudo terminal; an emulator in this process reads its output."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], _folder: Path) -> None:
        self._screen = pyte.Screen(COLUMNS, LINES)
        self._stream = pyte.ByteStream(self._screen)
        self._file, program_side = os.openpty()
        fcntl.ioctl(program_side, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
        try:
            self._program = subprocess.Popen(
                [sys.executable, "-c", _LAUNCH, *command],
                stdin=program_side,
                stdout=program_side,
                stderr=program_side,
                env={**environment, "TERM": "xterm-256color"},
                start_new_session=True,
            )
        finally:
            os.close(program_side)

    def screen(self) -> str:
        return _trimmed(self._screen.display)

    def look(self) -> None:
        readable, _, _ = select.select([self._file], [], [], 0.05)
        if readable:
            try:
                self._stream.feed(os.read(self._file, 4096))
            except OSError:
                time.sleep(0.05)  # the program has ended

    def type(self, keys: str) -> None:
        os.write(self._file, keys.encode())

    def end(self) -> int:
        deadline = time.monotonic() + WAIT_S
        while self._program.poll() is None:
            assert time.monotonic() < deadline, f"still running:\n{self.screen()}"
            self.look()
        self.look()
        return self._program.wait()

    def close(self) -> None:
        self._program.kill()
        self._program.wait()
        os.close(self._file)


class TmuxTerminal(Terminal):
    """A window of the test's own tmux server."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], folder: Path) -> None:
        self._socket = f"bossjy-{uuid.uuid4().hex[:8]}"
        self._code = folder / f"{self._socket}.code"
        code = shlex.quote(str(self._code))
        # The window stays until it is closed, so that the program's last output can be read.
        line = f"trap : INT; {shlex.join(command)}; echo $? > {code}.new; mv {code}.new {code}; read -r _"
        size = ["-x", str(COLUMNS), "-y", str(LINES)]
        subprocess.run(
            ["tmux", "-L", self._socket, "-f", "/dev/null", "new-session", "-d", *size, "sh", "-c", line],
            env={**environment, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"},
            check=True,
        )

    def _tmux(self, *arguments: str) -> str:
        done = subprocess.run(
            ["tmux", "-L", self._socket, *arguments], capture_output=True, encoding="utf-8", timeout=10, check=True
        )
        return done.stdout

    def screen(self) -> str:
        return _trimmed(self._tmux("capture-pane", "-p").splitlines())

    def look(self) -> None:
        time.sleep(0.05)

    def type(self, keys: str) -> None:
        if keys == CTRL_C:
            self._tmux("send-keys", "C-c")
            return
        self._tmux("send-keys", "-l", keys.removesuffix("\r"))
        if keys.endswith("\r"):
            self._tmux("send-keys", "Enter")

    def end(self) -> int:
        deadline = time.monotonic() + WAIT_S
        while not self._code.exists():
            assert time.monotonic() < deadline, f"still running:\n{self.screen()}"
            time.sleep(0.05)
        return int(self._code.read_text())

    def close(self) -> None:
        subprocess.run(["tmux", "-L", self._socket, "kill-server"], capture_output=True, timeout=10, check=False)
