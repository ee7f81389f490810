"""The library of models: published numbers on both routes, and the two routes against each other."""

from __future__ import annotations

import zlib

import numpy as np
import pytest

import deterrence as dt
from deterrence.models.parameter_table import Choice
from deterrence.models.registry import ALIASES, REGISTRY
from deterrence.models.variants import entries, groups
from tests.model_comparison import CHECKS, differences, quantities
from tests.shipped_numbers import unintended

ROUTES = ("closed_form", "solved")


def checks_in_library() -> list:
    known = {*REGISTRY, *ALIASES}
    return [check for check in CHECKS if check["id"].rpartition("-")[0] in known]


def variants() -> list:
    found = []
    for id in REGISTRY:
        model = dt.models.get(id)
        found += [pytest.param(model, v, id=f"{id}:{v.name or '+'.join(v.takes) or 'plain'}") for v in model.variants]
    return found


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("check", checks_in_library(), ids=lambda check: check["id"])
def test_published_number(check, route):
    model = dt.models.get(check["id"].rpartition("-")[0])
    if route not in model.routes:
        assert model.one_route, f"{model.id} has no route {route} and does not say why"
        return
    found = quantities(model.id, route, **check["params"])
    assert not list(differences(found, check["expect"], check["tol"]))
    assert not unintended("models", f"{check['id']} {route}", found)


def routes_agree(model, variant, count: int) -> None:
    if variant.closed_form is None or variant.read is None:
        assert model.one_route
        return
    seed = zlib.crc32(f"{model.id} {variant.name}".encode())
    rng = np.random.default_rng(seed)
    fixed = all(isinstance(entry, Choice) for entry in entries(variant, model.parameters))
    for i in range(1 if fixed else count):
        params = model.draw_variant(variant, rng)
        formula, solver = model.closed_form(**params), model.solved(**params)
        wrong = [*differences(solver, formula, 1e-7), *differences(formula, solver, 1e-7)]
        assert not wrong, f"seed {seed}, draw {i}, {params}: " + "; ".join(wrong)


@pytest.mark.parametrize(("model", "variant"), variants())
def test_two_routes_agree(model, variant):
    routes_agree(model, variant, 20)


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize(("model", "variant"), variants())
def test_two_routes_agree_at_many_points(model, variant):
    routes_agree(model, variant, 200)


@pytest.mark.parametrize("id", REGISTRY)
def test_defaults_make_a_game_and_a_page(id):
    model = dt.models.get(id)
    assert model.game() is not None
    page = model._repr_html_()
    assert model.source.split(";")[0].split(" ")[0] in page
    assert all(entry.name in page for entry in model.parameters)
    assert model.source
    assert model.confidence in ("A", "B", "C")
    assert model.closed_form() if "closed_form" in model.routes else model.solved()


@pytest.mark.parametrize("id", REGISTRY)
def test_no_function_has_the_name_of_a_file(id):
    assert not {function for _, function in REGISTRY.values()} & {module for module, _ in REGISTRY.values()}
    assert getattr(dt.models, REGISTRY[id][1])().id == id


def test_unknown_id_names_the_nearest():
    with pytest.raises(dt.ParameterError, match=r"no model has the id 'ALSIGG'; did you mean .*ALSIG"):
        dt.models.get("ALSIGG")


def test_catalogue_lists_every_model():
    records = dt.models.catalogue()
    assert records.ids == tuple(REGISTRY)
    for record in records:
        assert record.title
        assert record.mechanism
        assert set(record.routes) == {"closed_form", "solved"} or record.one_route
    assert "<table" in records._repr_html_()


@pytest.mark.parametrize(("model", "variant"), variants())
def test_unknown_parameter_is_named(model, variant):
    del variant
    with pytest.raises(dt.ParameterError, match="no_such_parameter"):
        model.closed_form(no_such_parameter=1)


def test_every_variant_is_reached_by_its_own_draw():
    rng = np.random.default_rng(0)
    for id in REGISTRY:
        model = dt.models.get(id)
        for variant in model.variants:
            values = model.draw_variant(variant, rng)
            assert set(values) - {"mode"} <= set(groups(variant, model.parameters))
            model.check(**values)
