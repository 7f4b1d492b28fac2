"""Problems whose results are torch's: tensors of every type and layout, modules, optimizers, data."""

# ruff: noqa: E501 (programs stand as they are run)

from __future__ import annotations

from sandbox_families.form import Problem

__all__ = ["TENSORS"]

_TORCH = "import torch\nfrom torch import nn"
_SAME = """
assert len(result) == len(ans)
for a, b in zip(result, ans):
    assert type(a) is type(b) and a.dtype == b.dtype and a.layout == b.layout and a.requires_grad == b.requires_grad
    assert torch.equal(a.to_dense(), b.to_dense())
"""
_NETWORK = (
    "torch.manual_seed(0)\nresult = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU(), "
    "nn.Sequential(nn.Dropout(0.1), nn.Linear(4, x)))\nresult.eval()"
)

TENSORS = (
    Problem(
        "tensors of every type",
        _TORCH,
        "kinds = [torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64, torch.float16, torch.bfloat16, "
        "torch.float32, torch.float64, torch.complex64, torch.complex128]\nresult = [torch.tensor(x).to(kind) for kind in kinds]",
        _SAME,
        (
            "kinds = [torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64, torch.float16, torch.bfloat16, "
            "torch.float32, torch.float64, torch.complex64, torch.complex128]\nresult = [torch.tensor(x).to(kind) + 1 for kind in kinds[1:]]",
            "result = [torch.tensor(x).float()] * 12",
        ),
        inputs=("[0, 1, 2]", "[[1], [0]]", "[]", "3"),
    ),
    Problem(
        "views of tensors",
        _TORCH,
        "result = [x.t(), x[::2], x.expand(2, 3, 4), x.to(torch.complex64).conj(), x[0, 0], x.permute(1, 0)[:, 1:]]",
        _SAME,
        (
            "result = [x, x[::2], x.expand(2, 3, 4), x.to(torch.complex64).conj(), x[0, 0], x.permute(1, 0)[:, 1:]]",
        ),
        inputs=("torch.arange(12.0).reshape(3, 4)",),
    ),
    Problem(
        "sparse tensors of every layout",
        _TORCH,
        "result = [x.to_sparse(), x.to_sparse_csr(), x.to_sparse_csc(), x.to_sparse_bsr((1, 2)), x.to_sparse_bsc((1, 2))]",
        _SAME,
        (
            "result = [x.to_sparse()] * 5",
            "y = x + 1\nresult = [y.to_sparse(), y.to_sparse_csr(), y.to_sparse_csc(), "
            "y.to_sparse_bsr((1, 2)), y.to_sparse_bsc((1, 2))]",
        ),
        inputs=("torch.tensor([[0.0, 2.0], [1.0, 0.0], [0.0, 0.0]])",),
    ),
    Problem(
        "tensors that are learnt",
        _TORCH,
        "w = torch.tensor(x, requires_grad=True)\n(w ** 2).sum().backward()\nresult = [w, nn.Parameter(torch.ones(2)), w * 2, w.grad]",
        "assert [a.requires_grad for a in result] == [a.requires_grad for a in ans]\nassert type(result[1]) is nn.Parameter\n"
        "for a, b in zip(result, ans):\n    assert torch.equal(a, b)\nassert torch.equal(result[0].grad, ans[0].grad)",
        ("w = torch.tensor(x)\nresult = [w, nn.Parameter(torch.ones(2)), w * 2, w * 2]",),
        inputs=("[1.0, 2.0]",),
    ),
    Problem(
        "nested modules with buffers",
        _TORCH,
        _NETWORK,
        """
        assert repr(result) == repr(ans) and not result.training
        assert list(result.state_dict()) == list(ans.state_dict())
        for a, b in zip(result.state_dict().values(), ans.state_dict().values()):
            assert torch.equal(a, b)
        assert torch.equal(result(torch.ones(2, 3)), ans(torch.ones(2, 3)))
        """,
        (_NETWORK.replace("seed(0)", "seed(1)"), _NETWORK.replace("Dropout(0.1)", "Identity()")),
        inputs=("2", "5"),
    ),
    Problem(
        "modules of many kinds",
        _TORCH,
        "torch.manual_seed(x)\nresult = nn.ModuleDict({'conv': nn.Conv2d(1, 2, 3), 'lstm': nn.LSTM(3, 4, batch_first=True), 'gru': nn.GRU(3, 2), "
        "'emb': nn.Embedding(5, 3, padding_idx=0), 'att': nn.MultiheadAttention(4, 2), 'list': nn.ModuleList([nn.GELU(), nn.LayerNorm(3)]), "
        "'loss': nn.CrossEntropyLoss(weight=torch.ones(3)), 'enc': nn.TransformerEncoderLayer(4, 2, 8)})",
        """
        assert repr(result) == repr(ans)
        for a, b in zip(result.parameters(), ans.parameters(), strict=True):
            assert torch.equal(a, b)
        at = torch.ones(1, 2, 3)
        assert torch.equal(result['lstm'](at)[0], ans['lstm'](at)[0])
        assert torch.equal(result['conv'](torch.ones(1, 1, 4, 4)), ans['conv'](torch.ones(1, 1, 4, 4)))
        """,
        (
            "result = nn.ModuleDict({'conv': nn.Conv2d(1, 2, 3)})",
            "torch.manual_seed(x + 1)\nresult = nn.ModuleDict({'conv': nn.Conv2d(1, 2, 3), 'lstm': nn.LSTM(3, 4, batch_first=True), 'gru': nn.GRU(3, 2), "
            "'emb': nn.Embedding(5, 3, padding_idx=0), 'att': nn.MultiheadAttention(4, 2), 'list': nn.ModuleList([nn.GELU(), nn.LayerNorm(3)]), "
            "'loss': nn.CrossEntropyLoss(weight=torch.ones(3)), 'enc': nn.TransformerEncoderLayer(4, 2, 8)})",
        ),
        inputs=("0", "1"),
    ),
    Problem(
        "optimizers",
        _TORCH,
        "model = nn.Linear(2, 1)\nresult = [torch.optim.SGD(model.parameters(), lr=x, momentum=0.9), torch.optim.Adam(model.parameters(), lr=x), "
        "torch.optim.AdamW([{'params': [model.weight], 'lr': x}, {'params': [model.bias]}], lr=1.0)]",
        """
        assert [type(a) for a in result] == [type(a) for a in ans]
        for a, b in zip(result, ans):
            assert [g['lr'] for g in a.param_groups] == [g['lr'] for g in b.param_groups] and a.defaults == b.defaults
        result[0].zero_grad()
        result[0].step()
        """,
        (
            "model = nn.Linear(2, 1)\nresult = [torch.optim.SGD(model.parameters(), lr=x), torch.optim.Adam(model.parameters(), lr=x), "
            "torch.optim.AdamW([{'params': [model.weight], 'lr': x}, {'params': [model.bias]}], lr=1.0)]",
        ),
        inputs=("0.1", "0.003"),
        output="result",
    ),
    Problem(
        "an optimizer after a step, and its model",
        _TORCH,
        "torch.manual_seed(0)\nmodel = nn.Linear(2, 1)\noptim = torch.optim.Adam(model.parameters(), lr=x)\nmodel(torch.ones(1, 2)).sum().backward()\n"
        "optim.step()\nresult = {'optim': optim, 'model': model}",
        """
        weight = result['model'].weight
        assert result['optim'].param_groups[0]['params'][0] is weight
        assert torch.equal(weight, ans['model'].weight)
        assert torch.equal(result['optim'].state[weight]['exp_avg'], ans['optim'].state[ans['model'].weight]['exp_avg'])
        """,
        (
            "torch.manual_seed(0)\nmodel = nn.Linear(2, 1)\nresult = {'optim': torch.optim.Adam(model.parameters(), lr=x), 'model': model}",
        ),
        inputs=("0.1",),
    ),
    Problem(
        "schedules",
        _TORCH,
        "optim = torch.optim.SGD(nn.Linear(2, 1).parameters(), lr=x)\nresult = [torch.optim.lr_scheduler.StepLR(optim, 2), "
        "torch.optim.lr_scheduler.CosineAnnealingLR(optim, 10)]\noptim.step()\nresult[0].step()",
        """
        assert [type(a) for a in result] == [type(a) for a in ans]
        assert [a.last_epoch for a in result] == [a.last_epoch for a in ans]
        assert [a.get_last_lr() for a in result] == [a.get_last_lr() for a in ans] and result[0].step_size == ans[0].step_size
        """,
        (
            "optim = torch.optim.SGD(nn.Linear(2, 1).parameters(), lr=x)\nresult = [torch.optim.lr_scheduler.StepLR(optim, 3), "
            "torch.optim.lr_scheduler.CosineAnnealingLR(optim, 10)]\noptim.step()\nresult[0].step()",
        ),
        inputs=("0.1",),
    ),
    Problem(
        "distributions",
        _TORCH + "\nfrom torch import distributions as D",
        "result = [D.Normal(x, 2.0), D.Categorical(logits=torch.tensor([0.1, x])), D.Bernoulli(0.3), "
        "D.Independent(D.Normal(torch.zeros(2), torch.ones(2)), 1), D.MultivariateNormal(torch.zeros(2), torch.eye(2) * x)]",
        """
        assert [type(a) for a in result] == [type(a) for a in ans]
        at = [torch.tensor(0.5), torch.tensor(1), torch.tensor(1.0), torch.ones(2), torch.ones(2)]
        for a, b, value in zip(result, ans, at):
            assert torch.allclose(a.log_prob(value), b.log_prob(value))
        """,
        (
            "result = [D.Normal(x, 1.0), D.Categorical(logits=torch.tensor([0.1, x])), D.Bernoulli(0.3), "
            "D.Independent(D.Normal(torch.zeros(2), torch.ones(2)), 1), D.MultivariateNormal(torch.zeros(2), torch.eye(2) * x)]",
        ),
        inputs=("1.0", "0.5"),
    ),
    Problem(
        "data sets and loaders",
        _TORCH + "\nfrom torch.utils.data import DataLoader, Subset, TensorDataset",
        "data = TensorDataset(x, x.sum(1))\nresult = [data, Subset(data, [2, 0]), DataLoader(data, batch_size=2)]",
        """
        assert [type(a) for a in result] == [type(a) for a in ans] and [len(a) for a in result] == [len(a) for a in ans]
        assert torch.equal(result[0][1][0], ans[0][1][0]) and torch.equal(result[1][0][1], ans[1][0][1])
        for (a, b), (c, d) in zip(result[2], ans[2]):
            assert torch.equal(a, c) and torch.equal(b, d)
        """,
        (
            "data = TensorDataset(x, x.sum(1))\nresult = [data, Subset(data, [0, 2]), DataLoader(data, batch_size=2)]",
        ),
        inputs=("torch.arange(12.0).reshape(4, 3)",),
    ),
    Problem(
        "packed sequences, sizes and kinds",
        _TORCH + "\nfrom torch.nn.utils.rnn import pack_sequence",
        "result = [pack_sequence([torch.tensor([1.0, 2, 3]), torch.tensor([x])]), torch.zeros(2, 3).shape, torch.float16, torch.device('cpu'), "
        "torch.tensor([3.0, x]).max(0)]",
        """
        assert type(result[0]) is type(ans[0]) and torch.equal(result[0].data, ans[0].data)
        assert torch.equal(result[0].batch_sizes, ans[0].batch_sizes)
        assert result[1:4] == ans[1:4] and type(result[1]) is torch.Size
        assert result[4].values == ans[4].values and result[4].indices == ans[4].indices
        """,
        (
            "result = [pack_sequence([torch.tensor([1.0, 2, 3]), torch.tensor([x + 1])]), torch.zeros(2, 3).shape, torch.float16, torch.device('cpu'), "
            "torch.tensor([3.0, x]).max(0)]",
        ),
        inputs=("9.0",),
    ),
    Problem(
        "weights by name",
        _TORCH,
        "torch.manual_seed(0)\nresult = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(x)).state_dict()",
        "assert type(result) is type(ans) and list(result) == list(ans)\nfor name in ans:\n    assert torch.equal(result[name], ans[name])",
        ("torch.manual_seed(1)\nresult = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(x)).state_dict()",),
        inputs=("3",),
    ),
    Problem(
        "quantized tensors",
        _TORCH,
        "result = torch.quantize_per_tensor(x, 0.1, 10, torch.quint8)",
        "assert torch.allclose(result.dequantize() if result.is_quantized else result, ans.dequantize())",
        ("result = torch.quantize_per_tensor(x + 1, 0.1, 10, torch.quint8)",),
        inputs=("torch.tensor([0.5, 1.0])",),
    ),
    Problem(
        "a function body that returns a tensor",
        _TORCH,
        "    return torch.softmax(x, dim=-1)",
        "torch.testing.assert_close(result, ans)",
        ("    return torch.softmax(x, dim=0)", "    return x", "    return None"),
        inputs=("torch.tensor([[1.0, 2.0], [3.0, 5.0]])",),
        function=True,
        uses="softmax",
    ),
)
