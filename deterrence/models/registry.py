"""Where each model of the library stands: its id, and the file and function that make it.

A line a model, in the order of the catalogue. A function never has the name of a file, so that both can be had from
the package. ``ALIASES`` gives other names under which a model is asked for.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from functools import cache
from typing import Any

REGISTRY: Mapping[str, tuple[str, str]] = {
    # backward induction and attack thresholds
    "CID": ("direct_deterrence", "direct_crisis"),
    "EXT3": ("extended_deterrence", "three_player_crisis"),
    "EXTI": ("extended_deterrence", "believed_credibility"),
    "THR": ("attack_threshold", "calibrated_risk"),
    "SCOPE": ("attack_threshold", "scope_of_support"),
    "NEST": ("guarantees", "two_guarantees"),
    "SEL": ("selection", "selection_into_challenge"),
    "HONOR": ("repeated_commitment", "grim_trigger"),
    "CSF": ("contests", "pooled_forces"),
    # perfect deterrence
    "RADG": ("zagare_kilgour_2000", "rudimentary_deterrence"),
    "UDG": ("perfect_deterrence", "unilateral_deterrence"),
    "GMDG": ("mutual_deterrence", "generalised_mutual_deterrence"),
    "AEG": ("zagare_kilgour_2000", "asymmetric_escalation"),
    # signalling a commitment
    "ALSIG": ("alliance_signal", "alliance_signaling"),
    "F97": ("fearon_1997", "tying_hands"),
    "SUNK": ("fearon_1997", "sunk_cost"),
    "WOA": ("fearon_1994", "audience_costs"),
    "PERS": ("kamenica_gentzkow_2011", "clarity_or_ambiguity"),
    "OPP": ("schultz_1998", "domestic_opposition"),
    # crisis bargaining
    "RRT": ("risk_return", "risk_return_tradeoff"),
    "RRT2": ("risk_return", "two_type_tradeoff"),
    "RRT3": ("risk_return", "shadow_of_an_ally"),
    "MOPT": ("bargaining_range", "mutual_optimism"),
    "MHAZ": ("moral_hazard", "aid_and_emboldenment"),
    "PREV": ("bargaining_range", "closing_window"),
    "NASHB": ("bargaining_range", "nash_bargain"),
    # stochastic choice and estimable crisis games
    "SIGN": ("signorino_1999", "agent_error"),
    "QRE": ("mckelvey_palfrey_1995", "quantal_response"),
    "LS": ("lewis_schultz_2003", "crisis_signaling"),
    # reputation over several challenges
    "CHAIN": ("kreps_wilson_1982", "chain_of_challengers"),
    # collective response: coordination, voting, free riding
    "GG2": ("global_games", "two_allies"),
    "GGC": ("global_games", "continuum_flat_prior"),
    "GGN": ("global_games", "continuum_common_prior"),
    "GGK": ("alliance_coordination", "quota_response"),
    "CONS": ("consensus_rule", "invocation_by_quota"),
    "FP": ("feddersen_pesendorfer_1998", "strategic_unanimity"),
    "VD": ("volunteers_dilemma", "volunteers"),
    "VDA": ("volunteers_dilemma", "unequal_volunteers"),
    "VDK": ("volunteers_dilemma", "threshold_volunteers"),
    "OZ": ("burden_sharing", "public_defence"),
    # brinkmanship and the security dilemma
    "CRISK": ("brinkmanship", "critical_risk"),
    "BRINK": ("brinkmanship", "probabilistic_threat"),
    "NALE": ("nalebuff_1986", "risk_attrition"),
    "BS04": ("baliga_sjostrom_2004", "fear_multiplier"),
    "TRUST": ("kydd_2005", "assurance"),
    "REAS": ("kydd_2005", "reassurance"),
    # ambiguity, tripwires, faits accomplis, gray zone, time
    "AMBIG": ("ambiguous_commitment", "two_audiences"),
    "TRIP": ("tripwire", "tripwire_force"),
    "FAIT": ("fait_accompli", "fait_accompli_or_coercion"),
    "GRAY": ("gray_zone", "blurred_threshold"),
    "GRAYP": ("gray_zone", "power_law_attribution"),
    "SALAMI": ("salami_tactics", "salami"),
    "RACE": ("reinforcement_race", "decision_delay"),
    "ATTR": ("noisy_attribution", "noisy_attribution_game"),
    # consultation
    "CS": ("crawford_sobel_1982", "cheap_talk"),
    # learning resolve from noisy posture
    "SDT": ("signal_detection", "posture_detection"),
    "BSIG": ("observed_evidence", "binary_mobilisation"),
    "MSG": ("observed_evidence", "mixed_statements"),
    "DET": ("signal_detection", "warning_threshold"),
    # misperception as a solution concept
    "NCP": ("disagreeing_priors", "disputed_deterrence"),
    "NCPS": ("disagreeing_priors", "disputed_alliance"),
    "HYPER": ("bennett_1977", "deterrence_hypergame"),
    "CURS": ("cursed_attacker", "cursed_alliance"),
    "CEQ": ("eyster_rabin_2005", "cursed_bargain"),
    "CH": ("camerer_ho_chong_2004", "poisson_hierarchy"),
    "ABEE": ("jehiel_2005", "one_analogy_class"),
    "SCE": ("fudenberg_levine_1993", "untested_deterrence"),
    "BERK": ("esponda_pouzo_2016", "misspecified_escalator"),
    # refinement benchmarks
    "BQ": ("cho_kreps_1987", "beer_quiche"),
    "REF-ALSIG": ("alliance_signal_refined", "refined_alliance_signaling"),
    "D1-3TYPE": ("spence_1973", "three_type_refinement"),
    "RILEY": ("spence_1973", "least_cost_separation"),
    "MOP": ("spence_1973", "undefeated_education"),
    "HORSE": ("selten_1975", "seltens_horse"),
}

ALIASES: Mapping[str, str] = {
    "CHEAP": "ALSIG",
    "REF": "REF-ALSIG",
    "D1": "D1-3TYPE",
}


@cache
def library_model(id: str) -> Any:
    """Return the model with an id of ``REGISTRY``, made when it is first asked for."""
    module, function = REGISTRY[id]
    return getattr(importlib.import_module(f"deterrence.models.{module}"), function)()
