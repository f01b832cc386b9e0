"""`snakemake --touch` without its waiting, for `make adopt`: python -m workflow.touch OPTIONS -- FILES

Snakemake waits a tenth of a second before it touches the files of a job: four minutes for 360 trainings. It needs an
output to be no older than its inputs, and accepts equal times, so that touching jobs in their order is enough.

`Executor.SLEEPING_TIME` is not documented; this was tested with Snakemake 9.27.
"""

from __future__ import annotations

import sys

from snakemake.cli import main
from snakemake.executors.touch import Executor

if __name__ == "__main__":
    Executor.SLEEPING_TIME = 0
    sys.argv.insert(1, "--touch")  # there workflow/planning.py looks for it
    main()
