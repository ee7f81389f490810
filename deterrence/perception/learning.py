"""Earlier place of signal detection (now ``deterrence.perception.detection``) and of indicators (``.indicators``)."""

from __future__ import annotations

from deterrence.games.renaming import moved_names

__getattr__ = moved_names(
    __name__,
    AlarmThreshold="deterrence.perception.detection.AlarmThreshold",
    Detection="deterrence.perception.detection.Detection",
    combined_sensitivity="deterrence.perception.detection.combined_sensitivity",
    most_dangerous_signal="deterrence.perception.detection.most_dangerous_signal",
    signal_detection="deterrence.perception.detection.signal_detection",
    warning_threshold="deterrence.perception.detection.warning_threshold",
    Mobilisation="deterrence.perception.indicators.Mobilisation",
    Observation="deterrence.perception.indicators.Observation",
    mobilisation="deterrence.perception.indicators.mobilisation",
    observe="deterrence.perception.indicators.observe",
    statements="deterrence.perception.indicators.statements",
)
