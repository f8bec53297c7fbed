"""The benchmarks themselves: that they measure what they say, and say it right."""
