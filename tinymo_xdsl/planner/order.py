"""
Which order of steps has the least live peak: plain values in, an order out.

What is in memory depends on the set of steps that are done, not on their order. So the search walks over such sets,
from the one that is reached with the least peak on, and never comes back to a set: the first way to all steps is as low
as any. (Liberis and Lane, arXiv 1910.05110, and Ahn et al., "Ordering Chaos", MLSys 2020, search the same space.)
Three things keep it small, and none of them loses the optimum:

- A step that can run within the peak that any order has by now, and that leaves no more alive than before, runs at
  once; so does a chain of steps that ends so low (Liu, "An application of generalized tree pebbling to sparse matrix
  factorization", 1987).
- A step that frees nothing runs right before the first step that needs it.
- Sets that are reached only with a peak as high as that of a known order are left out.

Where the steps to look at run out, a beam goes on: it keeps the best sets of each size.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from heapq import heappop, heappush
from itertools import count


@dataclass(frozen=True)
class Tensor:
    """Bytes that are in memory from the step that writes them to the last one that reads them, both included."""

    size: int
    writer: int | None
    """The step that writes it; `None` if it is there from the start."""
    readers: tuple[int, ...] = ()
    kept: bool = False
    """Whether it is still needed behind the last step."""


@dataclass(frozen=True)
class Problem:
    """
    Steps 0 to `steps - 1`, numbered as they run now.

    `ValueError` if something is read or kept in order against that numbering.
    """

    steps: int
    tensors: tuple[Tensor, ...]
    in_order: tuple[tuple[int, int], ...] = ()
    """Pairs of steps of which the first has to run before the second, whatever they read."""

    def __post_init__(self) -> None:
        for earlier, later in self.dependencies:
            if not 0 <= earlier < later < self.steps:
                raise ValueError(f"step {later} cannot follow step {earlier} of {self.steps}")

    @cached_property
    def dependencies(self) -> tuple[tuple[int, int], ...]:
        """Pairs of steps of which the first has to run before the second."""
        reads = ((t.writer, reader) for t in self.tensors if t.writer is not None for reader in t.readers)
        return tuple(dict.fromkeys((*reads, *self.in_order)))


@dataclass(frozen=True)
class Order:
    """An order of the steps of a problem."""

    steps: tuple[int, ...]
    peak: int
    lower_bound: int
    """Bytes that no order can go below."""
    states: int
    """Sets of done steps that were looked at."""

    @property
    def is_optimal(self) -> bool:
        """Whether it is proven that no order has a lower peak."""
        return self.peak == self.lower_bound


def live_peak(problem: Problem, order: Sequence[int]) -> int:
    """The most bytes that are in memory at once when the steps run in `order`; `ValueError` if they cannot."""
    place = {step: index for index, step in enumerate(order)}
    if sorted(order) != list(range(problem.steps)) or any(place[a] > place[b] for a, b in problem.dependencies):
        raise ValueError("the order lacks steps, or breaks a dependency")
    change = [0] * (max(problem.steps, 1) + 1)
    for tensor in problem.tensors:
        first = 0 if tensor.writer is None else place[tensor.writer]
        last = len(change) - 2 if tensor.kept else max((place[reader] for reader in tensor.readers), default=first)
        change[first] += tensor.size
        change[last + 1] -= tensor.size
    live = peak = 0
    for bytes_ in change:
        live += bytes_
        peak = max(peak, live)
    return peak


def least_peak_order(problem: Problem, effort: int) -> Order:
    """
    The order with the least peak that is found by looking at `effort` sets of done steps, and as many with a beam.

    The order as it is stays if none is lower. If one is, steps that need not move for it keep their order.
    """
    graph = _Graph(problem)
    unchanged = tuple(range(problem.steps))
    peak, bound = live_peak(problem, unchanged), _lower_bound(problem)
    exact = _search(graph, bound, peak, effort)
    states, found = exact.states, exact.found
    if found is None and exact.bound < peak:
        beam = _beam(graph, exact.bound, peak, max(1, effort // problem.steps))
        states, found = states + beam.states, beam.found
    if found is None:
        return Order(unchanged, peak, exact.bound, states)
    order = graph.order_of(found)
    best = live_peak(problem, order)
    order = _towards_the_numbering(graph, order, best)
    return Order(order, live_peak(problem, order), exact.bound, states)


@dataclass(frozen=True, slots=True, eq=False)
class _State:
    """Some steps are done. Sets of steps are bit masks."""

    done: int
    live: int
    """Bytes alive after them."""
    ready: int
    """The steps that can run next, those on demand aside."""
    before: "_State | None" = None
    ran: tuple[int, ...] = ()
    """The steps in which it differs from the state before, in order."""


@dataclass(frozen=True)
class _Outcome:
    """What a search has found."""

    found: _State | None
    """All steps done, with a lower peak than the known order's; `None` if that was not found."""
    bound: int
    states: int


class _Graph:
    """A problem as the search asks for it."""

    def __init__(self, problem: Problem) -> None:
        steps = range(problem.steps)
        self.steps = steps
        self.written = [0 for _ in steps]
        """Bytes that a step writes."""
        self.staying = [0 for _ in steps]
        """Bytes of these that anything needs behind the step."""
        self.freed: list[list[tuple[int, int]]] = [[] for _ in steps]
        """Bytes that a step frees if the steps of a mask are done, itself aside."""
        for tensor in problem.tensors:
            self._add(tensor)
        self.unread = sum(t.size for t in problem.tensors if t.writer is None and not t.readers and not t.kept)
        """Bytes that are there at the start, and that no step reads."""
        self.start_live = sum(t.size for t in problem.tensors if t.writer is None) - self.unread
        self._order(problem)

    def _add(self, tensor: Tensor) -> None:
        if tensor.writer is not None:
            self.written[tensor.writer] += tensor.size
            self.staying[tensor.writer] += tensor.size if tensor.readers or tensor.kept else 0
        if not tensor.kept:
            for reader in set(tensor.readers):
                self.freed[reader].append((_mask(tensor.readers) & ~(1 << reader), tensor.size))

    def _order(self, problem: Problem) -> None:
        """Finds out what each step waits for, and which steps wait until they are needed."""
        needs = [0 for _ in self.steps]
        for earlier, later in problem.dependencies:
            needs[later] |= 1 << earlier
        is_needed = [0 < staying == written for staying, written in zip(self.staying, self.written, strict=True)]
        # What is alive until the first step makes a difference to which one that is.
        can_wait = [is_needed[step] and not self.freed[step] and not self.unread for step in self.steps]
        lazy = _mask(step for step in self.steps if can_wait[step])
        self.eager = _mask(self.steps) & ~lazy
        self.on_demand: list[int] = []
        """The lazy steps that have to be done before each step."""
        self.waits_for: list[int] = []
        """The eager steps that do."""
        for step in self.steps:
            demanded, waits_for = needs[step] & lazy, needs[step] & self.eager
            for other in _bits(demanded):
                demanded |= self.on_demand[other]
                waits_for |= self.waits_for[other]
            self.on_demand.append(demanded)
            self.waits_for.append(waits_for)
        self.followers: list[list[int]] = [[] for _ in self.steps]
        """The eager steps that wait for each step."""
        for later in _bits(self.eager):
            for earlier in _bits(self.waits_for[later]):
                self.followers[earlier].append(later)

    def start(self) -> _State:
        """Nothing is done."""
        return _State(0, self.start_live, _mask(step for step in _bits(self.eager) if not self.waits_for[step]))

    def advance(self, done: int, live: int, step: int) -> tuple[int, int]:
        """The bytes alive during `step` and after it."""
        during = live + self.written[step] + (0 if done else self.unread)
        freed = sum(size for others, size in self.freed[step] if not others & ~done)
        return during, live + self.staying[step] - freed

    def run(self, state: _State, step: int) -> tuple[int, _State]:
        """The peak of a ready step and of what it demands, and the state behind it."""
        done, live, peak = state.done, state.live, 0
        ran = (*_bits(self.on_demand[step] & ~done), step)
        for each in ran:
            during, live = self.advance(done, live, each)
            peak = max(peak, during)
            done |= 1 << each
        ready = state.ready & ~(1 << step)
        for follower in self.followers[step]:
            if not self.waits_for[follower] & ~done:
                ready |= 1 << follower
        return peak, _State(done, live, ready, state, ran)

    def successors(self, state: _State, peak: int) -> list[tuple[int, _State]]:
        """The states that may follow one that is reached with `peak`, and the peaks on the way there."""
        found: list[tuple[int, _State]] = []
        for step in _bits(state.ready):
            during, after = self.run(state, step)
            if (low := self._way_down(state, during, after, peak)) is not None:
                return [(peak, low)]
            found.append((during, after))
        return found

    def _way_down(self, start: _State, during: int, state: _State, peak: int) -> _State | None:
        """The first state along a chain of steps that has no more alive than `start`, if `peak` allows to go there."""
        while during <= peak:
            if state.live <= start.live:
                return state
            assert state.before is not None
            fresh = state.ready & ~state.before.ready
            if not fresh:
                return None
            during, state = self.run(state, next(_bits(fresh)))
        return None

    def order_of(self, state: _State) -> tuple[int, ...]:
        """The steps that led to a state, and behind them those that nothing demands."""
        rest = tuple(_bits(_mask(self.steps) & ~state.done))
        parts = [rest]
        while state.before is not None:
            parts.append(state.ran)
            state = state.before
        return tuple(step for part in reversed(parts) for step in part)


def _search(graph: _Graph, bound: int, limit: int, effort: int) -> _Outcome:
    """Goes on from the state with the least peak, and of these from the one with the most steps done."""
    number = count()
    waiting = [(bound, 0, 0, next(number), graph.start())]
    closed: set[int] = set()
    while waiting and bound < limit and len(closed) < effort:
        peak, _, _, _, state = heappop(waiting)
        bound = peak
        if state.done in closed:
            continue
        if not state.ready:
            return _Outcome(state, bound, len(closed))
        closed.add(state.done)
        for during, after in graph.successors(state, peak):
            reached = max(peak, during)
            if reached < limit and after.done not in closed:
                heappush(waiting, (reached, -after.done.bit_count(), after.live, next(number), after))
    return _Outcome(None, waiting[0][0] if waiting and bound < limit else limit, len(closed))


def _beam(graph: _Graph, bound: int, limit: int, width: int) -> _Outcome:
    """Goes on from the `width` states with the least peaks among those with as many steps done."""
    levels: list[dict[int, tuple[int, _State]]] = [{} for _ in range(len(graph.steps) + 1)]
    levels[0][0] = bound, graph.start()
    states = 0
    for level in levels:
        for peak, state in sorted(level.values(), key=lambda entry: (entry[0], entry[1].live, entry[1].done))[:width]:
            if not state.ready:
                return _Outcome(state, bound, states)
            states += 1
            for during, after in graph.successors(state, peak):
                reached, next_level = max(peak, during), levels[after.done.bit_count()]
                known = next_level.get(after.done)
                if reached < limit and (known is None or reached < known[0]):
                    next_level[after.done] = reached, after
    return _Outcome(None, bound, states)


def _towards_the_numbering(graph: _Graph, order: Sequence[int], peak: int) -> tuple[int, ...]:
    """Moves single steps ahead of higher numbers, which they do not depend on, as far as that goes within `peak`."""
    steps = list(order)
    # What is done and alive before each place, as far as steps have found theirs.
    before = [(0, graph.start_live)]
    while len(before) <= len(steps):
        place = len(before) - 1
        target = _earliest_place(graph, steps, before, peak)
        steps.insert(target, steps.pop(place))
        del before[target + 1 :]
        done, live = before[target]
        before.append((done | 1 << steps[target], graph.advance(done, live, steps[target])[1]))
    return tuple(steps)


def _earliest_place(graph: _Graph, steps: Sequence[int], before: Sequence[tuple[int, int]], peak: int) -> int:
    """How far the step at the last place of `before` can move ahead."""
    place = len(before) - 1
    step, target = steps[place], place
    while place and steps[place - 1] > step:
        place -= 1
        done, live = before[place]
        during, after = graph.advance(done, live, step)
        passed, _ = graph.advance(done | 1 << step, after, steps[place])
        if passed > peak:
            break
        if during <= peak:
            target = place
    return target


def _lower_bound(problem: Problem) -> int:
    """
    The most bytes that a step has alive in every order.

    Those are what it reads and writes, and what is written before it in every order and needed behind it in every
    order.
    """
    before = [1 << step for step in range(problem.steps)]
    for earlier, later in sorted(problem.dependencies, key=lambda pair: pair[1]):
        before[later] |= before[earlier]
    at_start = sum(tensor.size for tensor in problem.tensors if tensor.writer is None)
    bound = max(at_start, sum(tensor.size for tensor in problem.tensors if tensor.kept))
    for step in range(problem.steps):
        behind = _mask(other for other in range(step, problem.steps) if before[other] >> step & 1)
        alive = 0
        for tensor in problem.tensors:
            is_written = tensor.writer is None or before[step] >> tensor.writer & 1
            if is_written and (tensor.kept or tensor.writer == step or _mask(tensor.readers) & behind):
                alive += tensor.size
        bound = max(bound, alive)
    return bound


def _mask(steps: Iterable[int]) -> int:
    mask = 0
    for step in steps:
        mask |= 1 << step
    return mask


def _bits(mask: int) -> Iterator[int]:
    while mask:
        yield (mask & -mask).bit_length() - 1
        mask &= mask - 1
