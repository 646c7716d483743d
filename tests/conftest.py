"""Load the shared fixtures."""

pytest_plugins = [
    "tests.fixtures.workers",
    "tests.fixtures.databases",
    "tests.fixtures.grouping",
    "tests.fixtures.in_process",
    "tests.fixtures.networks",
    "tests.fixtures.sample",
    "tests.fixtures.shared_browser",
]
