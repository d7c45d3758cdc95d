"""Where boxes stand: in ranks, so that edges lead forward, cross little and run straight.

The layered method of Sugiyama, Tagawa and Toda (1981): ranks by the longest way, edges over several
ranks as chains of *bends*, an order within ranks by barycentres, then places along the rank that
are weighted medians of their neighbours' (Gansner, Koutsofios, North and Vo, 1993), found for one
rank at a time by pooling adjacent violators.

All lengths are in pixels, `u` along a rank and `v` from rank to rank; nothing here knows of models.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import pairwise

__all__ = ["Link", "Plan", "Spot", "arrange"]

SWEEPS = 12
GAP, BEND_GAP = 26.0, 12.0  # between neighbours of a rank: between boxes, and beside a bend
STRAIGHT, NEAR, FAR = 2, 3, 1  # weights of edges: between bends, between boxes, from box to bend


@dataclass(eq=False)
class Spot:
    """Something with a place: a box, a group, or a bend of an edge.

    Attributes:
        width, height: Size along and across the rank.
        ins, outs: Where edges enter and leave, from the middle along the rank.
        pinned: "first" or "last" for what stands in that rank.
        u, v: Its middle; set by `arrange`.
    """

    width: float = 0.0
    height: float = 0.0
    ins: list[float] = field(default_factory=lambda: [0.0])
    outs: list[float] = field(default_factory=lambda: [0.0])
    pinned: str = ""
    bend: bool = False
    rank: int = 0
    u: float = 0.0
    v: float = 0.0


@dataclass(eq=False)
class Link:
    """An edge from the `out`-th exit of a spot to the `into`-th entrance of another.

    After `arrange`, `chain` holds the spots that it passes, ends included, in the order of ranks;
    `turned` says that it leads back to an earlier rank and the chain runs against it.
    """

    source: Spot
    target: Spot
    out: int = 0
    into: int = 0
    turned: bool = False
    chain: list[Spot] = field(default_factory=list)

    def steps(self) -> list[tuple[Spot, float, Spot, float]]:
        """(spot, exit, next spot, entrance), exits and entrances from the middle of the spot."""
        first, last = (
            (self.target.ins[self.into], self.source.outs[self.out])
            if self.turned
            else (self.source.outs[self.out], self.target.ins[self.into])
        )
        end = len(self.chain) - 2
        return [
            (a, first if k == 0 else 0.0, b, last if k == end else 0.0)
            for k, (a, b) in enumerate(pairwise(self.chain))
        ]


@dataclass(eq=False)
class Plan:
    """The arranged ranks."""

    ranks: list[list[Spot]]
    links: list[Link]


def arrange(spots: list[Spot], links: list[Link]) -> Plan:
    """Give every spot its rank and its `u`, and every link its chain.

    Links from a spot to itself are left alone. `v` is for the caller, who knows what edges need.
    """
    between = [link for link in links if link.source is not link.target]
    _turn_back_edges(spots, between)
    count = _rank(spots, between)
    ranks: list[list[Spot]] = [[] for _ in range(count)]
    for spot in spots:
        ranks[spot.rank].append(spot)
    for link in between:
        _make_chain(link, ranks)
    steps = [step for link in between for step in link.steps()]
    _order(ranks, steps)
    _place(ranks, steps)
    return Plan(ranks, between)


def _ends(link: Link) -> tuple[Spot, Spot]:
    """(upper, lower) end."""
    return (link.target, link.source) if link.turned else (link.source, link.target)


# --- ranks ---


def _turn_back_edges(spots: list[Spot], links: list[Link]) -> None:
    """Turn the edges that close a circle, as a layer makes that is called on its own result."""
    outgoing = defaultdict(list)
    for link in links:
        outgoing[link.source].append(link)
    state: dict[Spot, int] = {}  # 1 while on the way, 2 when done
    for root in spots:
        if root in state:
            continue
        state[root] = 1
        way = [(root, iter(outgoing[root]))]
        while way:
            spot, rest = way[-1]
            link = next(rest, None)
            if link is None:
                state[spot] = 2
                way.pop()
            elif state.get(link.target) == 1:
                link.turned = True
            elif link.target not in state:
                state[link.target] = 1
                way.append((link.target, iter(outgoing[link.target])))


def _rank(spots: list[Spot], links: list[Link]) -> int:
    """Ranks by the longest way from a start, then late for what feeds more than it takes."""
    above, below = defaultdict(list), defaultdict(list)
    for link in links:
        upper, lower = _ends(link)
        below[upper].append(lower)
        above[lower].append(upper)
    waiting = {spot: len(above[spot]) for spot in spots}
    order = [spot for spot in spots if not waiting[spot]]
    for spot in order:
        for lower in below[spot]:
            lower.rank = max(lower.rank, spot.rank + 1)
            waiting[lower] -= 1
            if not waiting[lower]:
                order.append(lower)
    for spot in reversed(order):
        if len(below[spot]) > len(above[spot]) and spot.pinned != "first":
            spot.rank = min(lower.rank for lower in below[spot]) - 1
    first = 1 if any(s.pinned == "first" for s in spots) else 0
    lowest = max((s.rank for s in spots), default=0)
    for spot in spots:
        if spot.pinned == "last":
            spot.rank = lowest
        elif spot.pinned == "first":
            spot.rank = 0
        else:
            spot.rank = max(spot.rank, first)
    return lowest + 1


def _make_chain(link: Link, ranks: list[list[Spot]]) -> None:
    upper, lower = _ends(link)
    bends = [Spot(bend=True, rank=rank) for rank in range(upper.rank + 1, lower.rank)]
    for bend in bends:
        ranks[bend.rank].append(bend)
    link.chain = [upper, *bends, lower]


# --- order within the ranks ---

Step = tuple[Spot, float, Spot, float]


class _Sides:
    """The neighbours of each spot in the rank above and below."""

    def __init__(self, steps: list[Step]):
        self.above: dict[Spot, list[tuple[Spot, float, float, int]]] = defaultdict(list)
        self.below: dict[Spot, list[tuple[Spot, float, float, int]]] = defaultdict(list)
        for a, out, b, into in steps:
            weight = STRAIGHT if a.bend and b.bend else FAR if a.bend or b.bend else NEAR
            self.below[a].append((b, into, out, weight))
            self.above[b].append((a, out, into, weight))


def _order(ranks: list[list[Spot]], steps: list[Step]) -> None:
    """Order the ranks so that edges cross little."""
    sides = _Sides(steps)
    by_rank = defaultdict(list)
    for step in steps:
        by_rank[step[0].rank].append(step)
    best, least = [list(rank) for rank in ranks], _crossings(ranks, by_rank)
    for sweep in range(SWEEPS):
        if not least:
            break
        down = sweep % 2 == 0
        for rank in ranks if down else reversed(ranks):
            _by_barycentre(rank, ranks, sides.above if down else sides.below, down)
        _swap_neighbours(ranks, sides)
        found = _crossings(ranks, by_rank)
        if found < least:
            best, least = [list(rank) for rank in ranks], found
    for rank, order in zip(ranks, best, strict=True):
        rank[:] = order


def _places(rank: list[Spot]) -> dict[Spot, float]:
    return {spot: float(k) for k, spot in enumerate(rank)}


def _port(spot: Spot, offset: float) -> float:
    """Where a port lies in its spot, as a part of the distance between two places."""
    return offset / spot.width * 0.9 if spot.width else 0.0


def _by_barycentre(rank: list[Spot], ranks: list[list[Spot]], side: dict, down: bool) -> None:
    if not rank:
        return
    other = rank[0].rank + (-1 if down else 1)
    if not 0 <= other < len(ranks):
        return
    place, here = _places(ranks[other]), _places(rank)

    def centre(spot: Spot) -> float:
        found = [place[s] + _port(s, offset) for s, offset, _, _ in side[spot]]
        return sum(found) / len(found) if found else here[spot]

    rank.sort(key=centre)


def _crossings(ranks: list[list[Spot]], by_rank: dict[int, list[Step]]) -> int:
    total = 0
    for k, rank in enumerate(ranks[:-1]):
        up, low = _places(rank), _places(ranks[k + 1])
        ends = sorted((up[a] + _port(a, x), low[b] + _port(b, y)) for a, x, b, y in by_rank[k])
        seen: list[float] = []
        for _, end in ends:
            total += len(seen) - bisect_right(seen, end)
            insort(seen, end)
    return total


def _swap_neighbours(ranks: list[list[Spot]], sides: _Sides) -> None:
    """Exchange neighbours wherever that leaves fewer crossings."""
    for k, rank in enumerate(ranks):
        up = _places(ranks[k - 1]) if k else {}
        low = _places(ranks[k + 1]) if k + 1 < len(ranks) else {}
        for i in range(len(rank) - 1):
            a, b = rank[i], rank[i + 1]
            gain = 0
            for side, place in ((sides.above, up), (sides.below, low)):
                one = [place[s] + _port(s, x) for s, x, _, _ in side[a]]
                other = [place[s] + _port(s, x) for s, x, _, _ in side[b]]
                gain += sum((p > q) - (p < q) for p in one for q in other)
            if gain > 0:
                rank[i], rank[i + 1] = b, a


# --- places along the ranks ---


def _place(ranks: list[list[Spot]], steps: list[Step]) -> None:
    for rank in ranks:
        u = 0.0
        for before, spot in zip([None, *rank], rank, strict=False):
            u += _apart(before, spot) if before else 0.0
            spot.u = u
    sides = _Sides(steps)
    for sweep in range(SWEEPS):
        down = sweep % 2 == 0
        for rank in ranks if down else reversed(ranks):
            _settle(rank, [sides.above if down else sides.below])
    for rank in ranks:
        _settle(rank, [sides.above, sides.below])


def _apart(a: Spot, b: Spot) -> float:
    """How far the middles of two neighbours are apart at least."""
    return (a.width + b.width) / 2 + (BEND_GAP if a.bend or b.bend else GAP)


def _settle(rank: list[Spot], sides: list[dict]) -> None:
    """Move a rank, without overlaps, as near as possible to where its neighbours are."""
    blocks: list[tuple[list[tuple[float, int]], list[tuple[Spot, float]]]] = []
    shift = 0.0
    for before, spot in zip([None, *rank], rank, strict=False):
        shift += _apart(before, spot) if before else 0.0
        wishes = [
            (other.u + offset - own - shift, weight)
            for side in sides
            for other, offset, own, weight in side[spot]
        ]
        block = (wishes or [(spot.u - shift, 1)], [(spot, shift)])
        while blocks and _median(blocks[-1][0]) > _median(block[0]):
            wishes, members = blocks.pop()
            block = (wishes + block[0], members + block[1])
        blocks.append(block)
    for wishes, members in blocks:
        base = _median(wishes)
        for spot, shift in members:
            spot.u = base + shift


def _median(wishes: list[tuple[float, int]]) -> float:
    """The weighted median; the middle between two values that serve equally."""
    ordered = sorted(wishes)
    half, total = sum(weight for _, weight in ordered) / 2, 0.0
    for k, (value, weight) in enumerate(ordered):
        total += weight
        if total == half:
            return (value + ordered[k + 1][0]) / 2
        if total > half:
            return value
    return ordered[-1][0]
