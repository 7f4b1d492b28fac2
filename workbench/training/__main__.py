"""`accelerate launch -m workbench.training ...`: `workbench reward train` in several processes.

The same options, the same numbers: the batch is that of all processes together. On one machine with four GPUs:

    accelerate launch --num_processes 4 -m workbench.training --data hh-harmless --model NAME --out DIR

A last step that the pairs do not fill is filled with pairs of its epoch, a few of which then count twice.
FSDP and DeepSpeed are configured by `accelerate config`. On CPUs: `torchrun --nproc_per_node 2 -m ... --device cpu`.
"""

from __future__ import annotations

import sys

from workbench.cli.main import main

if __name__ == "__main__":
    main(["reward", "train", *sys.argv[1:]])
