"""The drill: a sale that is gone in a minute, simulated with real processes and audited."""
