"""Theory that faults planted by a tool (mutmut) survived until it was stated here."""

from __future__ import annotations

import numpy as np
import pytest

import deterrence as dt
from deterrence.games.errors import ParameterError
from deterrence.perception.cursed import cursed_offer
from deterrence.perception.detection import most_dangerous_signal
from deterrence.perception.indicators import mobilisation
from deterrence.perception.outcome import _range_text
from deterrence.perception.replies import reply
from deterrence.perception.selection import candidates
from deterrence.solvers.spe import spe


def crisis() -> dt.ExtensiveGame:
    respond = dt.move("D", {"yield": dt.end("conquest", A=1, D=0), "fight": dt.end("war", A=-1, D=-1)})
    return dt.ExtensiveGame(("A", "D"), dt.move("A", {"refrain": dt.end("peace", A=0, D=1), "attack": respond}))


def test_where_nothing_is_foreseen_a_reply_is_a_uniform_distribution():
    answer = reply(crisis(), 1, np.array([1.0, 0.0, 0.5, 0.5]))  # A refrains: D is not asked
    assert not answer.decided[1]
    assert answer.actions[2:] == pytest.approx([0.5, 0.5])


def test_steps_of_a_selection_may_be_several_texts():
    found = spe(crisis())
    assert candidates(found, ["all", "lowest war, best for A"])[0].equilibrium is found[0]


def test_a_signal_that_only_one_type_sends_reveals_it():
    seen = mobilisation(0.4, 0.5, 0.8, 0.0)
    assert seen.posterior_mobilised == 1
    assert seen.attack == pytest.approx(0.4 * 0.2 + 0.6)
    assert mobilisation(0.4, 0.5, 1.0, 1.0).posterior_mobilised == pytest.approx(0.4)


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda: mobilisation(0.4, 1.5, 0.8, 0.3), "mu_star"),
        (lambda: mobilisation(1.4, 0.5, 0.8, 0.3), "rho"),
        (lambda: most_dangerous_signal(1.5, 0.5), "rho"),
        (lambda: most_dangerous_signal(0.5, 1.5), "mu_star"),
    ],
)
def test_a_probability_out_of_range_is_named(call, name):
    with pytest.raises(ParameterError, match=f"^{name} must lie strictly between 0 and 1"):
        call()


def test_an_offer_without_gains_from_trade_is_nothing():
    """At alpha = 0 nothing is gained by trade, and a buyer that is not cursed knows it."""
    assert cursed_offer(0.0, 0.0).offer == pytest.approx(0, abs=1e-6)


def test_a_range_shows_both_its_ends():
    assert _range_text((0.1, 0.3)) == "0.1 to 0.3"
    assert _range_text((0.3, 0.3)) == "0.3"
