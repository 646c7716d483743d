"""A data set taken in, run and read back through the doors that users go through, in a folder that is thrown away."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from patternmind.bootstrap import AppContext
from patternmind.clustering.clusterer import find_clusters
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
    """What all figures of one measurement share. ``folder`` is for temporary data folders."""

    folder: Path
    encoder: Encoder
    seed: int = 0
    progress: Progress | None = None

    def progress_for(self, about: str) -> Progress | None:
        """Progress that says which data set it is about."""
        progress = self.progress
        if progress is None:
            return None
        return lambda step, done, total: progress(f"{about}: {step}", done, total)


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
        """The people's label of each row, ``None`` where they gave none."""
        return [labels.get(external_id) for external_id in self.external_ids]


def run_sample(sample: SampleNetwork, context: EvalContext) -> NetworkRun:
    """The sample as its network would have lived it: roster first, then quarter by quarter, recaps with the last."""
    house = _open_context(SAMPLE, context)
    import_roster(house.store, sample.roster)
    intake: list[IngestReport] = []
    for label, cases in sample.quarters.items():
        intake.append(import_files(house.store, [cases], kind=CaseKind.CASE))
        if label == list(sample.quarters)[-1]:
            intake.append(import_files(house.store, [sample.recaps], kind=CaseKind.RECAP))
        house.run(RunParameters(label=label, seed=context.seed), progress=context.progress_for(SAMPLE))
    return _read_back(SAMPLE, house, intake, context)


def run_corpus(corpus: Corpus, path: Path, context: EvalContext) -> NetworkRun:
    """A real corpus as one batch without a label of its period."""
    house = _open_context(corpus.name, context)
    progress = context.progress_for(corpus.name)
    intake = import_files(house.store, [path], kind=corpus.kind, progress=progress)
    house.run(RunParameters(seed=context.seed, draft=corpus.is_drafted), progress=progress)
    return _read_back(corpus.name, house, [intake], context)


def _open_context(name: str, context: EvalContext) -> AppContext:
    home = context.folder / name.replace(" ", "-")
    home.mkdir(parents=True)
    return AppContext(Settings(home=home), encoder=context.encoder)


def _read_back(name: str, ctx: AppContext, intake_reports: Sequence[IngestReport], context: EvalContext) -> NetworkRun:
    cases = ctx.store.cases()
    assignments = {one.case_id: one for one in ctx.store.assignments()}
    placed = [assignments[case.id] for case in cases]
    return NetworkRun(
        name=name,
        ctx=ctx,
        cases=cases,
        vectors=embed_cases(ctx.store, context.encoder, cases, "all"),
        grouping=Grouping.of([one.theme_id for one in placed], [one.nearest_theme_id for one in placed]),
        intake_reports=intake_reports,
        encoder=context.encoder,
    )


def fit_grouping(vectors: Vectors, *, engine: str, seed: int) -> Grouping:
    """One fit of the cluster step alone, for engines and samples that no run of the line uses."""
    found = find_clusters(vectors, engine=engine, seed=seed).partition
    return Grouping(found.labels, found.nearest)
