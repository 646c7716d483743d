"""Use cases shared by the command line, the API and the pages; functions over the ports."""
