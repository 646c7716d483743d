"""Composition root: builds every adapter on first use."""

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
from patternmind.embedding import minilm_encoder
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
from patternmind.services.erasure import ErasureResult, erase_case, find_erasure, find_withdrawal, withdraw_case
from patternmind.services.placement import Placer
from patternmind.services.search import embed_all_cases
from patternmind.settings import DEFAULT_NETWORK, Settings
from patternmind.storage import SqlAccounts, SqlStore
from patternmind.storage.encryption import FieldCipher
from patternmind.storage.engine import translate_db_errors
from patternmind.storage.passwords import Argon2PasswordHasher
from patternmind.storage.run_lock import run_lock
from patternmind.storage.search.chroma import ChromaIndex, digest_rows
from patternmind.storage.search.exact import ExactIndex
from patternmind.storage.search.in_memory import InMemoryIndex

if TYPE_CHECKING:
    from patternmind.llm.gateway import LiteLLMGateway

DATABASE_FILE = "patternmind.db"

UPLOAD_FOLDER_PREFIX = ".upload-"
"""Name prefix of the folders of files that are being imported."""


class AppContext:
    """Services and adapters of one data folder; each is opened or loaded on first use."""

    def __init__(self, settings: Settings, *, encoder: Encoder | None = None, clock: Clock | None = None) -> None:
        self.settings = settings
        self.clock: Clock = clock or SystemClock()
        self._injected_encoder = encoder
        self._placers: dict[str | None, Placer] = {}

    def for_network(self, network_id: str) -> "AppContext":
        """Return a context of another network with the same data folder, clock and encoder."""
        encoder = self._injected_encoder or self.encoder
        return AppContext(replace(self.settings, network=network_id), encoder=encoder, clock=self.clock)

    @cached_property
    def store(self) -> Store:
        """Store of the network; the default network is created on first use.

        Raises:
            UsageError: The network does not exist.
        """
        network_id = self.settings.network
        if network_id != DEFAULT_NETWORK and network_id not in {
            network.id for network in self.accounts.networks.list_all()
        }:
            raise UsageError(f'Network "{network_id}" not found in this data folder.', field="network")
        cipher = FieldCipher(self.settings.raw_key, self.settings.raw_key_before)
        return SqlStore(self.settings.home / DATABASE_FILE, network_id, cipher=cipher)

    @cached_property
    def accounts(self) -> Accounts:
        """Accounts and networks of this data folder."""
        default_network = Network(id=DEFAULT_NETWORK, name=DEFAULT_NETWORK)
        return SqlAccounts(self.settings.home / DATABASE_FILE, default_network=default_network)

    @cached_property
    def passwords(self) -> PasswordHasher:
        return Argon2PasswordHasher()

    @cached_property
    def encoder(self) -> Encoder:
        if self._injected_encoder is not None:
            return self._injected_encoder
        return minilm_encoder.MiniLMEncoder(
            self.settings.encoder, precision_cache=self.settings.home / "encoder-check.json"
        )

    @cached_property
    def llm(self) -> LlmContext | None:
        if self.settings.model is None:
            return None
        return LlmContext(self.gateway(), self.prompts, pair_similarity(self.encoder))

    @cached_property
    def prompts(self) -> PromptTemplates:
        """Packaged prompts, overridden by the organisation's own prompts.

        Raises:
            PromptInvalid: A file cannot be used.
        """
        from patternmind.llm.prompts import PromptFiles, packaged_prompts_dir

        return PromptFiles(packaged_prompts_dir(), overrides=self.settings.prompts)

    def gateway(self) -> "LiteLLMGateway":
        """Return the gateway to the configured language model; it is loaded on first use.

        Raises:
            UsageError: No model is set.
            SettingsInvalid: A model is set for an unknown task.
            PriceUnknown: The price of a model is not set.
        """
        return self._gateway

    @cached_property
    def _gateway(self) -> "LiteLLMGateway":
        from patternmind.llm.gateway import LiteLLMGateway, build_model_choice
        from patternmind.llm.prompts import packaged_prompts_dir

        settings = self.settings
        if settings.model is None:
            raise UsageError("No language model is set. Set PATTERNMIND_MODEL.")
        tasks = sorted(path.stem for path in packaged_prompts_dir().glob("*.md"))
        for task in settings.task_models:
            if task not in tasks:
                raise SettingsInvalid(
                    f'PATTERNMIND_TASK_MODELS names an unknown task "{task}". Tasks are: {", ".join(tasks)}.'
                )
        choice = build_model_choice(
            settings.model,
            api_base=settings.api_base,
            api_key=settings.api_key,
            task_models=settings.task_models,
            fallback=settings.fallback_model,
            prices=settings.prices,
        )
        gateway = LiteLLMGateway(choice, self.store.calls, self.clock, limits=settings.limits, budget=settings.budget)
        gateway.check_prices()
        return gateway

    def run(self, parameters: RunParameters, *, progress: Progress | None = None) -> RunRecord:
        """Run the pipeline under the run lock and update an existing index.

        Raises:
            RunInProgress: Another run holds the lock.
        """
        with self.run_locked() as store, gc_disabled():
            record = run_pipeline(store, self.encoder, self.clock, parameters, llm=self.llm, progress=progress)
            if parameters.lens == "all":
                self._refresh_index()
        return record

    @contextmanager
    def run_locked(self) -> Generator[Store]:
        """Hold the run lock: a running pipeline would write back data it read earlier.

        Raises:
            RunInProgress: Another run holds the lock.
        """
        store = self.store  # opening it creates the folder of the lock file
        with run_lock(self.settings.home):
            yield store

    def erase(self, case_id: str, *, actor: str) -> ErasureResult:
        """Erase a case everywhere in this data folder.

        This covers rows and log, the index, copies of the database, and leftover uploads.

        Raises:
            RunInProgress: A run holds the lock.
            NotFound: The case does not exist.
            UsageError: The request is invalid.
            IndexUnavailable: Another process owns the index; nothing was changed.
            StoreUnavailable: Another process reads the database, so its log cannot be emptied. Erase again.
        """
        with self.run_locked() as store:
            if find_erasure(store, case_id) is None and find_withdrawal(store, case_id) is None:
                store.cases.get(case_id)  # raises NotFound before the index is deleted
            with self._index_rebuilt():
                self._remove_leftover_copies()
                return erase_case(store, self.clock, case_id, actor=actor)

    def withdraw(self, case_id: str, *, actor: str) -> ErasureResult:
        """Withdraw a case from lists, themes, drafts, search and index.

        The submitted text remains stored, so that the case can be restored.

        Raises:
            RunInProgress: A run holds the lock.
            NotFound: The case does not exist.
            UsageError: The request is invalid.
            IndexUnavailable: Another process owns the index; nothing was changed.
        """
        with self.run_locked() as store:
            store.cases.get(case_id)  # as above
            with self._index_rebuilt():
                return withdraw_case(store, self.clock, case_id, actor=actor)

    @contextmanager
    def _index_rebuilt(self) -> Generator[None]:
        """Delete the index before a change of the rows, and build it again afterwards."""
        has_index = (self.index_folder / "manifest.json").exists()
        if self.index_folder.exists():
            with closing(self.chroma_index()) as index:
                index.delete()
        yield
        self._placers.clear()
        if has_index:
            self._build_index()

    def leftover_copies(self) -> list[Path]:
        """List database copies from before migrations, and uploads of a killed server; all hold raw text."""
        home = self.settings.home
        return sorted([*home.glob(f"{Path(DATABASE_FILE).stem}.before-*.db*"), *home.glob(f"{UPLOAD_FOLDER_PREFIX}*")])

    def _remove_leftover_copies(self) -> None:
        with translate_db_errors(self.settings.home / DATABASE_FILE):
            for path in self.leftover_copies():
                shutil.rmtree(path) if path.is_dir() else path.unlink()

    def placer(self, lens: str | None = None) -> Placer:
        """Return the cached placer of a lens; None for the lens of the last run."""
        return self._placers.setdefault(lens, Placer(self.store, self.encoder, lens))

    def _refresh_index(self) -> None:
        """Update an existing index; if that fails, search uses the rows."""
        if (self.index_folder / "manifest.json").exists():
            self._build_index()

    def _build_index(self) -> None:
        ids, vectors = embed_all_cases(self.store, self.encoder)
        try:
            with closing(self.chroma_index()) as index:
                if not index.is_current(digest_rows(ids, vectors)):
                    index.rebuild(ids, vectors)
        except IndexUnavailable:
            return

    @property
    def index_folder(self) -> Path:
        """Folder of this network's index; networks never share an index."""
        network_id = self.settings.network
        return self.settings.home / ("index" if network_id == DEFAULT_NETWORK else f"index-{network_id}")

    @contextmanager
    def open_index(self, *, progress: Progress | None = None) -> Generator[VectorIndex]:
        """Open the index for search: Chroma if it is current and available, else the rows."""
        if not (self.index_folder / "manifest.json").exists():
            yield self.live_index
            return
        ids, vectors = embed_all_cases(self.store, self.encoder, progress=progress)
        try:
            chroma = self.chroma_index()
        except IndexUnavailable:
            chroma = None
        with nullcontext() if chroma is None else closing(chroma):
            is_usable = (
                chroma is not None and chroma.is_current(digest_rows(ids, vectors)) and _is_searchable(chroma, vectors)
            )
            yield chroma if chroma is not None and is_usable else ExactIndex(ids, vectors)

    @cached_property
    def live_index(self) -> InMemoryIndex:
        """In-memory index of all cases, always current; read on first search."""
        return InMemoryIndex(self.store, lambda: self.encoder)

    def chroma_index(self) -> ChromaIndex:
        """Open the Chroma index as its only owner.

        Raises:
            IndexUnavailable: Another process owns it.
        """
        return ChromaIndex(self.index_folder, name=self.encoder.id)


@contextmanager
def gc_disabled() -> Generator[None]:
    """Disable Python's cyclic garbage collector.

    Among the million objects of a large run it finds nothing to free. At 20,000 cases it takes a sixth of a warm run.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _is_searchable(index: VectorIndex, vectors: Vectors) -> bool:
    """Return True if a search succeeds; a damaged index may still have a valid manifest."""
    try:
        return bool(index.search(vectors[0], 1)) if len(vectors) else True
    except IndexUnavailable:
        return False
