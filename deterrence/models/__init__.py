"""The library of published models: ``catalogue()`` lists them, ``get("ALSIG")`` returns one.

Each model is also had by name, as in ``dt.models.sunk_cost()``; its file is imported when it is first asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from deterrence.games.lazy_names import lazy_names
from deterrence.models.registry import REGISTRY

_HOME = {function: module for module, function in REGISTRY.values()} | {
    "catalogue": "library",
    "get": "library",
    "Model": "model",
    "Variant": "variants",
    "Series": "parameter_table",
    "Choice": "parameter_table",
}

__all__ = ["Choice", "Model", "Series", "Variant", "catalogue", "get"]

if TYPE_CHECKING:
    from deterrence.models.alliance_coordination import quota_response as quota_response
    from deterrence.models.alliance_signal import alliance_signaling as alliance_signaling
    from deterrence.models.alliance_signal_refined import refined_alliance_signaling as refined_alliance_signaling
    from deterrence.models.ambiguous_commitment import two_audiences as two_audiences
    from deterrence.models.attack_threshold import calibrated_risk as calibrated_risk
    from deterrence.models.attack_threshold import scope_of_support as scope_of_support
    from deterrence.models.baliga_sjostrom_2004 import fear_multiplier as fear_multiplier
    from deterrence.models.bargaining_range import closing_window as closing_window
    from deterrence.models.bargaining_range import mutual_optimism as mutual_optimism
    from deterrence.models.bargaining_range import nash_bargain as nash_bargain
    from deterrence.models.bennett_1977 import deterrence_hypergame as deterrence_hypergame
    from deterrence.models.brinkmanship import critical_risk as critical_risk
    from deterrence.models.brinkmanship import probabilistic_threat as probabilistic_threat
    from deterrence.models.burden_sharing import public_defence as public_defence
    from deterrence.models.camerer_ho_chong_2004 import poisson_hierarchy as poisson_hierarchy
    from deterrence.models.cho_kreps_1987 import beer_quiche as beer_quiche
    from deterrence.models.consensus_rule import invocation_by_quota as invocation_by_quota
    from deterrence.models.contests import pooled_forces as pooled_forces
    from deterrence.models.crawford_sobel_1982 import cheap_talk as cheap_talk
    from deterrence.models.cursed_attacker import cursed_alliance as cursed_alliance
    from deterrence.models.direct_deterrence import direct_crisis as direct_crisis
    from deterrence.models.disagreeing_priors import disputed_alliance as disputed_alliance
    from deterrence.models.disagreeing_priors import disputed_deterrence as disputed_deterrence
    from deterrence.models.esponda_pouzo_2016 import misspecified_escalator as misspecified_escalator
    from deterrence.models.extended_deterrence import believed_credibility as believed_credibility
    from deterrence.models.extended_deterrence import three_player_crisis as three_player_crisis
    from deterrence.models.eyster_rabin_2005 import cursed_bargain as cursed_bargain
    from deterrence.models.fait_accompli import fait_accompli_or_coercion as fait_accompli_or_coercion
    from deterrence.models.fearon_1994 import audience_costs as audience_costs
    from deterrence.models.fearon_1997 import sunk_cost as sunk_cost
    from deterrence.models.fearon_1997 import tying_hands as tying_hands
    from deterrence.models.feddersen_pesendorfer_1998 import strategic_unanimity as strategic_unanimity
    from deterrence.models.fudenberg_levine_1993 import untested_deterrence as untested_deterrence
    from deterrence.models.global_games import continuum_common_prior as continuum_common_prior
    from deterrence.models.global_games import continuum_flat_prior as continuum_flat_prior
    from deterrence.models.global_games import two_allies as two_allies
    from deterrence.models.gray_zone import blurred_threshold as blurred_threshold
    from deterrence.models.gray_zone import power_law_attribution as power_law_attribution
    from deterrence.models.guarantees import two_guarantees as two_guarantees
    from deterrence.models.jehiel_2005 import one_analogy_class as one_analogy_class
    from deterrence.models.kamenica_gentzkow_2011 import clarity_or_ambiguity as clarity_or_ambiguity
    from deterrence.models.kreps_wilson_1982 import chain_of_challengers as chain_of_challengers
    from deterrence.models.kydd_2005 import assurance as assurance
    from deterrence.models.kydd_2005 import reassurance as reassurance
    from deterrence.models.lewis_schultz_2003 import crisis_signaling as crisis_signaling
    from deterrence.models.library import catalogue as catalogue
    from deterrence.models.library import get as get
    from deterrence.models.mckelvey_palfrey_1995 import quantal_response as quantal_response
    from deterrence.models.model import Model as Model
    from deterrence.models.moral_hazard import aid_and_emboldenment as aid_and_emboldenment
    from deterrence.models.mutual_deterrence import generalised_mutual_deterrence as generalised_mutual_deterrence
    from deterrence.models.nalebuff_1986 import risk_attrition as risk_attrition
    from deterrence.models.noisy_attribution import noisy_attribution_game as noisy_attribution_game
    from deterrence.models.observed_evidence import binary_mobilisation as binary_mobilisation
    from deterrence.models.observed_evidence import mixed_statements as mixed_statements
    from deterrence.models.parameter_table import Choice as Choice
    from deterrence.models.parameter_table import Series as Series
    from deterrence.models.perfect_deterrence import unilateral_deterrence as unilateral_deterrence
    from deterrence.models.reinforcement_race import decision_delay as decision_delay
    from deterrence.models.repeated_commitment import grim_trigger as grim_trigger
    from deterrence.models.risk_return import risk_return_tradeoff as risk_return_tradeoff
    from deterrence.models.risk_return import shadow_of_an_ally as shadow_of_an_ally
    from deterrence.models.risk_return import two_type_tradeoff as two_type_tradeoff
    from deterrence.models.salami_tactics import salami as salami
    from deterrence.models.schultz_1998 import domestic_opposition as domestic_opposition
    from deterrence.models.selection import selection_into_challenge as selection_into_challenge
    from deterrence.models.selten_1975 import seltens_horse as seltens_horse
    from deterrence.models.signal_detection import posture_detection as posture_detection
    from deterrence.models.signal_detection import warning_threshold as warning_threshold
    from deterrence.models.signorino_1999 import agent_error as agent_error
    from deterrence.models.spence_1973 import least_cost_separation as least_cost_separation
    from deterrence.models.spence_1973 import three_type_refinement as three_type_refinement
    from deterrence.models.spence_1973 import undefeated_education as undefeated_education
    from deterrence.models.tripwire import tripwire_force as tripwire_force
    from deterrence.models.variants import Variant as Variant
    from deterrence.models.volunteers_dilemma import threshold_volunteers as threshold_volunteers
    from deterrence.models.volunteers_dilemma import unequal_volunteers as unequal_volunteers
    from deterrence.models.volunteers_dilemma import volunteers as volunteers
    from deterrence.models.zagare_kilgour_2000 import asymmetric_escalation as asymmetric_escalation
    from deterrence.models.zagare_kilgour_2000 import rudimentary_deterrence as rudimentary_deterrence


if not TYPE_CHECKING:  # for a type checker every name would pass for one that is there
    __getattr__ = lazy_names(__name__, _HOME)


def __dir__() -> list[str]:
    return sorted(_HOME)
