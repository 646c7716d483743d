"""Quality, measured: dataset -> step -> scorers -> figures judged by baselines. What each means: evals/README.md."""
