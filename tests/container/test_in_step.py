"""The Dockerfile and Apptainer's definition install the same environment."""

import re
from pathlib import Path

DOCKERFILE = Path("Dockerfile").read_text()
DEFINITION = Path("container/apptainer.def").read_text()
OF_THE_USER = {"HOME", "LOGNAME"}  # Apptainer runs as the user who starts it


def section(name):
    """The lines of a section of the definition."""
    found = re.search(rf"^%{name}\n(.*?)(?=^%|\Z)", DEFINITION, re.MULTILINE | re.DOTALL)
    return [line.strip() for line in found[1].splitlines() if line.strip()]


def instructions(name):
    """What follows an instruction of the Dockerfile, each time that it is there."""
    return re.findall(rf"^{name} (.*)$", DOCKERFILE, re.MULTILINE)


def test_the_base_is_the_same_and_exact():
    (base,) = instructions("FROM")
    assert re.search(r"^From: (.*)$", DEFINITION, re.MULTILINE)[1] == base
    assert re.fullmatch(r"debian:[a-z]+-\d{8}-slim", base)


def test_the_same_scripts_run_with_the_same_files():
    assert section("post") == [command for command in instructions("RUN") if "/opt/install" in command]
    copied = [copy.split() for copy in instructions("COPY") if copy.endswith("/opt/install/")]
    assert section("files") == [f"{file} {target}" for *files, target in copied for file in files]


def test_the_environment_is_the_same():
    ours = dict(variable.split("=", 1) for variable in instructions("ENV"))
    theirs = dict(line.removeprefix("export ").split("=", 1) for line in section("environment"))
    assert theirs == {name: value for name, value in ours.items() if name not in OF_THE_USER}


def test_the_image_is_of_a_user_without_rights():
    assert instructions("USER") == ["fvae"]
