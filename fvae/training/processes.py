"""The processes of a training: one per device."""

from __future__ import annotations

import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins.environments.lightning import LightningEnvironment

from fvae.errors import UserError
from fvae.params import Training
from fvae.training.machine import default_device, use_exact_arithmetic


def start_processes(settings: Training) -> Fabric:
    """Start one process per device, and make arithmetic in this process reproducible: see `use_exact_arithmetic`.

    Training runs on GPUs where there are any, else on the CPU. With `devices` above 1, Fabric starts as many processes,
    each of which runs the whole program from its beginning.

    They are on one machine, also under Slurm, where one job has all of them.

    Raises UserError where there are fewer GPUs than `devices`, or where a batch cannot be divided among them.
    """
    accelerator, devices, accumulate = default_device().type, settings.devices, settings.accumulate
    if settings.batch_size % (devices * accumulate):
        parts = f"training.devices, {devices}" + f", times training.accumulate, {accumulate}" * (accumulate > 1)
        raise UserError(f"training.batch_size: {settings.batch_size} is not a multiple of {parts}")
    gpus = torch.cuda.device_count()
    if accelerator == "cuda" and devices > gpus:
        raise UserError(f"training.devices: {devices} is more than the GPUs here, {gpus}")
    use_exact_arithmetic()
    # Not accelerator="auto", which may choose Apple's GPU: it has no float64. Within a job of Slurm, Fabric would leave
    # it to Slurm to start the processes, were it not for LightningEnvironment.
    fabric = Fabric(
        accelerator=accelerator,
        devices=devices,
        strategy="ddp" if devices > 1 else "auto",
        plugins=[LightningEnvironment()],
    )
    fabric.launch()
    torch.set_num_threads(settings.threads)
    return fabric
