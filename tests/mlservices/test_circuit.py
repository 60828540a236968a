"""When a circuit opens, for how long, and what closes it."""

from mlservices.circuit import Circuit


def test_it_opens_after_failures_in_a_row_and_lets_one_try_after_the_pause():
    circuit = Circuit(failures=3, first_pause=5.0)
    for now in (0.0, 1.0):
        circuit.failed(now)
    assert circuit.open_for(1.0) == 0
    circuit.failed(2.0)
    assert circuit.open_for(2.0) == 5.0
    assert circuit.open_for(6.0) == 1.0
    assert circuit.open_for(7.0) == 0


def test_each_failure_of_a_trial_doubles_the_pause_up_to_the_longest():
    circuit = Circuit(failures=1, first_pause=5.0, longest_pause=12.0)
    pauses = []
    for _ in range(4):
        circuit.failed(100.0)
        pauses.append(circuit.open_for(100.0))
    assert pauses == [5.0, 10.0, 12.0, 12.0]


def test_a_success_closes_it_and_forgets_the_failures():
    circuit = Circuit(failures=2, first_pause=5.0)
    circuit.failed(0.0)
    circuit.succeeded()
    circuit.failed(1.0)
    assert circuit.open_for(1.0) == 0
    circuit.failed(2.0)
    circuit.succeeded()
    assert circuit.open_for(2.0) == 0
