"""The checks of `patternmind doctor`, without the folder names of the server."""

from dataclasses import replace

from patternmind.bootstrap import AppContext
from patternmind.diagnostics import CheckResult, run_checks


def run_checkup(ctx: AppContext) -> list[CheckResult]:
    """Run all checks and replace the server's folders in the results."""
    folder_labels = {str(ctx.settings.home): "the data folder"}
    if ctx.settings.prompts:
        folder_labels[str(ctx.settings.prompts)] = "the prompts folder"
    if ctx.settings.encoder:
        folder_labels[str(ctx.settings.encoder)] = "the encoder folder"
    return [_without_folders(check, folder_labels) for check in run_checks(ctx)]


def _without_folders(check: CheckResult, folder_labels: dict[str, str]) -> CheckResult:
    says = check.says
    for folder, label in folder_labels.items():
        says = says.replace(folder, label)
    return replace(check, says=says)
