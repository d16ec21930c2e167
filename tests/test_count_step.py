"""The count of a step's bytes: by hand where that can be done, and as it must grow with width, rows and members."""

from dataclasses import replace

import pytest
import torch

from tools.count_step import CUDA, GROUPS, OTHERS, Counting, cases, count, pretended


def test_a_product_and_a_step_of_adamw_are_as_counted_by_hand():
    with pretended():
        rows, weight = torch.zeros(2, 4, device=CUDA), torch.zeros(4, 5, device=CUDA)
        weight.grad = torch.zeros(4, 5, device=CUDA)
        optimizer = torch.optim.AdamW([weight], fused=True)
        with Counting() as counting:
            torch.mm(rows, weight)
        with Counting() as stepping:
            optimizer.step()
    assert counting.count.moved == {"mm": 4 * (2 * 4 + 4 * 5 + 2 * 5)}
    # Parameters and two moments are read and written, gradients read; beside them the number of the step.
    assert stepping.count.moved["_fused_adamw_"] == 20 * 4 * (2 + 2 * 2 + 1) + 4
    assert stepping.count.moved["_foreach_add_"] == 2 * 4


def test_in_place_operations_read_and_write_and_views_cost_nothing():
    with pretended():
        x, column = torch.zeros(3, 4, device=CUDA), torch.zeros(3, 1, device=CUDA)
        with Counting() as viewing:
            _ = x.T, x[1:], x.reshape(-1), x.detach(), column.expand(3, 4), x.split(2, dim=1)
        with Counting() as counting:
            x.zero_()
            x.relu_()
            x.add_(column.expand(3, 4))
    assert not viewing.count.kernels
    assert counting.count.moved == {"zero_": 48, "relu_": 2 * 48, "add_": 2 * 48 + 12}


@pytest.mark.parametrize("name", ["binding", "joint"])
def test_the_real_step_counts_28_bytes_of_adamw_a_parameter_and_no_pass_over_gradients(name):
    found, parameters = count(cases(64, 2)[name])
    groups = found.groups()
    assert groups["AdamW"] == pytest.approx(2 * 28 * parameters, rel=0.01)
    assert groups["zero and accumulate gradients"] == 0
    assert sum(groups.values()) == found.moved.total()
    assert all(groups[group] > 0 for group in GROUPS if not group.startswith("zero"))


def test_the_count_grows_with_the_members_and_the_kernels_do_not():
    (one, parameters), (three, same) = (count(cases(64, members)["binding"]) for members in (1, 3))
    assert parameters == same
    assert three.kernels == one.kernels
    assert three.moved.total() == pytest.approx(3 * one.moved.total(), rel=0.01)


def test_passes_over_activations_grow_with_the_rows_and_those_over_parameters_do_not():
    few, many = (
        count([replace(run, training=replace(run.training, batch=rows)) for run in cases(64, 1)["joint"]])[0].groups()
        for rows in (1000, 4000)
    )
    assert 3 < many[OTHERS] / few[OTHERS] < 4
    assert many["AdamW"] == few["AdamW"]


def test_the_blocks_products_are_counted_in_bfloat16():
    rounded = cases(64, 1)["joint"]
    plain = [replace(run, training=replace(run.training, precision="float32")) for run in rounded]
    (half, _), (whole, _) = count(rounded), count(plain)
    assert half.moved["relu_"] == whole.moved["relu_"] / 2
    assert whole.groups()["casts to and from bfloat16"] == 0
