"""bitsandbytes' quantized layers: where their tensors lie, and the packing that can't take every shape."""

import logging

import pytest
import torch
from bitsandbytes.functional import QuantState, _convert_weight_packed_for_cpu
from bitsandbytes.nn import Linear4bit, Linear8bitLt

from llmops.compat import bitsandbytes_internals


def nf4(outputs, inputs):
    layer = Linear4bit(inputs, outputs, bias=False, compute_dtype=torch.bfloat16, quant_type="nf4")
    return layer.to("cpu").eval()


@pytest.fixture
def int8():
    layer = Linear8bitLt(64, 64, bias=False, has_fp16_weights=False, threshold=6.0).to("cpu").eval()
    with torch.inference_mode():
        layer(torch.ones(1, 64, dtype=torch.float16))
    return layer


def test_a_packed_weight_is_known_with_the_shape_that_the_architecture_counts(int8):
    layer = nf4(64, 128)
    assert bitsandbytes_internals.is_quantized(layer.weight) and bitsandbytes_internals.is_quantized(int8.weight)
    assert bitsandbytes_internals.shape_of(layer.weight) == (64, 128) != tuple(layer.weight.shape)
    assert bitsandbytes_internals.shape_of(int8.weight) == (64, 64)
    plain = torch.nn.Linear(4, 3)
    assert not bitsandbytes_internals.is_quantized(plain.weight)
    assert bitsandbytes_internals.shape_of(plain.weight) == (3, 4)
    assert list(bitsandbytes_internals.constants_of(plain)) == []


def held(state):
    """Every tensor in a state's attributes, and in those of the state within it."""
    for value in vars(state).values():
        if isinstance(value, torch.Tensor):
            yield value
        elif isinstance(value, QuantState):
            yield from held(value)


def test_the_constants_of_nf4_are_all_that_its_two_levels_hold():
    layer = nf4(64, 128)
    found = {id(tensor) for tensor in bitsandbytes_internals.constants_of(layer)}
    assert found == {id(tensor) for tensor in held(layer.weight.quant_state)}
    assert len(found) == 5  # absmax and code of both, and an offset


def test_the_constants_of_int8_are_a_scale_an_output(int8):
    scales = [tensor for tensor in bitsandbytes_internals.constants_of(int8) if tensor.dtype == torch.float32]
    assert {tensor.data_ptr() for tensor in scales} == {int8.state.SCB.data_ptr()}
    assert scales[0].numel() == 64


@pytest.mark.parametrize(("outputs", "inputs"), [(40, 64), (64, 96)])
def test_packing_for_a_cpu_still_fails_for_shapes_that_are_no_multiples_and_they_are_spared(outputs, inputs):
    packed = nf4(outputs, inputs)
    with pytest.raises((AssertionError, RuntimeError)):
        _convert_weight_packed_for_cpu(packed.weight.data, packed.weight.quant_state)
        pytest.fail("keep_unpacked is no longer needed.")
    odd, even = nf4(outputs, inputs), nf4(64, 128)
    for layer in (odd, even):
        layer.support_avx512bf16_for_cpu = True
    bitsandbytes_internals.keep_unpacked(torch.nn.ModuleList([odd, even]))
    assert odd.support_avx512bf16_for_cpu is False
    assert even.support_avx512bf16_for_cpu is True
    with torch.inference_mode():
        assert odd(torch.ones(1, inputs, dtype=torch.bfloat16)).shape == (1, outputs)


def test_int8s_remark_is_still_made_at_each_call_and_kept_out_of_the_log(int8, caplog):
    logger = logging.getLogger("bitsandbytes.autograd._functions")
    logger.setLevel(logging.NOTSET)
    with torch.inference_mode():
        int8(torch.ones(1, 64))
        assert "will be cast" in caplog.text, "quiet is no longer needed"
        caplog.clear()
        bitsandbytes_internals.quiet()
        int8(torch.ones(1, 64))
    assert caplog.text == ""
