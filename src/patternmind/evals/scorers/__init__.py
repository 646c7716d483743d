"""Scorers, which turn results of the code under test into figures."""
