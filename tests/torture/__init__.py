"""The hostile world: every fault at once, in this process and on real processes."""
