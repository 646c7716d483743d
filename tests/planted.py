"""Networks through time whose history is known: groups that split, merge, are born, fall asleep and come back.

Independent of how carrying decides: a world only says which cases lie together in a period and what was done to them.
"""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from tests.builders import a_theme

from patternmind.carry import Group, Past, carry_themes, describe_changes, keep_in_mind, lay_to_rest, periods_with
from patternmind.model.themes import Lineage, Theme, ThemeChange, Vectors

D = 96
SPREAD = 1.2
"""Length of a case's own part beside its group's direction of length 1: a cosine of about .64 to the centre."""


@dataclass
class Network:
    """What a network's last run left, and what its next one needs. ``run`` is a run of groups handed in ready made."""

    themes: list[Theme] = field(default_factory=list[Theme])
    seen: set[str] = field(default_factory=set[str])

    def run(
        self, groups: Sequence[set[str]], looked_at: Iterable[str], vectors: dict[str, Vectors], label: str
    ) -> tuple[list[str], list[ThemeChange]]:
        """The theme id of every group, and what became of all themes."""
        made = [Group(frozenset(group), mean_of(group, vectors), len(group - self.seen)) for group in groups]
        here = set(looked_at)
        past = Past(
            themes=self.themes,
            known=frozenset(self.seen & here),
            taken={theme.id for theme in self.themes},
            encoder="planted",
        )
        ids = list(carry_themes(made, past, lens="all"))
        changes = describe_changes(made, ids, past, label=label)
        former = {theme.id: theme for theme in self.themes}
        carried = [self._theme(change, group, former, here) for change, group in zip(changes, made, strict=False)]
        rest = [lay_to_rest(former[change.theme_id], change.lineage) for change in changes[len(made) :]]
        by_id = {change.theme_id: change for change in changes}
        self.themes = [
            replace(
                theme,
                new_by_period=periods_with(former.get(theme.id), label=label, n_new=by_id[theme.id].n_new),
                quiet_runs=by_id[theme.id].quiet_runs,
            )
            for theme in (*carried, *rest)
        ]
        self.seen |= here
        return ids, changes

    def _theme(self, change: ThemeChange, group: Group, former: dict[str, Theme], here: set[str]) -> Theme:
        card = a_theme(
            change.theme_id,
            case_ids=tuple(sorted(group.case_ids)),
            exemplars=tuple(sorted(group.case_ids)[:3]),
            lineage=change.lineage,
            centre=tuple(float(x) for x in group.centre),
            encoder="planted",
        )
        return keep_in_mind(card, former.get(change.theme_id), here)


def mean_of(group: Iterable[str], vectors: dict[str, Vectors]) -> Vectors:
    total = np.sum([vectors[case_id] for case_id in group], axis=0, dtype=np.float64)
    return np.asarray(total / np.linalg.norm(total), np.float32)


class World:
    """Groups by a name of their own, noise included; ``lie`` says where every case lies now, None for nowhere."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)
        self.noise = np.random.default_rng(seed)
        self.lie: dict[str, str | None] = {}
        self.vectors: dict[str, Vectors] = {}
        self.directions: dict[str, Vectors] = {}

    def direction(self, name: str) -> Vectors:
        if name not in self.directions:
            drawn = self.noise.standard_normal(D)
            self.directions[name] = (drawn / np.linalg.norm(drawn)).astype(np.float32)
        return self.directions[name]

    def arrive(self, name: str, n: int) -> None:
        """New cases of a group's kind."""
        for _ in range(n):
            case_id = f"c-{len(self.lie):05d}"
            own = self.noise.standard_normal(D) * SPREAD / np.sqrt(D)
            drawn = self.direction(name) + own
            self.vectors[case_id] = (drawn / np.linalg.norm(drawn)).astype(np.float32)
            self.lie[case_id] = name

    def members(self, name: str) -> list[str]:
        return [case_id for case_id, where in self.lie.items() if where == name]

    def put(self, case_ids: Iterable[str], name: str | None) -> None:
        self.lie |= dict.fromkeys(case_ids, name)

    def stir(self, known: Iterable[str]) -> None:
        """Of every group 5 to 20 % of the cases that were there before move at random: to any group, or to none."""
        known = set(known)
        places = [*sorted({name for name in self.lie.values() if name}), None]
        movers: list[str] = []
        for name in places[:-1]:
            inside = [case_id for case_id in self.members(str(name)) if case_id in known]
            movers += self.draw.sample(inside, round(self.draw.uniform(0.05, 0.2) * len(inside)))
        for case_id in movers:
            self.lie[case_id] = self.draw.choice(places)

    def groups(self) -> dict[str, set[str]]:
        """The groups of three cases and more, in an order that says nothing."""
        names = sorted({name for name in self.lie.values() if name})
        self.draw.shuffle(names)
        return {name: found for name in names if len(found := set(self.members(name))) >= 3}


@dataclass(frozen=True, slots=True)
class Told:
    """What a period's run said: the theme of each group by name, and the change of each theme by id."""

    theme_of: dict[str, str]
    changes: dict[str, ThemeChange]


N_EACH = 50
"""Groups planted for each thing that can become of them."""


class History:
    """Four labelled periods: all begin; they go on; some split, merge or are born, others fall asleep; those return."""

    def __init__(self, seed: int) -> None:
        self.world, self.network = World(seed), Network()
        self.born: list[str] = []
        self.split: dict[str, list[str]] = {}
        self.merged: dict[str, str] = {}
        self._began: dict[str, list[str]] = {}
        self.told = [self._begin(), self._go_on(), self._change(), self._return()]

    @property
    def asleep(self) -> list[str]:
        """Half of them stay groups without a new case, of the other half every case lies alone."""
        return [f"asleep-{n}" for n in range(N_EACH)]

    def _period(self, label: str) -> Told:
        if self.network.seen:
            self.world.stir(self.network.seen)
        groups = self.world.groups()
        ids, changes = self.network.run(list(groups.values()), self.world.lie, self.world.vectors, label)
        return Told(dict(zip(groups, ids, strict=True)), {change.theme_id: change for change in changes})

    def _grow(self) -> None:
        alive = [name for name in self.world.groups() if not name.startswith("asleep")]
        for name in sorted(alive):
            self.world.arrive(name, 1 + round(self.world.draw.uniform(0, 0.4) * len(self.world.members(name))))

    def _begin(self) -> Told:
        for kind, fewest in (("steady", 5), ("split", 12), ("one", 5), ("other", 5), ("asleep", 5)):
            for n in range(N_EACH):
                self.world.arrive(f"{kind}-{n}", self.world.draw.randint(fewest, 60))
        self._began = {name: self.world.members(name) for name in self.asleep}
        return self._period("Q1")

    def _go_on(self) -> Told:
        for name in self.asleep[1::2]:
            self.world.put(self.world.members(name), None)
        self._grow()
        return self._period("Q2")

    def _change(self) -> Told:
        for n in range(N_EACH):
            self._split(f"split-{n}", n_pieces=2 + n % 2)
            self.world.put(self.world.members(f"other-{n}"), f"one-{n}")
            self.merged[f"other-{n}"] = f"one-{n}"
            self.born.append(f"born-{n}")
            self.world.arrive(self.born[-1], self.world.draw.randint(5, 60))
        self._grow()
        return self._period("Q3")

    def _split(self, name: str, n_pieces: int) -> None:
        members = self.world.members(name)
        self.world.draw.shuffle(members)
        pieces = [name, *(f"{name}/{piece}" for piece in range(1, n_pieces))]
        for place, case_id in enumerate(members):
            self.world.lie[case_id] = pieces[place % n_pieces]
        for piece in pieces[1:]:
            self.world.directions[piece] = self.world.direction(name)
        self.split[name] = pieces

    def _return(self) -> Told:
        """New cases of those asleep; where none of them was a group any more, some of the old cases join or none."""
        for n, name in enumerate(self.asleep):
            self.world.arrive(name, self.world.draw.randint(5, 20))
            if n % 4 == 1:
                old = [case_id for case_id in self._began[name] if self.world.lie[case_id] is None]
                self.world.put(old[: len(old) // 2], name)
        self._grow()
        return self._period("Q4")

    # what was planted and what was said, by period and theme

    def planted(self, word: Lineage) -> set[tuple[int, str]]:
        first, second, third, fourth = (told.theme_of for told in self.told)
        match word:
            case Lineage.SPLIT:
                return {(2, third[piece]) for pieces in self.split.values() for piece in pieces if piece in third}
            case Lineage.MERGED:
                return {(2, second[name]) for pair in self.merged.items() for name in pair}
            case Lineage.NEW:
                return {(2, third[name]) for name in self.born}
            case Lineage.DORMANT:
                return {(1 if n % 2 else 2, first[name]) for n, name in enumerate(self.asleep)}
            case Lineage.RETURNED:
                return {(3, first[name]) for name in self.asleep if fourth[name] == first[name]}
            case _:
                raise ValueError(word)

    def said(self, word: Lineage) -> set[tuple[int, str]]:
        """Where a run after the first used a word anew."""
        return {
            (period, change.theme_id)
            for period, told in enumerate(self.told)
            for change in told.changes.values()
            if period and change.lineage is word and change.former_lineage is not word
        }

    def scores(self, word: Lineage) -> tuple[float, float]:
        """Precision and recall; of 50 returned, those that came back under another id are not found."""
        planted, said = self.planted(word), self.said(word)
        wanted = max(len(planted), N_EACH)
        return len(planted & said) / max(1, len(said)), len(planted & said) / wanted

    def ids_kept(self) -> float:
        """The share of groups to which nothing was done that have their first theme at the end."""
        first, last = self.told[0].theme_of, self.told[-1].theme_of
        steady = [f"steady-{n}" for n in range(N_EACH)]
        return sum(first[name] == last.get(name) for name in steady) / N_EACH
