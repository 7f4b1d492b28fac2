"""The operations that every fictional library offers: what they compute, and in which words people speak of them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from types import CodeType, MappingProxyType

__all__ = ["OPERATIONS", "Operation"]


@dataclass(frozen=True)
class Operation:
    """Something to do to a list of whole numbers.

    The document's words and the question's words differ on purpose: who asks does not know how a library's
    author puts it. The familiar name shares its words with the documents, as in real libraries; an experiment
    that must not profit from that uses `stripped`.
    """

    familiar: str
    """The name that a programmer would expect, such as `drop_first`. No library here uses it."""
    body: str
    """What it computes: a Python expression in `x`, a list of ints, and perhaps `k`, an int of at least 1."""
    documents: tuple[str, str]
    """Two ways in which a library's documentation may describe it."""
    questions: tuple[str, str, str]
    """Three ways to ask for it, with `{k}` where the number is said."""

    @property
    def takes_number(self) -> bool:
        """Whether it needs a number beside the list."""
        return "{k}" in self.questions[0]

    def stripped(self, document: str) -> str:
        """Return a document of it without the words of its familiar name."""
        words = set(self.familiar.split("_"))
        return " ".join(word for word in document.split() if word not in words)

    def __call__(self, values: list[int], number: int | None = None) -> list[int]:
        """Compute it.

        Args:
            values: The list; it is not changed.
            number: The number, where the operation takes one.
        """
        return eval(_compiled(self.body), {"itertools": itertools, "x": values, "k": number})


@cache
def _compiled(body: str) -> CodeType:
    return compile(body, "<operation>", "eval")


# familiar name | expression | two documents | three questions
_TABLE = """
reverse | x[::-1] | reverse the order so that its end leads / reverse with falling positions | flip the list around / turn it back to front / read it from right to left
sort | sorted(x) | sort with the smallest leading / sort into ascending sequence | arrange from low to high / put in growing order / line up beginning with the least
descend | sorted(x, reverse=True) | descend with the largest leading / descend in sequence by size | arrange from high to low / put in falling order / line up beginning with the biggest
unique | list(dict.fromkeys(x)) | unique items without duplicates / unique entries after deduplication | get rid of repeats / let no number occur twice / weed out copies
square | [v * v for v in x] | square as the second power / square or quadratic value | times itself for each number / raise all to the exponent two / each one multiplied with its own value
double | [2 * v for v in x] | double or twofold value / double via left shift | make each number twice as big / add each one to itself / let all grow by a factor of two
negate | [-v for v in x] | negate for the opposite sign / negate into additive inverse | turn plus into minus and back / change which side of zero they are on / swap pluses for minuses
absolute | [abs(v) for v in x] | absolute magnitude of items / absolute modulus without sign | forget the minus in front / how far each is from zero / make all of them nonnegative
accumulate | list(itertools.accumulate(x)) | accumulate the items as partial totals / accumulate by cumulative summation | running total up to each spot / add up as you go / each one plus all before it
differences | [b - a for a, b in zip(x, x[1:])] | differences or adjacent deltas / differences as discrete derivative | how much it changes from one to the next / step size between neighbours / each number minus the one before it
pairsums | [a + b for a, b in zip(x, x[1:])] | pairsums or adjacent totals / pairsums via overlapping couples | each number plus the one after it / add up neighbours two by two / what neighbours come to together
evens | [v for v in x if v % 2 == 0] | evens of zero parity / evens with lowest bit unset | leave only what two divides / throw away odd numbers / hold on to those that can be split in two
odds | [v for v in x if v % 2] | odds of unit parity / odds with lowest bit set | leave only what two does not divide / throw away even numbers / hold on to those that cannot be split in two
positive | [v for v in x if v > 0] | positive right half axis / positive items beyond the origin | only what is over zero / throw away zero and minus numbers / hold on to numbers with a plus
negative | [v for v in x if v < 0] | negative left half axis / negative items before the origin | only what is under zero / throw away zero and plus numbers / hold on to numbers with a minus
halve | [v // 2 for v in x] | halve to the midpoint value / halve via right shift | make each number half as big / split all in two and round down / cut every one down the middle
mirror | x + x[::-1] | mirror the sequence behind its end / mirror items to a palindrome | go there and back again / follow it by its own flip side / make it read the same both ways
alternate | x[::2] | alternate selection of positions / alternate items of index parity | skip every other one / leave out the spots with odd index / take one and jump over one
maxima | list(itertools.accumulate(x, max)) | maxima as upper envelope / maxima with ratchet upward | biggest so far at each spot / never let it go down / the record up to here
minima | list(itertools.accumulate(x, min)) | minima as lower envelope / minima with ratchet downward | lowest so far at each spot / never let it go up / the worst up to here
swap_ends | x[-1:] + x[1:-1] + x[:1] if len(x) > 1 else x | swap ends by transposition of extremes / swap both boundary ends | let outermost numbers trade places / trade what is at the front for what is at the back / exchange number one with the very last
increase | [v + k for v in x] | increase by a positive offset / increase items through addition | add {k} to all / make each number {k} bigger / put {k} more on each
decrease | [v - k for v in x] | decrease by a contrary offset / decrease items through subtraction | take {k} away from all / make each number {k} less / lower all of them by {k}
multiply | [v * k for v in x] | multiply by a factor / multiply to get products | make each number {k} times as big / scale all of them by {k} / let all grow {k} fold
divide | [v // k for v in x] | divide by a divisor / divide to get whole quotients | split each number into {k} parts and round down / how often {k} fits into each / share all of them among {k}
remainder | [v % k for v in x] | remainder or residue class / remainder of modular arithmetic | what is left when {k} is taken out as often as can be / count each around a clock of {k} hours / what does not fit into lots of {k}
take_first | x[:k] | take a prefix of the first items / take the first segment as a head slice | just the {k} numbers at the front / cut after {k} / hold on to the beginning {k}
take_last | x[len(x) - k:] if k < len(x) else x | take a suffix of the last items / take the last segment as a tail slice | just the {k} numbers at the back / cut so that {k} remain at the end / hold on to the final {k}
drop_first | x[k:] | drop first entries as complement of a prefix / drop the first segment excluding a head slice | throw away {k} at the front / skip the beginning {k} / go without the {k} numbers that open it
drop_last | x[:-k] | drop last entries as complement of a suffix / drop the last segment excluding a tail slice | throw away {k} at the back / skip the final {k} / go without the {k} numbers that close it
above | [v for v in x if v > k] | above a lower bound / above the threshold in high pass filter | leave only what exceeds {k} / throw away {k} and less / hold on to numbers bigger than {k}
below | [v for v in x if v < k] | below an upper bound / below the threshold in low pass filter | leave only what is short of {k} / throw away {k} and more / hold on to numbers less than {k}
rotate | x[k % len(x):] + x[:k % len(x)] if x else x | rotate the sequence cyclic / rotate by a circular shift | move {k} from the front to the back / let number {k} close it and the next one open it / send the opening {k} to the rear
repeat_each | [v for v in x for _ in range(k)] | repeat each item elementwise / repeat each with multiplicity | write every number {k} times in a row / {k} copies side by side of all / stretch by having all of them {k} fold
repeat_all | x * k | repeat all as a tiled cycle / repeat all periodically | write the whole list {k} times / {k} copies of it one after another / go through it {k} times
stride | x[::k] | stride or slice increment / stride for subsampling | only every {k} th spot / jump ahead {k} spots at a time / take one then move {k} on
multiples | [v for v in x if v % k == 0] | multiples of a divisor / multiples with residue none | leave only what {k} divides / throw away what {k} does not go into / hold on to those in the {k} times table
cap | [min(v, k) for v in x] | cap with a ceiling / cap or saturate at an upper limit | let none exceed {k} / turn what is bigger than {k} into {k} / at most {k} for each
floor | [max(v, k) for v in x] | floor with a base / floor or raise to a lower limit | let none fall short of {k} / turn what is less than {k} into {k} / at least {k} for each
prepend | [k, *x] | prepend an item ahead of its start / prepend as new head | put {k} in front / open with {k} / let {k} come before everything
append | [*x, k] | append an item behind its end / append as new tail | put {k} at the back / close with {k} / let {k} come after everything
discard | [v for v in x if v != k] | discard equal entries / discard a value wherever present | get rid of each {k} / let no {k} remain / everything but the number {k}
intersperse | [w for v in x for w in (v, k)][:-1] | intersperse a separator / intersperse delimiters of adjacent items | put {k} between neighbours / have {k} in every gap / set numbers apart with {k}
windows | [sum(x[i:i + k]) for i in range(len(x) - k + 1)] | windows of fixed width as moving totals / windows that slide for a convolution | add up each run of {k} neighbours / sum of every {k} in a row / what {k} side by side come to
"""  # noqa: E501


def _rows() -> Iterator[tuple[str, Operation]]:
    for line in _TABLE.strip().splitlines():
        familiar, body, documents, questions = (part.strip() for part in line.split(" | "))
        first, second = documents.split(" / ")
        one, two, three = questions.split(" / ")
        yield familiar, Operation(familiar, body, (first, second), (one, two, three))


OPERATIONS: Mapping[str, Operation] = MappingProxyType(dict(_rows()))
"""Every operation by its familiar name."""
