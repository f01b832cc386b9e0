"""`python -m fvae` in the process of the tests: starting one that imports PyTorch takes seconds."""

import io
import os
import sys
from contextlib import redirect_stderr, redirect_stdout
from subprocess import CompletedProcess

import pytest

from fvae.__main__ import main


def run(*arguments, folder):
    """The exit code and the output of a command in a folder, as a process of its own would have them."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.chdir(folder)
        patch.setattr(sys, "argv", ["fvae", *arguments])
        patch.setattr(os, "environ", os.environ.copy())
        code = exit_code(main)
    return CompletedProcess(arguments, code, out.getvalue(), err.getvalue())


def exit_code(program):
    """What Python makes of SystemExit: a number is the code, and anything else is printed and means 1."""
    try:
        program()
    except SystemExit as ended:
        if ended.code is None or isinstance(ended.code, int):
            return ended.code or 0
        print(ended.code, file=sys.stderr)
        return 1
    return 0
