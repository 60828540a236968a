"""Circles in a graph."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence


def circles(leads_to: Mapping[str, Sequence[str]]) -> Iterator[set[str]]:
    """The strongly connected parts of two nodes and more, or of one that leads to itself.

    Tarjan's algorithm, without recursion: a flow may be a thousand nodes deep.
    """
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    for root in leads_to:
        if root in order:
            continue
        work = [(root, iter(leads_to[root]))]
        order[root] = low[root] = len(order)
        stack.append(root)
        while work:
            here, ahead = work[-1]
            if (target := next(ahead, None)) is None:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[here])
                if low[here] == order[here]:
                    part = set(stack[stack.index(here) :])
                    del stack[stack.index(here) :]
                    if len(part) > 1 or here in leads_to[here]:
                        yield part
            elif target not in order:
                order[target] = low[target] = len(order)
                stack.append(target)
                work.append((target, iter(leads_to[target])))
            elif target in stack:
                low[here] = min(low[here], order[target])
