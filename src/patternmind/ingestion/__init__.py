"""Intake: files to rows, rows to checked submissions, submissions to redacted cases. Pure over bytes."""
