"""Benchmarks. Each measures two ways of the same work in one run and tells their ratio; none is a test."""
