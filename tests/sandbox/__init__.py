"""Tests of the local doubles, over their real protocols."""
