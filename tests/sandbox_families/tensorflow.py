"""Problems whose results are TensorFlow's."""

# ruff: noqa: E501 (programs stand as they are run)

from __future__ import annotations

from sandbox_families.form import Problem

__all__ = ["TENSORFLOW"]

_TF = "import numpy as np\nimport tensorflow as tf"
_ONLY = {"needs": ("tensorflow",)}

TENSORFLOW = (
    Problem(
        "constants of TensorFlow",
        _TF,
        "result = [tf.constant(x), tf.cast(x, tf.bfloat16), tf.constant(['a', 'b']), tf.constant(True), tf.complex(1.0, 2.0), tf.zeros((0, 2))]",
        "assert [type(a) for a in result] == [type(a) for a in ans]\nfor a, b in zip(result, ans):\n"
        "    assert a.dtype == b.dtype and a.shape == b.shape and bool(tf.reduce_all(a == b))",
        (
            "result = [tf.constant(x) + 1, tf.cast(x, tf.bfloat16), tf.constant(['a', 'b']), tf.constant(True), tf.complex(1.0, 2.0), tf.zeros((0, 2))]",
        ),
        inputs=("[[1, 2], [3, 4]]", "[0.5]"),
        **_ONLY,
    ),
    Problem(
        "variables of TensorFlow",
        _TF,
        "result = tf.Variable(x, dtype=tf.float32)\nresult.assign_add(tf.ones_like(result))",
        "assert type(result) is type(ans) and bool(tf.reduce_all(result == ans)) and result.trainable",
        ("result = tf.Variable(x, dtype=tf.float32)", "result = tf.constant(x, dtype=tf.float32) + 1"),
        inputs=("[1.0, 2.0]",),
        **_ONLY,
    ),
    Problem(
        "ragged and sparse tensors of TensorFlow",
        _TF,
        "result = [tf.ragged.constant(x), tf.sparse.from_dense([[0, 1], [2, 0]])]",
        "assert [type(a) for a in result] == [type(a) for a in ans]\nassert result[0].to_list() == ans[0].to_list()\n"
        "assert bool(tf.reduce_all(tf.sparse.to_dense(result[1]) == tf.sparse.to_dense(ans[1])))",
        ("result = [tf.ragged.constant(x), tf.sparse.from_dense([[0, 1], [0, 2]])]",),
        inputs=("[[1], [2, 3], []]",),
        **_ONLY,
    ),
    Problem(
        "a model of Keras",
        _TF,
        "tf.keras.utils.set_random_seed(x)\nresult = tf.keras.Sequential([tf.keras.layers.Input((3,)), tf.keras.layers.Dense(4, activation='relu'), tf.keras.layers.Dense(1)])",
        "assert [type(a) for a in result.layers] == [type(a) for a in ans.layers]\nfor a, b in zip(result.get_weights(), ans.get_weights()):\n"
        "    np.testing.assert_allclose(a, b)",
        (
            "tf.keras.utils.set_random_seed(x + 1)\nresult = tf.keras.Sequential([tf.keras.layers.Input((3,)), tf.keras.layers.Dense(4, activation='relu'), tf.keras.layers.Dense(1)])",
        ),
        inputs=("0",),
        unsplit="a model of Keras lives outside Python",
        **_ONLY,
    ),
)
