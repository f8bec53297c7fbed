"""Demo data: a believable sale of any size, to look at, to try things on and to measure with."""
