"""Data, training, export, evaluation, comparison and report as one run that can be stopped.

- `config`: what a run is told; `presets`: the three that ship.
- `layout`: where things stand in the run folder.
- `stages`: what is done, in order, each with what it reads and writes.
- `state`: `pipeline.json`, which remembers what is finished and from what it was made.
- `run`: does what is not finished yet.
"""
