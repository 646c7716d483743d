"""Theme names, gists, candidate patterns and pre-reading, proposed from the texts of the cases."""
