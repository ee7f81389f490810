"""Changes of form of a tree, each with the way back: the door to all of them.

=====================  ==============================================================  =====================
function               new form                                                        lives in
=====================  ==============================================================  =====================
``fold_back``          tree without last movers who know all                           ``folding``
``prune_dominated``    tree without strictly dominated actions                         ``folding``
``to_signaling``       signaling game                                                  ``signaling_tree``
``signaling_to_tree``  tree of a signaling game                                        ``signaling_tree``
``to_strategic``       reduced strategic form                                          ``strategic_tree``
``to_sequence_form``   sequence form of two players                                    ``sequence_form``
``subgames``           every part that shares no information set with the rest         ``subgames``
=====================  ==============================================================  =====================
"""

from __future__ import annotations

from deterrence.games.forms.folding import Reduction, fold_back, prune_dominated
from deterrence.games.forms.sequence_form import SequenceForm, to_sequence_form
from deterrence.games.forms.signaling_tree import signaling_to_tree, to_signaling
from deterrence.games.forms.strategic_tree import to_strategic
from deterrence.games.forms.subgames import Subgame, subgame_at, subgame_roots, subgames

__all__ = [
    "Reduction",
    "SequenceForm",
    "Subgame",
    "fold_back",
    "prune_dominated",
    "signaling_to_tree",
    "subgame_at",
    "subgame_roots",
    "subgames",
    "to_sequence_form",
    "to_signaling",
    "to_strategic",
]
