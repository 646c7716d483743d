"""A data set taken in, run and read back through the doors that users go through, in a folder that is thrown away."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from patternmind.bootstrap import House
from patternmind.cluster.finding import find_clusters
from patternmind.cycle import embed_cases
from patternmind.evals.datasets import SAMPLE, Corpus, Sample
from patternmind.evals.groupings import Grouping
from patternmind.model.cases import Case, IntakeReport, Kind
from patternmind.model.themes import Vectors
from patternmind.ports import Encoder, Progress, RunParameters
from patternmind.settings import Settings
from patternmind.verbs.ingest import ingest_files
from patternmind.verbs.network import add_roster


@dataclass(frozen=True, slots=True)
class Conditions:
    """What all figures of one measurement share. ``folder`` is for temporary data folders."""

    folder: Path
    encoder: Encoder
    seed: int = 0
    progress: Progress | None = None

    def told(self, about: str) -> Progress | None:
        """Progress that says which data set it is about."""
        progress = self.progress
        if progress is None:
            return None
        return lambda step, done, total: progress(f"{about}: {step}", done, total)


@dataclass(frozen=True, slots=True)
class RunNetwork:
    """A network after its run. Row i of ``vectors`` and ``grouping`` belongs to ``cases[i]``."""

    name: str
    house: House
    cases: Sequence[Case]
    vectors: Vectors
    grouping: Grouping
    intake: Sequence[IntakeReport]
    encoder: Encoder

    @property
    def external_ids(self) -> list[str]:
        return [case.external_id or "" for case in self.cases]

    def gold(self, labels: Mapping[str, str | None]) -> list[str | None]:
        """The people's label of each row, ``None`` where they gave none."""
        return [labels.get(external_id) for external_id in self.external_ids]


def run_sample(sample: Sample, conditions: Conditions) -> RunNetwork:
    """The sample as its network would have lived it: roster first, then quarter by quarter, recaps with the last."""
    house = _open(SAMPLE, conditions)
    add_roster(house.store, sample.roster)
    intake: list[IntakeReport] = []
    for label, cases in sample.quarters.items():
        intake.append(ingest_files(house.store, [cases], kind=Kind.CASE))
        if label == list(sample.quarters)[-1]:
            intake.append(ingest_files(house.store, [sample.recaps], kind=Kind.RECAP))
        house.run(RunParameters(label=label, seed=conditions.seed), progress=conditions.told(SAMPLE))
    return _read_back(SAMPLE, house, intake, conditions)


def run_corpus(corpus: Corpus, path: Path, conditions: Conditions) -> RunNetwork:
    """A real corpus as one batch without a label of its period."""
    house = _open(corpus.name, conditions)
    progress = conditions.told(corpus.name)
    intake = ingest_files(house.store, [path], kind=corpus.kind, progress=progress)
    house.run(RunParameters(seed=conditions.seed, draft=corpus.drafted), progress=progress)
    return _read_back(corpus.name, house, [intake], conditions)


def _open(name: str, conditions: Conditions) -> House:
    home = conditions.folder / name.replace(" ", "-")
    home.mkdir(parents=True)
    return House(Settings(home=home), encoder=conditions.encoder)


def _read_back(name: str, house: House, intake: Sequence[IntakeReport], conditions: Conditions) -> RunNetwork:
    cases = house.store.cases()
    assignments = {one.case_id: one for one in house.store.assignments()}
    placed = [assignments[case.id] for case in cases]
    return RunNetwork(
        name=name,
        house=house,
        cases=cases,
        vectors=embed_cases(house.store, conditions.encoder, cases, "all"),
        grouping=Grouping.of([one.theme_id for one in placed], [one.nearest_theme_id for one in placed]),
        intake=intake,
        encoder=conditions.encoder,
    )


def fit(vectors: Vectors, *, engine: str, seed: int) -> Grouping:
    """One fit of the cluster step alone, for engines and samples that no run of the line uses."""
    found = find_clusters(vectors, engine=engine, seed=seed).partition
    return Grouping(found.labels, found.nearest)
