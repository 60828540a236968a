"""How a worker answers one request after the other, and when it goes on from one that nobody wants."""

import queue
import threading

import pytest

from mlservices.service.worker import Server


class Mind:
    """Reads until it is let go, then says what it was told, word by word."""

    def __init__(self, side_by_side):
        self.side_by_side = side_by_side
        self.reading: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.let_go = {"first": threading.Event(), "second": threading.Event(), "third": threading.Event()}
        self.said = []
        self.ended = queue.SimpleQueue()

    def reply(self, messages, *, max_tokens, temperature, tools=()):
        text = messages[-1].content
        self.reading.put(text)
        self.let_go[text].wait(10)
        try:
            for word in (text, "and", "more"):
                self.said.append(word)
                yield word
        finally:
            self.ended.put(text)


def run(number, text):
    params = {"messages": [{"role": "user", "content": text}], "max_tokens": 9, "temperature": 0.0}
    return {"op": "run", "task": "reply", "jobs": [{"id": number, "params": params, "bytes": 0}]}


@pytest.fixture
def serve():
    """Has a server serve requests in a thread, as a worker's main one does; yields what asks it."""
    asked, told = queue.SimpleQueue(), queue.SimpleQueue()
    servers = []

    def begin(engine):
        server = Server(engine)
        servers.append(server)

        def tell(head, sound):
            if head["event"] != "begun":
                told.put((head["event"], head["id"]))

        def work():
            while (head := asked.get()) is not None:
                server.serve(head, b"", tell)

        threading.Thread(target=work, daemon=True).start()
        return server, lambda number, text: asked.put(run(number, text)), lambda: told.get(timeout=10)

    yield begin
    asked.put(None)


def test_the_next_is_served_beside_a_call_that_nobody_wants_and_nothing_can_stop(serve):
    mind = Mind(side_by_side=2)
    server, ask, told = serve(mind)
    ask(1, "first")
    assert mind.reading.get(timeout=10) == "first"
    server.cancel(1)
    assert told() == ("done", 1)
    ask(2, "second")
    assert mind.reading.get(timeout=10) == "second"
    mind.let_go["first"].set()
    assert mind.ended.get(timeout=10) == "first"
    assert mind.said == ["first"]  # it ended at its first word, which nobody was told
    mind.let_go["second"].set()
    assert [told() for _ in range(4)] == [*[("piece", 2)] * 3, ("done", 2)]


def test_one_call_is_left_alone_and_no_more(serve):
    mind = Mind(side_by_side=2)
    server, ask, told = serve(mind)
    for number, text in ((1, "first"), (2, "second")):
        ask(number, text)
        mind.reading.get(timeout=10)
        server.cancel(number)
    assert told() == ("done", 1)
    ask(3, "third")
    with pytest.raises(queue.Empty):
        mind.reading.get(timeout=0.05)
    mind.let_go["second"].set()  # it ends by itself, as every call does
    assert told() == ("done", 2)
    assert mind.reading.get(timeout=10) == "third"
    for event in mind.let_go.values():
        event.set()


def test_an_engine_that_bears_one_call_at_a_time_is_waited_for(serve):
    mind = Mind(side_by_side=1)
    server, ask, told = serve(mind)
    ask(1, "first")
    mind.reading.get(timeout=10)
    server.cancel(1)
    ask(2, "second")
    with pytest.raises(queue.Empty):
        mind.reading.get(timeout=0.05)
    mind.let_go["first"].set()
    mind.let_go["second"].set()
    assert [told() for _ in range(5)] == [("done", 1), *[("piece", 2)] * 3, ("done", 2)]


def test_a_request_that_is_cancelled_before_it_is_served_does_not_hold_up_the_next(serve):
    mind = Mind(side_by_side=2)
    server, ask, told = serve(mind)
    server.cancel(1)
    ask(1, "first")
    assert told() == ("done", 1)
    ask(2, "second")
    mind.let_go["second"].set()
    assert told() == ("piece", 2)
    mind.let_go["first"].set()
