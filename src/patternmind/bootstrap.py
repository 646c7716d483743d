"""The composition root: every adapter is built here, when first used, and handed down."""

import gc
import shutil
from collections.abc import Generator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from patternmind.clock import SystemClock
from patternmind.domain.networks import Network
from patternmind.domain.themes import Vectors
from patternmind.errors import IndexUnavailable, SettingsInvalid, UsageError
from patternmind.llm_drafting import LlmContext, pair_similarity
from patternmind.pipeline import run_pipeline
from patternmind.ports import (
    Accounts,
    Clock,
    Encoder,
    PasswordHasher,
    Progress,
    PromptTemplates,
    RunParameters,
    RunRecord,
    Store,
    VectorIndex,
)
from patternmind.services.erasure import (
    ErasureResult,
    erase_case,
    find_erasure,
    find_withdrawal,
    withdraw_case,
)
from patternmind.services.placement import Placer
from patternmind.services.search import embed_all_cases
from patternmind.settings import DEFAULT_NETWORK, Settings
from patternmind.storage import SqlAccounts, SqlStore
from patternmind.storage.encryption import FieldCipher
from patternmind.storage.engine import translate_db_errors
from patternmind.storage.run_lock import run_lock
from patternmind.storage.search.in_memory import InMemoryIndex

if TYPE_CHECKING:
    from patternmind.llm.gateway import LiteLLMGateway

DATABASE_FILE = "patternmind.db"

UPLOAD_FOLDER_PREFIX = ".upload-"
"""How the folders begin that hold a file while it is taken in."""


class AppContext:
    """The parts of one data folder. Nothing is opened or loaded before it is used."""

    def __init__(self, settings: Settings, *, encoder: Encoder | None = None, clock: Clock | None = None) -> None:
        self.settings = settings
        self.clock: Clock = clock or SystemClock()
        self._injected_encoder = encoder
        self._placers: dict[str | None, Placer] = {}

    def for_network(self, network_id: str) -> "AppContext":
        """The same data folder, clock and encoder, with another of its networks."""
        encoder = self._injected_encoder or self.encoder
        return AppContext(replace(self.settings, network=network_id), encoder=encoder, clock=self.clock)

    @cached_property
    def store(self) -> Store:
        """The rows of one network.

        Raises:
            UsageError: there is no such network; the default one is made as it is first used.
        """
        chosen = self.settings.network
        if chosen != DEFAULT_NETWORK and chosen not in {one.id for one in self.accounts.list_networks()}:
            raise UsageError(f'There is no network "{chosen}" here. `patternmind network list` shows those there are.')
        cipher = FieldCipher(self.settings.raw_key, self.settings.raw_key_before)
        return SqlStore(self.settings.home / DATABASE_FILE, chosen, cipher=cipher)

    @cached_property
    def accounts(self) -> Accounts:
        """Who may sign in, to all networks of this data folder."""
        first = Network(id=DEFAULT_NETWORK, name=DEFAULT_NETWORK)
        return SqlAccounts(self.settings.home / DATABASE_FILE, default_network=first)

    @cached_property
    def passwords(self) -> PasswordHasher:
        from patternmind.storage.passwords import Argon2PasswordHasher

        return Argon2PasswordHasher()

    @cached_property
    def encoder(self) -> Encoder:
        if self._injected_encoder is not None:
            return self._injected_encoder
        from patternmind.embedding.minilm_encoder import MiniLMEncoder

        return MiniLMEncoder(self.settings.encoder, verdicts=self.settings.home / "encoder-check.json")

    @cached_property
    def llm(self) -> LlmContext | None:
        if self.settings.model is None:
            return None
        return LlmContext(self.gateway(), self.prompts, pair_similarity(self.encoder))

    @cached_property
    def prompts(self) -> PromptTemplates:
        """The packaged prompts, and in the place of some the organisation's own.

        Raises:
            PromptInvalid: a file cannot be used.
        """
        from patternmind.llm.prompts import PromptFiles, packaged_prompts_dir

        return PromptFiles(packaged_prompts_dir(), overrides=self.settings.prompts)

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
        from patternmind.llm.gateway import LiteLLMGateway, build_model_choice
        from patternmind.llm.prompts import packaged_prompts_dir

        settings = self.settings
        if settings.model is None:
            raise UsageError("No model is set. Name one in PATTERNMIND_MODEL.")
        tasks = sorted(path.stem for path in packaged_prompts_dir().glob("*.md"))
        for task in settings.task_models:
            if task not in tasks:
                raise SettingsInvalid(
                    f'PATTERNMIND_TASK_MODELS names a task "{task}" that there is not. Tasks are: {", ".join(tasks)}.'
                )
        choice = build_model_choice(
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
        with self.run_locked() as store, gc_disabled():
            record = run_pipeline(store, self.encoder, self.clock, parameters, llm=self.llm, progress=progress)
            if parameters.lens == "all":
                self._refresh_index()
        return record

    @contextmanager
    def run_locked(self) -> Generator[Store]:
        """The store, while no run goes on: what a run has read by then would come back when it ends.

        Raises:
            RunInProgress
        """
        store = self.store  # opening it makes the folder that the lock lies in
        with run_lock(self.settings.home):
            yield store

    def erase(self, case_id: str, *, actor: str) -> ErasureResult:
        """Erase a case everywhere in this data folder: rows and log, index, copies of the database, stray uploads.

        Raises:
            RunInProgress, NotFound, UsageError
            IndexUnavailable: another process owns the index; nothing was changed.
            StoreUnavailable: another process reads the database, so that its log cannot be emptied: erase again.
        """
        with self.run_locked() as store:
            if find_erasure(store, case_id) is None and find_withdrawal(store, case_id) is None:
                store.case(case_id)  # what is not there costs nobody the index
            with self._index_rebuilt():
                self._remove_leftover_copies()
                return erase_case(store, self.clock, case_id, actor=actor)

    def withdraw(self, case_id: str, *, actor: str) -> ErasureResult:
        """Withdraw a case: out of lists, themes, drafts, search and index; what was handed in stays, to be put back.

        Raises:
            RunInProgress, NotFound, UsageError
            IndexUnavailable: another process owns the index; nothing was changed.
        """
        with self.run_locked() as store:
            store.case(case_id)  # as above
            with self._index_rebuilt():
                return withdraw_case(store, self.clock, case_id, actor=actor)

    @contextmanager
    def _index_rebuilt(self) -> Generator[None]:
        """Drop what is derived from the rows, and make it again of those that are left."""
        has_index = (self.index_folder / "manifest.json").exists()
        if self.index_folder.exists():
            with closing(self.chroma_index()) as index:
                index.delete()
        yield
        self._placers.clear()
        if has_index:
            self._build_index()

    def leftover_copies(self) -> list[Path]:
        """Copies of the database from before migrations, and uploads that a killed server left: raw text, all of it."""
        home = self.settings.home
        return sorted([*home.glob(f"{Path(DATABASE_FILE).stem}.before-*.db*"), *home.glob(f"{UPLOAD_FOLDER_PREFIX}*")])

    def _remove_leftover_copies(self) -> None:
        with translate_db_errors(self.settings.home / DATABASE_FILE):
            for path in self.leftover_copies():
                shutil.rmtree(path) if path.is_dir() else path.unlink()

    def placer(self, lens: str | None = None) -> Placer:
        """The one that places cases of a lens, None for that of the last run; it keeps what it has read."""
        return self._placers.setdefault(lens, Placer(self.store, self.encoder, lens))

    def _refresh_index(self) -> None:
        """Bring an index that was built before up to the rows; where it cannot be, search goes by the rows."""
        if (self.index_folder / "manifest.json").exists():
            self._build_index()

    def _build_index(self) -> None:
        from patternmind.storage.search.chroma import digest_rows

        ids, vectors = embed_all_cases(self.store, self.encoder)
        try:
            with closing(self.chroma_index()) as index:
                if not index.is_current(digest_rows(ids, vectors)):
                    index.rebuild(ids, vectors)
        except IndexUnavailable:
            return

    @property
    def index_folder(self) -> Path:
        """Of this network alone: what one network finds by meaning is no other's."""
        chosen = self.settings.network
        return self.settings.home / ("index" if chosen == DEFAULT_NETWORK else f"index-{chosen}")

    @contextmanager
    def open_index(self, *, progress: Progress | None = None) -> Generator[VectorIndex]:
        """The index to search with: Chroma where this process can own it and it is fresh, else the rows themselves."""
        from patternmind.storage.search.chroma import ExactIndex, digest_rows

        if not (self.index_folder / "manifest.json").exists():
            yield self.live_index
            return
        ids, vectors = embed_all_cases(self.store, self.encoder, progress=progress)
        try:
            chroma = self.chroma_index()
        except IndexUnavailable:
            chroma = None
        with nullcontext() if chroma is None else closing(chroma):
            fresh = chroma is not None and chroma.is_current(digest_rows(ids, vectors)) and _is_searchable(chroma, vectors)
            yield chroma if chroma is not None and fresh else ExactIndex(ids, vectors)

    @cached_property
    def live_index(self) -> InMemoryIndex:
        """The vectors of all cases in the memory of this process, as fresh as the store; read when first searched."""
        return InMemoryIndex(self.store, lambda: self.encoder)

    def chroma_index(self):
        """Own the Chroma index.

        Raises:
            IndexUnavailable: another process owns it.
        """
        from patternmind.storage.search.chroma import ChromaIndex

        return ChromaIndex(self.index_folder, name=self.encoder.id)


@contextmanager
def gc_disabled() -> Generator[None]:
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


def _is_searchable(index: VectorIndex, vectors: Vectors) -> bool:
    """Whether a search ends in an answer; the manifest of a damaged index is still in order."""
    try:
        return bool(index.search(vectors[0], 1)) if len(vectors) else True
    except IndexUnavailable:
        return False
