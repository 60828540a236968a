"""Where the steps of a flow stand that nobody has placed: from left to right, a step of a call a column."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

COLUMN = 250  # units, as contracts have it
ROW = 130


def placed(nodes: Iterable[str], edges: Iterable[tuple[str, str]]) -> dict[str, tuple[int, int]]:
    """(x, y) by id. The first node that no edge leads to is the first column; a node stands behind all that
    lead to it, but for edges that lead back."""
    names = list(nodes)
    leads: dict[str, list[str]] = {name: [] for name in names}
    for source, target in edges:
        if source in leads and target in leads:
            leads[source].append(target)
    columns = _columns(names, leads)
    rows: dict[int, list[str]] = {}
    for name in names:
        rows.setdefault(columns[name], []).append(name)
    return {
        name: (column * COLUMN, round((place - (len(column_names) - 1) / 2) * ROW))
        for column, column_names in rows.items()
        for place, name in enumerate(column_names)
    }


def _columns(names: list[str], leads: Mapping[str, list[str]]) -> dict[str, int]:
    """The longest way to each node over the edges that lead on: those back are left out first."""
    order, onward = _onward(names, leads)
    columns = dict.fromkeys(names, 0)
    for name in order:
        for target in onward[name]:
            columns[target] = max(columns[target], columns[name] + 1)
    return columns


def _onward(names: list[str], leads: Mapping[str, list[str]]) -> tuple[list[str], dict[str, list[str]]]:
    """A topological order, and the edges without those that would close a circle."""
    reached = {target for targets in leads.values() for target in targets}
    starts = [name for name in names if name not in reached]
    state: dict[str, int] = {}  # 1: under way, 2: done
    onward: dict[str, list[str]] = {name: [] for name in names}
    finished: list[str] = []
    for start in [*starts, *names]:
        stack = [(start, iter(leads[start]))] if start not in state else []
        state.setdefault(start, 1)
        while stack:
            name, targets = stack[-1]
            for target in targets:
                if state.get(target) != 1:
                    onward[name].append(target)
                if target not in state:
                    state[target] = 1
                    stack.append((target, iter(leads[target])))
                    break
            else:
                stack.pop()
                state[name] = 2
                finished.append(name)
    return finished[::-1], onward
