"""Expressions: what is written is what is computed, and nothing is counted twice."""

import ast
import operator
import re

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from nuclr.analysis.expressions import INPUTS, OPERATIONS, Expression, inputs, linear, write

Z, N, ZEVEN, NEVEN = (Expression(name) for name in INPUTS)
X = inputs(np.repeat(np.arange(1, 12), 12), np.tile(np.arange(2, 14), 11))
ONE_OPERAND = ("cbrt", "exp", "cos")


def number(value):
    return Expression("number", value)


def operation(name, *operands):
    return Expression(name, 1.0, operands)


values = st.floats(0.01, 9.0).map(lambda value: float(f"{value:.3g}")) | st.floats(-9.0, -0.01).map(
    lambda value: float(f"{value:.3g}")
)
leaves = values.map(number) | st.builds(Expression, st.sampled_from(INPUTS), values)
expressions = st.recursive(
    leaves,
    lambda some: (
        st.builds(operation, st.sampled_from(ONE_OPERAND), some)
        | st.builds(operation, st.sampled_from(sorted(OPERATIONS.keys() - set(ONE_OPERAND))), some, some)
    ),
    max_leaves=8,
)


class Root:
    def __pow__(self, x):
        return np.cbrt(x)


def read(text):
    """The values of a written expression at X, by Python's own grammar."""
    superscripts = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻", "0123456789+-")
    text = re.sub("×10([⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻]+)", lambda found: "e" + found[1].translate(superscripts), text)
    text = re.sub("[⁰¹²³⁴⁵⁶⁷⁸⁹]+", lambda found: "**" + found[0].translate(superscripts), text)
    text = text.replace("[Z even]", "ZEVEN").replace("[N even]", "NEVEN").replace("∛", "ROOT**")
    text = re.sub(r"(\d) (?=[A-Za-z(])", r"\1*", text).replace("·", "*").replace("−", "-")
    known = dict(zip(("Z", "N", "ZEVEN", "NEVEN"), X.T, strict=True)) | {"ROOT": Root(), "exp": np.exp, "cos": np.cos}
    with np.errstate(all="ignore"):
        return np.broadcast_to(worth(ast.parse(text, mode="eval").body, known), len(X))


ARITHMETIC = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
}


def worth(node, known):
    """The value of a parsed expression: arithmetic, numbers, and what is known by name."""
    match node:
        case ast.Constant(value=value):
            return float(value)
        case ast.Name(id=name):
            return known[name]
        case ast.BinOp(left=left, op=op, right=right):
            return ARITHMETIC[type(op)](worth(left, known), worth(right, known))
        case ast.UnaryOp(op=op, operand=operand):
            return ARITHMETIC[type(op)](worth(operand, known))
        case ast.Call(func=function, args=[argument]):
            return worth(function, known)(worth(argument, known))
    raise AssertionError(f"{ast.dump(node)} is not what an expression is written with")


def test_inputs():
    assert inputs([82, 3], [126, 4]).tolist() == [[82, 126, 1, 1], [3, 4, 0, 1]]


def test_values_and_length():
    surface = operation("cbrt", operation("add", Z, N))
    expression = operation("sub", operation("mul", number(2.0), surface), operation("div", ZEVEN, Expression("N", 4.0)))
    assert expression.length == 10
    np.testing.assert_allclose(expression.at(X), 2 * np.cbrt(X[:, 0] + X[:, 1]) - X[:, 2] / (4 * X[:, 1]))
    whole = linear([expression, Z], [1.0, 2.0, -3.0])
    assert whole.length == 10 + 1 + 3 * 2 + 1
    np.testing.assert_allclose(whole.at(X), 1 + 2 * expression.at(X) - 3 * X[:, 0])


def test_the_shape_is_without_what_a_linear_fit_supplies():
    inner = operation("mul", Z, N)
    outer = operation("add", number(3.0), operation("mul", operation("sub", inner, number(1.0)), number(2.0)))
    assert outer.shape() == inner
    assert operation("div", inner, number(2.0)).shape() == inner
    assert operation("div", number(2.0), inner).shape() == operation("div", number(2.0), inner)
    assert Expression("Z", 5.0).shape() == Z
    assert number(2.0).shape() == number(2.0)


@pytest.mark.parametrize(
    ("expression", "text", "numbers"),
    [
        (operation("add", Z, operation("add", N, Expression("Z", 2.0))), "3 Z + N", 1),
        (operation("mul", Expression("Z", 2.0), Expression("Z", -0.5)), "−Z²", 0),
        (operation("div", operation("sub", N, Z), operation("add", N, Z)), "(N − Z)/(N + Z)", 0),
        (operation("div", number(2.0), operation("mul", Z, N)), "2/(Z·N)", 1),
        (operation("cbrt", operation("mul", number(8.0), operation("mul", Z, N))), "2 ∛(Z·N)", 1),
        (operation("exp", operation("sub", number(1.0), Expression("N", 0.03))), "exp(−0.03 N + 1)", 2),
        (operation("cos", Expression("N", -0.25)), "cos(0.25 N)", 1),
        (operation("add", ZEVEN, operation("mul", number(1.23456e6), NEVEN)), "[Z even] + 1.235×10⁶ [N even]", 1),
        (operation("sub", Z, Z), "0", 1),
    ],
)
def test_it_is_written_as_one_would(expression, text, numbers):
    written = write(expression, X, 4)
    assert (written.text, written.numbers) == (text, numbers)


@given(expressions)
def test_what_is_written_is_what_is_computed(expression):
    expected, beside = expression.at(X), expression.at(X * (1 + 1e-12))
    with np.errstate(invalid="ignore"):
        steady = np.abs(beside - expected) < 1e-9 * (1 + np.abs(expected))  # false where it is not finite
    fit = steady & (np.abs(expected) < 1e6)
    written = write(expression, X, 15).values
    np.testing.assert_allclose(written[fit], expected[fit], rtol=1e-6, atol=1e-6)


@given(expressions, st.integers(2, 15))
def test_values_are_those_of_the_text_with_its_rounded_numbers(expression, digits):
    written = write(expression, X, digits)
    assume("inf" not in written.text and "nan" not in written.text)
    fit = np.isfinite(written.values) & (np.abs(written.values) < 1e6)
    np.testing.assert_allclose(read(written.text)[fit], written.values[fit], rtol=1e-6, atol=1e-6)
