"""An assessment in words and tables: everything said is built from its numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from deterrence.alliances.campaign import detection_probability
from deterrence.alliances.scenarios.main_attack import main_attack
from deterrence.alliances.scenarios.rendering import Report, Table
from deterrence.alliances.scenarios.sensitivity import ParameterSensitivity

if TYPE_CHECKING:
    from deterrence.alliances.collective_defence import CollectiveDefence
    from deterrence.alliances.scenarios.assessment import Assessment, AttackView, PostureView

Range = tuple[float, float]

VISIBLE = 5e-4  # of a probability: what a table shows
MOST_EQUILIBRIA = 4  # that are told in words
MOST_ROWS = 12  # of a table of parameters


def report(found: Assessment) -> Report:
    """Return the assessment as a report."""
    return Report(found.scenario.title, words(found), tuple(_tables(found)), _footnote(found))


def words(found: Assessment) -> str:
    """Return a paragraph in plain words; where numbers were drawn, it begins with what the draws say."""
    drawn = found.uncertainty
    return " ".join(
        (
            *(() if drawn is None else (drawn.in_words(),)),
            *_on_attack(found),
            *_on_postures(found),
            *_on_members(found),
            *_on_perception(found),
            *_on_accidents(found),
            *_on_tipping(found),
        )
    )


def _main(found: Assessment) -> AttackView:
    """Return the kind of attack that text and figure speak of."""
    return found.attacks[main_attack(found.scenario.game())]


def _on_attack(found: Assessment) -> list[str]:
    said = [f"The likelihood of attack is {_percent(found.likelihood)}."] if found.uncertainty is None else []
    said.append(
        f"It is the share of {found.scenario.game().aggressor.name}'s possible values of the prize for which an attack "
        "is best, in the situation described: of one opportunity, no forecast of a year."
    )
    if found.period is not None:
        said.append(found.period.in_words())
    if found.uncertainty is not None:
        said.append("What follows is at the file's own numbers.")
    one = _main(found)
    if found.likelihood[1] > VISIBLE and len(found.attacks) > 1:
        said.append(f"The attack most often chosen is {one.name} ({_percent(one.likelihood)}).")
    return said


def _on_postures(found: Assessment) -> list[str]:
    if not found.posture_views:
        return []
    return posture_words(found.posture_views, found.scenario.game(), _main(found).name)


def posture_words(views: Sequence[PostureView], game: CollectiveDefence, attack: str) -> list[str]:
    """Say which equilibria of a posture stage there are, what the aggressor learns in each, and which survive.

    Parameters
    ----------
    views : sequence of PostureView
    game : CollectiveDefence
        With the stage.
    attack : str
        The kind of attack against which perceived resolve is told.
    """
    count = len(views)
    many = "one perfect Bayesian equilibrium" if count == 1 else f"{count} perfect Bayesian equilibria"
    types = () if game.posture is None else tuple(kind.name for kind in game.posture.types)
    sender = game.posture.sender if game.posture is not None else ""
    said = [f"The posture stage has {many}; {sender or 'the alliance'} is privately {' or '.join(types)}."]
    shown = views[:MOST_EQUILIBRIA]
    return [*said, *(_on_equilibrium(view, types[0], attack, game.aggressor.name, sender) for view in shown)]


def _on_equilibrium(view: PostureView, first: str, attack: str, aggressor: str, sender: str) -> str:
    lessons = "; ".join(
        f"after {one.posture} (taken with {one.probability:.0%}) {aggressor} takes {sender or 'the alliance'} for "
        f"{first} with {one.belief[first]:.0%} and expects the defence to hold against the {attack} attack with "
        f"{one.holds[attack]:.1%}"
        for one in view.lessons
    )
    beliefs = [one.belief[first] for one in view.lessons if one.probability > VISIBLE]
    taught = (
        "nothing"
        if max(beliefs) - min(beliefs) < VISIBLE
        else "who it is"
        if set(beliefs) <= {0.0, 1.0}
        else "something"
    )
    names = {"intuitive": "the intuitive criterion", "d1": "D1"}
    kept = [names[name] for name, held in view.survives.items() if held]
    lost = [names[name] for name, held in view.survives.items() if not held]
    verdict = (f" It survives {' and '.join(kept)}" if kept else " It survives neither") if view.survives else ""
    verdict += f", not {' nor '.join(lost)}." if kept and lost else "." if verdict else ""
    kind = view.kind[0].upper() + view.kind[1:]
    return f"{kind}: an attack with {_percent(view.likelihood)}; the posture tells {taught}: {lessons}.{verdict}"


def _on_members(found: Assessment) -> list[str]:
    one = _main(found)
    after = "an attack" if len(found.attacks) == 1 else "it"
    together = "The treaty would be invoked" if _binds(found) else "A coalition would act together"
    invoked = f"{together} after {after} with probability {one.invoked:.1%}"
    if max(m.comes[one.name][1] for m in found.members) < VISIBLE:
        return [f"{invoked}, and nobody would come."]
    likely = max(found.members, key=lambda m: m.comes[one.name])
    last = min(found.members, key=lambda m: m.comes[one.name])
    said = f"{invoked}; {likely.name} would come with probability {_percent(likely.comes[one.name])}"
    if last.comes[one.name] != likely.comes[one.name]:
        said += f", {last.name} with {_percent(last.comes[one.name])}"
    days = [m.days for m in found.members]
    first = f"after {_days(min(days))}" if min(days) else "at once"
    when = f"; the first could be there {first}, the last after {_days(max(days))}"
    if max(days) == min(days):
        when = f"; all could be there {first}" if max(days) else ""
    window = next(a.window for a in found.scenario.game().attacks if a.name == one.name)
    return [f"{said}{when}, while the matter is decided in {_days(float(np.asarray(window)))}."]


def _on_perception(found: Assessment) -> list[str]:
    one, aggressor = _main(found), found.scenario.game().aggressor.name
    said = (
        f"{aggressor} expects the defence to hold with probability {_percent(one.perceived_holds)}; "
        f"in truth it is {_percent(one.holds)}."
    )
    if abs(_middle(one.perceived_holds) - _middle(one.holds)) < VISIBLE:
        said = f"{aggressor} believes correctly that the defence would hold with probability {_percent(one.holds)}."
    gap = _middle(found.likelihood) - _middle(found.likelihood_correct_beliefs)
    if abs(gap) < VISIBLE:
        return [said, "Misperception does not matter here."]
    verb = "adds" if gap > 0 else "takes away"
    regret = ""
    if found.regretted_attack[1] > VISIBLE:
        regret = f", and {_percent(found.regretted_attack)} is the probability of an attack that it would regret"
        if found.unwanted_war != found.regretted_attack:
            regret += f", {_percent(found.unwanted_war)} that of one that is resisted: an unwanted war"
    rightly = (
        f"Under correct beliefs the likelihood of attack would be {_percent(found.likelihood_correct_beliefs)}: "
        f"misperception {verb} {abs(gap) * 100:.1f} points{regret}."
    )
    return [said, rightly]


def _on_accidents(found: Assessment) -> list[str]:
    said = []
    if found.conquest_without_fight[1] > VISIBLE:
        said.append(
            f"With probability {_percent(found.conquest_without_fight)} the target is taken without a fight, "
            f"because {_why_no_fight(found)}."
        )
    if found.false_alarm[1] > VISIBLE:
        said.append(
            f"With probability {_percent(found.false_alarm)} nobody attacks and the alliance acts all the same, on "
            "a false alarm."
        )
    return said


def _why_no_fight(found: Assessment) -> str:
    taken = [a.name for a in found.attacks if a.likelihood[1] > 0 and a.resists[0] < 1]
    if not _may_stay_below(found, taken):
        return "it doubts that help would come"
    if not _may_yield(found):
        return "no step of it is answered as an attack"
    return "no step is answered as an attack, or the target yields where one is"


def _on_tipping(found: Assessment) -> list[str]:
    if not found.sensitivities:
        return []
    steep = f"The answer is most sensitive to {found.sensitivities[0].parameter.label}."
    tipping = found.tipping_points
    if not tipping:
        return [steep, f"No parameter alone, within its range, carries the likelihood across {found.level:.0%}."]
    first = tipping[0]
    nearest = f"{first.parameter.label}, from {first.parameter.value:.3g} to {_nearest(first):.3g}"
    how = f"{len(tipping)} of {len(found.sensitivities)} parameters can carry the likelihood across {found.level:.0%}"
    return [steep, f"Alone, {how}; the nearest threshold is that of {nearest}."]


def _tables(found: Assessment) -> list[Table]:
    tables = [_attacks(found), _members(found), _drivers(found)]
    if found.uncertainty is not None:
        tables.insert(0, found.uncertainty.table())
    if found.postures:
        tables.insert(1, posture_table(found.posture_views, _main(found).name))
    if found.tipping_points:
        tables.append(_tipping(found))
    if found.elasticities:
        tables.append(_elasticities(found))
    return tables


def posture_table(views: Sequence[PostureView], attack: str) -> Table:
    """Return the equilibria of a posture stage as a table, with what the aggressor learns from each posture."""
    first = next(iter(views[0].lessons[0].belief))
    rows = tuple(
        (
            view.kind if i == 0 else "",
            _percent(view.likelihood) if i == 0 else "",
            one.posture,
            f"{one.probability:.1%}",
            f"{one.belief[first]:.1%}",
            f"{one.holds[attack]:.1%}",
            *(_yes(view.survives.get(name)) if i == 0 else "" for name in ("d1", "intuitive")),
        )
        for view in views
        for i, one in enumerate(view.lessons)
    )
    head = ("equilibrium", "likelihood of attack", "posture taken", "probability", f"believed {first}")
    return Table("Posture equilibria", (*head, f"perceived: holds, {attack}", "D1", "intuitive"), rows)


def _yes(survives: bool | None) -> str:
    return "not decided" if survives is None else "yes" if survives else "no"


def _attacks(found: Assessment) -> Table:
    yields = any(a.resists[0] < 1 for a in found.attacks)
    answered = "some step answered" if _may_stay_below(found, [a.name for a in found.attacks]) else "target resists"
    head = ("attack", "likelihood", "invoked" if _binds(found) else "acts together", *([answered] if yields else []))
    rows = tuple(
        (
            a.name,
            _percent(a.likelihood),
            f"{a.invoked:.1%}",
            *([_percent(a.resists)] if yields else []),
            _percent(a.holds),
            _percent(a.perceived_holds),
            _number(a.strength),
            _number(a.perceived_strength),
        )
        for a in found.attacks
    )
    return Table("Attacks", (*head, "defence holds", "perceived", "strength comes, units", "perceived, units"), rows)


def _members(found: Assessment) -> Table:
    head = ("member", "first day", "last day", *(part for a in found.attacks for part in (a.name, "perceived")))
    rows = tuple(
        (
            m.name,
            f"{m.days:.3g}",
            f"{m.all_days:.3g}",
            *(_percent(side[a.name], 0) for a in found.attacks for side in (m.comes, m.perceived_comes)),
        )
        for m in found.members
    )
    return Table("Who would come, and when", head, rows)


def _drivers(found: Assessment) -> Table:
    rows = tuple(
        (
            t.parameter.label,
            t.parameter.unit,
            f"{t.parameter.value:.3g}",
            f"{t.parameter.low:.3g} .. {t.parameter.high:.3g}",
            f"{t.lowest:.1%} .. {t.highest:.1%}",
            f"{10 * t.slope:+.1f}",
        )
        for t in [t for t in found.sensitivities if t.highest - t.lowest > VISIBLE][:MOST_ROWS]
    )
    head = ("parameter", "unit", "now", "range", "likelihood over range", "points per tenth of range")
    return Table("What drives the answer", head, rows)


def _tipping(found: Assessment) -> Table:
    apart = any(t.tipping != t.existence_thresholds for t in found.tipping_points)
    head = ("parameter", "unit", "now", f"crosses {found.level:.0%} at", "has to move by")
    rows = tuple(
        (
            t.parameter.label,
            t.parameter.unit,
            f"{t.parameter.value:.3g}",
            _values(t.tipping),
            f"{_nearest(t) - t.parameter.value:+.3g}",
            *([_values(t.existence_thresholds)] if apart else []),
        )
        for t in found.tipping_points[:MOST_ROWS]
    )
    last = ("existence threshold of the deterrence equilibrium",) if apart else ()
    return Table("Tipping points", (*head, *last), rows)


def _elasticities(found: Assessment) -> Table:
    rows = tuple(
        (t.parameter.label, f"{t.parameter.value:.3g}", f"{t.elasticity:+.2f}")
        for t in [t for t in found.elasticities if abs(t.elasticity) >= 5e-3][:MOST_ROWS]
    )
    return Table("Local elasticities", ("parameter", "now", "% of likelihood per % of parameter"), rows)


def _footnote(found: Assessment) -> str:
    extent = (
        "All equilibria of the response are proven to be known"
        if found.complete and not found.posture_views
        else "All equilibria of the response and of the posture stage are proven to be known"
        if found.complete
        else "Not every equilibrium of the response and of the posture stage is proven to be known"
        if found.posture_views
        else "Equilibria of the response were sought from many starts, without proof that none is missing"
    )
    return (
        f"{extent}; numerical error of the probabilities at most {found.error:.1g}. "
        "Illustrative numbers are marked in the scenario file."
    )


def _binds(found: Assessment) -> bool:
    """Return whether a treaty binds somebody.

    The file has one, its parameter ``membership``, if it has that, is not nil, and under it some member owes something.
    """
    game, table = found.scenario.game(), found.scenario.table
    membership = table.parameters.get("membership")
    if membership is not None and membership.value == 0:
        return False
    owed = [
        np.asarray(m.obligation + game.treaty.automaticity) * (1 - np.asarray(m.opt_out)) + m.audience
        for m in game.members
    ]
    return "treaty" in table.model_fields_set and bool(np.any(owed))


def _may_yield(found: Assessment) -> bool:
    """Return whether the target may yield."""
    return found.scenario.game().target is not None


def _may_stay_below(found: Assessment, kinds: Sequence[str]) -> bool:
    """Return whether a step of one of these attacks may be answered by nobody, for it is not seen as an attack."""
    return any(
        bool(np.any(detection_probability(one, 0) < 1)) for one in found.scenario.game().attacks if one.name in kinds
    )


def _nearest(one: ParameterSensitivity) -> float:
    return one.nearest if one.nearest is not None else one.parameter.value


def _days(number: float) -> str:
    return "1 day" if number == 1 else f"{number:.3g} days"


def _middle(pair: Range) -> float:
    return (pair[0] + pair[1]) / 2


def _percent(pair: Range, digits: int = 1) -> str:
    low, high = pair
    if high - low < 0.5 * 10 ** -(digits + 2):
        return f"{low:.{digits}%}"
    return f"{low:.{digits}%} to {high:.{digits}%}"


def _number(pair: Range) -> str:
    low, high = pair
    return f"{low:.2f}" if high - low < 5e-3 else f"{low:.2f} to {high:.2f}"


def _values(points: tuple[float, ...]) -> str:
    return ", ".join(f"{x:.3g}" for x in points) or "-"
