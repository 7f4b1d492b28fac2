"""xgboost's boosters: through its own JSON, whose trees are looked over before it reads them."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

from .checked import ForbiddenResult, whole

__all__ = ["DECODERS", "encoders"]


def _booster(booster: Any, out: Any) -> list:
    return ["booster", [out.buffer(booster.save_raw("json")), out.buffer(booster.save_config().encode())], []]


def encoders() -> dict[type, Callable]:
    """Return xgboost's encoder, where it is loaded."""
    xgboost = sys.modules.get("xgboost")
    return {} if xgboost is None or not hasattr(xgboost, "Booster") else {xgboost.Booster: _booster}


def _check_tree(tree: dict, features: int) -> None:
    left, right, chosen = tree["left_children"], tree["right_children"], tree["split_indices"]
    count = len(left)
    sizes = {
        len(tree[name]) for name in ("right_children", "split_indices", "split_conditions", "default_left")
    }
    if sizes != {count} or not count or int(tree["tree_param"]["num_nodes"]) != count:
        raise ForbiddenResult("a booster whose trees do not fit")
    if tree.get("categories"):
        raise ForbiddenResult("a booster that splits by categories, whose state lies outside Python")
    for place in range(count):
        if left[place] != -1:
            whole(left[place], place + 1, count - 1)
            whole(right[place], place + 1, count - 1)
            whole(chosen[place], 0, max(features - 1, 0))


def _decode(reader: Any, meta: Any, parts: list, shell: Any) -> Any:
    import xgboost

    data, configuration = (bytes(reader.buffer(each)) for each in meta)
    learner = json.loads(data)["learner"]
    features = int(learner["learner_model_param"]["num_feature"])
    model = learner["gradient_booster"]
    if model["name"] != "gbtree":
        raise ForbiddenResult(f"a booster of the kind {model['name']!r:.40}")
    trees = model["model"]["trees"]
    if len(trees) != int(model["model"]["gbtree_model_param"]["num_trees"]):
        raise ForbiddenResult("a booster of another number of trees than it says")
    for tree in trees:
        _check_tree(tree, features)
    booster = xgboost.Booster()
    booster.load_model(bytearray(data))
    booster.load_config(configuration.decode())
    return booster


DECODERS: dict[str, Callable] = {"booster": _decode}
