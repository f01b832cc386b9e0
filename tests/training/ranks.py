"""Two processes of one training, told of each other as Fabric tells those that it starts: by the environment."""

import socket

import forked
from lightning_fabric.utilities import rank_zero_only


def run(processes, folder, target, *arguments):
    """Call a function in two processes: their exit codes, and what they wrote on standard error."""
    address = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port())}
    calls = [(call, (rank, target, *arguments), address | {"LOCAL_RANK": str(rank)}) for rank in (0, 1)]
    return forked.run(processes, folder / "said", calls)


def call(rank, target, *arguments):
    """In one of them."""
    rank_zero_only.rank = rank  # which Lightning reads from the environment when it is imported
    target(*arguments)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
