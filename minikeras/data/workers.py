"""Threads that compute ahead, in order, a bounded number of results."""

import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, TypeVar

__all__ = ["Ahead"]

T = TypeVar("T")
R = TypeVar("R")


class Ahead(Generic[T, R]):
    """The results of a function for one item after the other, computed ahead by threads.

    Results come in the order of the items. An error of the function is raised, with its own
    traceback, where its result is asked for. After `close` no thread is left.

    Args:
        function: Takes an item; called by several threads at once, if there are several.
        items: What to call it with; asked by one thread at a time.
        workers: Number of threads.
        ahead: How many results may be ready or under way that nobody has asked for yet.

    >>> with Ahead(lambda item: item * item, range(4), workers=2, ahead=3) as squares:
    ...     list(squares)
    [0, 1, 4, 9]
    """

    def __init__(
        self, function: Callable[[T], R], items: Iterable[T], workers: int = 1, ahead: int = 1
    ):
        self._function = function
        self._items = iter(items)
        self._ahead = ahead
        self._ready: dict[int, tuple[R | None, BaseException | None]] = {}
        self._taken = self._given = 0  # items taken by workers, results given out
        self._last: int | None = None  # the number of results, once it is known
        self._closed = False
        self._change = threading.Condition()
        self._threads = [
            threading.Thread(target=self._work, name=f"minikeras-data-{i}", daemon=True)
            for i in range(workers)
        ]
        for thread in self._threads:
            thread.start()

    def __enter__(self) -> "Ahead[T, R]":
        return self

    def __exit__(self, *error: Any) -> None:
        self.close()

    def __iter__(self) -> Iterator[R]:
        return self

    def __next__(self) -> R:
        with self._change:
            while self._given not in self._ready:
                if self._closed or self._given == self._last:
                    raise StopIteration
                self._change.wait()
            result, error = self._ready.pop(self._given)
            self._given += 1
            self._change.notify_all()  # there is room for one more
        if error is not None:
            self.close()
            raise error
        return result  # type: ignore[return-value]

    def close(self) -> None:
        """Stop; what is under way is finished and thrown away."""
        with self._change:
            self._closed = True
            self._ready.clear()
            self._change.notify_all()
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join()

    def _work(self) -> None:
        while (task := self._take()) is not None:
            number, item, error = task
            result = None
            if error is None:
                try:
                    result = self._function(item)
                except BaseException as caught:  # raised again by `__next__`
                    error = caught
            with self._change:
                if not self._closed:
                    self._ready[number] = result, error
                    self._change.notify_all()
            del task, item, result, error  # a waiting thread keeps no batch alive

    def _take(self) -> tuple[int, Any, BaseException | None] | None:
        """The next item to work on, as soon as there is room for its result; None: the end."""
        with self._change:
            while not self._ended() and self._taken - self._given >= self._ahead:
                self._change.wait()
            if self._ended():
                return None
            try:
                task = self._taken, next(self._items), None
            except StopIteration:
                self._last = self._taken
                self._change.notify_all()
                return None
            except BaseException as error:
                self._last = self._taken + 1
                task = self._taken, None, error
            self._taken += 1
            return task

    def _ended(self) -> bool:
        return self._closed or self._last is not None
