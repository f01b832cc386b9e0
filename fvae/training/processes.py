"""The processes of a training: one per device."""

from __future__ import annotations

import torch
from lightning.fabric import Fabric

from fvae.errors import UserError
from fvae.params import Training
from fvae.training.machine import default_device, use_exact_arithmetic


def start_processes(settings: Training) -> Fabric:
    """Start one process per device, and make arithmetic in this process reproducible: see `use_exact_arithmetic`.

    Training runs on GPUs where there are any, else on the CPU. With `devices` above 1, Fabric starts as many processes,
    each of which runs the whole program from its beginning.

    Raises UserError where there are fewer GPUs than `devices`, or where a batch cannot be divided among them.
    """
    accelerator, devices = default_device().type, settings.devices
    if settings.batch_size % devices:
        raise UserError(f"training.batch_size: {settings.batch_size} is not a multiple of training.devices, {devices}")
    gpus = torch.cuda.device_count()
    if accelerator == "cuda" and devices > gpus:
        raise UserError(f"training.devices: {devices} is more than the GPUs here, {gpus}")
    use_exact_arithmetic()
    # Not accelerator="auto", which may choose Apple's GPU: it has no float64.
    fabric = Fabric(accelerator=accelerator, devices=devices, strategy="ddp" if devices > 1 else "auto")
    fabric.launch()
    torch.set_num_threads(settings.threads)
    return fabric
