"""The composition root: every adapter is built here, when first used, and handed down."""

import gc
import shutil
from collections.abc import Generator
from contextlib import closing, contextmanager, nullcontext
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from patternmind.adapters.clock import SystemClock
from patternmind.adapters.live_index import LiveIndex
from patternmind.adapters.runlock import run_lock
from patternmind.adapters.store import SqlStore
from patternmind.adapters.store.engine import plain_errors
from patternmind.adapters.store.sealing import Sealer
from patternmind.cycle import Namer, run_cycle
from patternmind.errors import IndexUnavailable, SettingsInvalid, UsageError
from patternmind.model.themes import Vectors
from patternmind.ports import Clock, Encoder, Progress, PromptBook, RunParameters, RunRecord, Store, VectorIndex
from patternmind.settings import Settings
from patternmind.verbs.erasing import Erased, erase_case, find_erased
from patternmind.verbs.placing import Placer
from patternmind.verbs.search import index_vectors

if TYPE_CHECKING:
    from patternmind.adapters.gateway import LiteLLMGateway

DATABASE = "patternmind.db"

UPLOADS = ".upload-"
"""How the folders begin that hold a file while it is taken in."""


class House:
    """The parts of one data folder. Nothing is opened or loaded before it is used."""

    def __init__(self, settings: Settings, *, encoder: Encoder | None = None, clock: Clock | None = None) -> None:
        self.settings = settings
        self.clock: Clock = clock or SystemClock()
        self._given_encoder = encoder
        self._placers: dict[str | None, Placer] = {}

    @cached_property
    def store(self) -> Store:
        sealer = Sealer(self.settings.raw_key, self.settings.raw_key_before)
        return SqlStore(self.settings.home / DATABASE, sealer=sealer)

    @cached_property
    def encoder(self) -> Encoder:
        if self._given_encoder is not None:
            return self._given_encoder
        from patternmind.adapters.encoder import MiniLM

        return MiniLM(self.settings.encoder, verdicts=self.settings.home / "encoder-check.json")

    @cached_property
    def namer(self) -> Namer | None:
        return Namer(self.gateway(), self.prompts) if self.settings.model is not None else None

    @cached_property
    def prompts(self) -> PromptBook:
        """The packaged prompts, and in the place of some the organisation's own.

        Raises:
            PromptInvalid: a file cannot be used.
        """
        from patternmind.adapters.prompts import PromptFiles, packaged_prompts

        return PromptFiles(packaged_prompts(), overrides=self.settings.prompts)

    def gateway(self) -> "LiteLLMGateway":
        """The language model as set, the same one every time; nothing of it is loaded before it is asked.

        Raises:
            UsageError: none is set.
            SettingsInvalid: one is set for a task that there is not.
            PriceUnknown
        """
        return self._gateway

    @cached_property
    def _gateway(self) -> "LiteLLMGateway":
        from patternmind.adapters.gateway import LiteLLMGateway, choose_models
        from patternmind.adapters.prompts import packaged_prompts

        settings = self.settings
        if settings.model is None:
            raise UsageError("No model is set. Name one in PATTERNMIND_MODEL.")
        tasks = sorted(path.stem for path in packaged_prompts().glob("*.md"))
        for task in settings.task_models:
            if task not in tasks:
                raise SettingsInvalid(
                    f'PATTERNMIND_TASK_MODELS names a task "{task}" that there is not. Tasks are: {", ".join(tasks)}.'
                )
        choice = choose_models(
            settings.model,
            api_base=settings.api_base,
            api_key=settings.api_key,
            task_models=settings.task_models,
            fallback=settings.fallback_model,
            prices=settings.prices,
        )
        gateway = LiteLLMGateway(choice, self.store, self.clock, limits=settings.limits, budget=settings.budget)
        gateway.check_prices()
        return gateway

    def run(self, parameters: RunParameters, *, progress: Progress | None = None) -> RunRecord:
        """Run a cycle alone on this data folder, and bring the index up to date where there is one.

        Raises:
            RunInProgress
        """
        with self.alone() as store, uncollected():
            record = run_cycle(store, self.encoder, self.clock, parameters, namer=self.namer, progress=progress)
            if parameters.lens == "all":
                self._refresh_index()
        return record

    @contextmanager
    def alone(self) -> Generator[Store]:
        """The store, while no run goes on: what a run has read by then would come back when it ends.

        Raises:
            RunInProgress
        """
        store = self.store  # opening it makes the folder that the lock lies in
        with run_lock(self.settings.home):
            yield store

    def erase(self, case_id: str, *, by: str) -> Erased:
        """Erase a case everywhere in this data folder: rows and log, index, copies of the database, stray uploads.

        Raises:
            RunInProgress, NotFound, UsageError
            IndexUnavailable: another process owns the index; nothing was changed.
            StoreUnavailable: another process reads the database, so that its log cannot be emptied: erase again.
        """
        with self.alone() as store:
            if find_erased(store, case_id) is None:
                store.case(case_id)  # what is not there costs nobody the index
            has_index = (self.index_folder / "manifest.json").exists()
            if self.index_folder.exists():
                with closing(self.chroma()) as index:
                    index.drop()
            self._remove_copies()
            told = erase_case(store, self.clock, case_id, by=by)
            self._placers.clear()
            if has_index:
                self._build_index()
        return told

    def copies(self) -> list[Path]:
        """Copies of the database from before migrations, and uploads that a killed server left: raw text, all of it."""
        home = self.settings.home
        return sorted([*home.glob(f"{Path(DATABASE).stem}.before-*.db*"), *home.glob(f"{UPLOADS}*")])

    def _remove_copies(self) -> None:
        with plain_errors(self.settings.home / DATABASE):
            for path in self.copies():
                shutil.rmtree(path) if path.is_dir() else path.unlink()

    def placer(self, lens: str | None = None) -> Placer:
        """The one that places cases of a lens, None for that of the last run; it keeps what it has read."""
        return self._placers.setdefault(lens, Placer(self.store, self.encoder, lens))

    def _refresh_index(self) -> None:
        """Bring an index that was built before up to the rows; where it cannot be, search goes by the rows."""
        if (self.index_folder / "manifest.json").exists():
            self._build_index()

    def _build_index(self) -> None:
        from patternmind.adapters.index import digest_rows

        ids, vectors = index_vectors(self.store, self.encoder)
        try:
            with closing(self.chroma()) as index:
                if not index.holds(digest_rows(ids, vectors)):
                    index.rebuild(ids, vectors)
        except IndexUnavailable:
            return

    @property
    def index_folder(self):
        return self.settings.home / "index"

    @contextmanager
    def index(self, *, progress: Progress | None = None) -> Generator[VectorIndex]:
        """The index to search with: Chroma where this process can own it and it is fresh, else the rows themselves."""
        from patternmind.adapters.index import ExactIndex, digest_rows

        if not (self.index_folder / "manifest.json").exists():
            yield self.live_index
            return
        ids, vectors = index_vectors(self.store, self.encoder, progress=progress)
        try:
            chroma = self.chroma()
        except IndexUnavailable:
            chroma = None
        with nullcontext() if chroma is None else closing(chroma):
            fresh = chroma is not None and chroma.holds(digest_rows(ids, vectors)) and _answers(chroma, vectors)
            yield chroma if chroma is not None and fresh else ExactIndex(ids, vectors)

    @cached_property
    def live_index(self) -> LiveIndex:
        """The vectors of all cases in the memory of this process, as fresh as the store; read when first searched."""
        return LiveIndex(self.store, lambda: self.encoder)

    def chroma(self):
        """Own the Chroma index.

        Raises:
            IndexUnavailable: another process owns it.
        """
        from patternmind.adapters.index import ChromaIndex

        return ChromaIndex(self.index_folder, name=self.encoder.id)


@contextmanager
def uncollected() -> Generator[None]:
    """Without Python's search for cycles of garbage: among the million objects of a large run it finds none, and at
    20,000 cases it takes a sixth of a run that continues the last.
    """
    on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if on:
            gc.enable()


def _answers(index: VectorIndex, vectors: Vectors) -> bool:
    """Whether a search ends in an answer; the manifest of a damaged index is still in order."""
    try:
        return bool(index.search(vectors[0], 1)) if len(vectors) else True
    except IndexUnavailable:
        return False
