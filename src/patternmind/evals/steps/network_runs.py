"""Import and run of a data set through the same services that users call. The data folder is temporary."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from patternmind.bootstrap import AppContext
from patternmind.clustering.clusterer import group_rows
from patternmind.clustering.neighbours import find_nearest_neighbours
from patternmind.clustering.partition import default_n_neighbours
from patternmind.domain.cases import Case, CaseKind, IngestReport
from patternmind.domain.themes import Vectors
from patternmind.embedding.vectors import embed_cases
from patternmind.evals.datasets.corpora import SAMPLE, Corpus, SampleNetwork
from patternmind.evals.steps.groupings import Grouping
from patternmind.ports import Encoder, Progress, RunParameters
from patternmind.services.file_import import import_files
from patternmind.services.roster import import_roster
from patternmind.settings import Settings


@dataclass(frozen=True, slots=True)
class EvalContext:
    """Encoder, seed and progress callback of one measurement. ``folder`` is for temporary data folders."""

    folder: Path
    encoder: Encoder
    seed: int = 0
    progress: Progress | None = None

    def progress_for(self, dataset: str) -> Progress | None:
        """Return a progress callback that names the data set."""
        progress = self.progress
        if progress is None:
            return None
        return lambda step, done, total: progress(f"{dataset}: {step}", done, total)


@dataclass(frozen=True, slots=True)
class NetworkRun:
    """A network after its run. Row i of ``vectors`` and ``grouping`` belongs to ``cases[i]``."""

    name: str
    ctx: AppContext
    cases: Sequence[Case]
    vectors: Vectors
    grouping: Grouping
    intake_reports: Sequence[IngestReport]
    encoder: Encoder

    @property
    def external_ids(self) -> list[str]:
        return [case.external_id or "" for case in self.cases]

    def gold_labels(self, labels: Mapping[str, str | None]) -> list[str | None]:
        """Return the label that people gave each row, or ``None`` for an unlabelled row."""
        return [labels.get(external_id) for external_id in self.external_ids]


def run_sample(sample: SampleNetwork, context: EvalContext) -> NetworkRun:
    """Run the sample in the order of a real network.

    The roster comes first, then quarter by quarter; recaps come with the last quarter.
    """
    ctx = _open_context(SAMPLE, context)
    import_roster(ctx.store, sample.roster)
    intake_reports: list[IngestReport] = []
    for label, cases in sample.quarters.items():
        intake_reports.append(import_files(ctx.store, [cases], kind=CaseKind.CASE))
        if label == list(sample.quarters)[-1]:
            intake_reports.append(import_files(ctx.store, [sample.recaps], kind=CaseKind.RECAP))
        ctx.run(RunParameters(label=label, seed=context.seed), progress=context.progress_for(SAMPLE))
    return _read_back(SAMPLE, ctx, intake_reports, context)


def run_corpus(corpus: Corpus, path: Path, context: EvalContext) -> NetworkRun:
    """Run a real corpus as one batch without a period label."""
    ctx = _open_context(corpus.name, context)
    progress = context.progress_for(corpus.name)
    intake_report = import_files(ctx.store, [path], kind=corpus.kind, progress=progress)
    ctx.run(RunParameters(seed=context.seed, draft=corpus.is_drafted), progress=progress)
    return _read_back(corpus.name, ctx, [intake_report], context)


def _open_context(name: str, context: EvalContext) -> AppContext:
    home = context.folder / name.replace(" ", "-")
    home.mkdir(parents=True)
    return AppContext(Settings(home=home), encoder=context.encoder)


def _read_back(name: str, ctx: AppContext, intake_reports: Sequence[IngestReport], context: EvalContext) -> NetworkRun:
    cases = ctx.store.cases.list_all()
    assignments = {assignment.case_id: assignment for assignment in ctx.store.runs.assignments()}
    case_assignments = [assignments[case.id] for case in cases]
    return NetworkRun(
        name=name,
        ctx=ctx,
        cases=cases,
        vectors=embed_cases(ctx.store, context.encoder, cases, "all"),
        grouping=Grouping.of(
            [assignment.theme_id for assignment in case_assignments],
            [assignment.nearest_theme_id for assignment in case_assignments],
        ),
        intake_reports=intake_reports,
        encoder=context.encoder,
    )


def fit_grouping(vectors: Vectors, *, engine: str, seed: int) -> Grouping:
    """Fit the clustering step alone, for engines and samples that no pipeline run uses."""
    neighbours = find_nearest_neighbours(vectors, default_n_neighbours(len(vectors)))
    partition = group_rows(vectors, neighbours, engine=engine, seed=seed)
    return Grouping(partition.labels, partition.nearest)
