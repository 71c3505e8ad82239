"""The parts of a check under pytest-benchmark: `pytest benchmarks`."""

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.latency import Forced
from benchmarks.texts import texts, tokenizer
from tinyguardrail_sdk import Guard
from tinyguardrail_sdk.detectors import detect
from tinyguardrail_sdk.features import FeatureExtractor
from tinyguardrail_sdk.labels import Route, Source
from tinyguardrail_sdk.normalize import normalize


@pytest.fixture(params=[64, 256])
def text(request: pytest.FixtureRequest) -> str:
    return texts(request.param, 1)[0]


def test_normalize(benchmark: BenchmarkFixture, text: str) -> None:
    assert benchmark(normalize, text).text == text


def test_tokenize(benchmark: BenchmarkFixture, text: str) -> None:
    assert len(benchmark(tokenizer().encode, text).ids) > 0


def test_detect(benchmark: BenchmarkFixture, text: str) -> None:
    assert benchmark(detect, normalize(text)) == []


def test_features(benchmark: BenchmarkFixture, text: str) -> None:
    extractor = FeatureExtractor(tokenizer())
    assert len(benchmark(extractor.extract, text, Source.USER).windows) == 1


@pytest.mark.parametrize("route", [Route.FAST, Route.DEEP])
def test_check(benchmark: BenchmarkFixture, text: str, route: Route) -> None:
    guard = Guard(classifier=Forced(route))
    assert benchmark(guard.check, text).route is route
