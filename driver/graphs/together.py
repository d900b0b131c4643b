"""Runs that go their own ways, and whose steps are made at once.

One runs at a time. Where it asks for steps it waits; once all wait, a graph makes the steps of all, and one
after the other goes on. So each has its own anchors, verdicts and error, and nothing depends on timing.
"""

import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

from ...surrogate.own_steps.block import Block, Made, Request

Result = TypeVar("Result")


class Together:
    """Implements `StepGraphs` for some runs at once.

    most: trajectories in one call. calls, made: of graphs so far, and trajectories' blocks that they made.
    """

    def __init__(self, most: int) -> None:
        self.most, self.calls, self.made = most, 0, 0
        self._blocks: dict[bytes, Block] = {}
        self._baton = threading.Condition()
        self._asked: dict[int, tuple[Block, Request]] = {}
        self._answers: dict[int, Made | Exception] = {}
        self._going: set[int] = set()
        self._turn: int | None = None
        self._own = threading.local()

    def carry_out(self, works: Sequence[Callable[[], Result]]) -> list[Result]:
        """What each gives, in order; the first error of any, once all have come to an end."""
        results: dict[int, Result] = {}
        errors: dict[int, BaseException] = {}

        def carry(number: int) -> None:
            self._own.number = number
            with self._baton:
                self._baton.wait_for(lambda: self._turn == number)
                try:
                    results[number] = works[number]()
                except BaseException as error:
                    errors[number] = error
                self._going.discard(number)
                self._pass_on()

        self._going, self._turn = set(range(len(works))), 0
        threads = [threading.Thread(target=carry, args=(number,)) for number in range(len(works))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if errors:
            raise errors[min(errors)]
        return [results[number] for number in range(len(works))]

    def block(self, key: bytes, make: Callable[[], Block]) -> Block:
        """See `StepGraphs`."""
        if key not in self._blocks:
            self._blocks[key] = make()
        return self._blocks[key]

    def run(self, block: Block, request: Request) -> Made:
        """See `StepGraphs`."""
        number: int = self._own.number
        self._asked[number] = (block, request)
        self._pass_on()
        self._baton.wait_for(lambda: self._turn == number)
        answer = self._answers.pop(number)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _pass_on(self) -> None:
        """The next one's turn: one that has not asked yet, else one that has its answer."""
        free = sorted(self._going - set(self._asked))
        if not free and self._asked:
            self._make()
            free = sorted(self._answers)
        self._turn = free[0] if free else None
        self._baton.notify_all()

    def _make(self) -> None:
        """Steps of all that have asked, graph by graph."""
        of_blocks: dict[int, list[int]] = {}
        for number in sorted(self._asked):
            of_blocks.setdefault(id(self._asked[number][0]), []).append(number)
        for numbers in of_blocks.values():
            for first in range(0, len(numbers), self.most):
                some = numbers[first : first + self.most]
                self._answer(some, self._asked[some[0]][0])
        self._asked.clear()

    def _answer(self, numbers: list[int], block: Block) -> None:
        self.calls, self.made = self.calls + 1, self.made + len(numbers)
        try:
            answers: Sequence[Made | Exception] = block.run([self._asked[number][1] for number in numbers])
        except Exception as error:
            # ONNX Runtime raises types of its own.
            answers = [error] * len(numbers)
        self._answers |= dict(zip(numbers, answers, strict=True))
