"""Chaos: simulated travellers, honest and hostile, play on a stack whose processes are killed under them.

`python -m rihla_chaos --minutes 5 --seed 1 --rate 6` starts a stack of its own, records what every traveller was told,
lets it grow quiet, has the independent verifier judge the databases, and writes a report. The seed decides every fault,
its time and its target, and what each traveller tries.
"""
