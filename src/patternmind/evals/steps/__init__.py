"""Steps that run the code under test for the evals."""
