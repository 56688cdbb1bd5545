"""Runtime: which tier and device a run has, and that its seed reaches every generator."""

import random
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from coldrec import runtime
from coldrec.runtime import Run


@pytest.fixture(autouse=True)
def bare_machine(monkeypatch):
    """No tier is asked for, and no device is known from before or kept for after."""
    monkeypatch.delenv("COLDREC_TIER", raising=False)
    runtime.device.cache_clear()
    yield
    runtime.device.cache_clear()


@pytest.fixture
def machine(monkeypatch):
    """Return a function that makes torch, a stand-in, find a device."""
    def make(cuda=False, mps=False):
        torch = ModuleType("torch")
        torch.__spec__ = ModuleSpec("torch", loader=None)
        torch.asked, torch.seeds = [], []
        torch.cuda = SimpleNamespace(is_available=lambda: torch.asked.append("cuda") or cuda)
        torch.backends = SimpleNamespace(mps=SimpleNamespace(is_available=lambda: mps))
        torch.manual_seed = torch.seeds.append
        monkeypatch.setitem(sys.modules, "torch", torch)
        return torch
    return make


@pytest.fixture
def without_torch(monkeypatch):
    find = runtime.importlib.util.find_spec
    monkeypatch.setattr(runtime.importlib.util, "find_spec",
                        lambda name: None if name == "torch" else find(name))
    monkeypatch.setitem(sys.modules, "torch", None)  # importing it would fail


@pytest.mark.parametrize("has, device, tier", [
    ({}, "cpu", "cpu"), ({"mps": True}, "mps", "cpu"), ({"cuda": True}, "cuda", "gpu"),
    ({"cuda": True, "mps": True}, "cuda", "gpu")])
def test_the_machine_decides_without_a_tier(machine, has, device, tier):
    machine(**has)
    assert runtime.device() == device
    assert runtime.tier() == tier


def test_without_torch_the_device_is_the_cpu(without_torch):
    assert (runtime.device(), runtime.tier()) == ("cpu", "cpu")
    assert runtime.setup(seed=5) == Run("cpu", "cpu", 5)


def test_the_device_is_looked_for_once(machine):
    torch = machine(cuda=True)
    assert [runtime.device() for _ in range(3)] == ["cuda"] * 3
    assert torch.asked == ["cuda"]


@pytest.mark.parametrize("asked, tier", [
    ("smoke", "smoke"), ("cpu", "cpu"), ("gpu", "gpu"), (" GPU ", "gpu"), ("", "cpu")])
def test_the_environment_sets_the_tier(machine, monkeypatch, asked, tier):
    machine()
    monkeypatch.setenv("COLDREC_TIER", asked)
    assert runtime.tier() == tier
    assert runtime.setup().tier == tier


def test_an_unknown_tier_is_refused_with_the_known_ones(machine, monkeypatch):
    machine()
    monkeypatch.setenv("COLDREC_TIER", "fast")
    with pytest.raises(ValueError, match="COLDREC_TIER is 'fast'; it may be one of smoke, cpu, gpu"
                                         ".*or remove it"):
        runtime.setup()


@pytest.mark.parametrize("tier, given, picked", [
    ("smoke", {"smoke": 1, "cpu": 2, "gpu": 3}, 1), ("cpu", {"smoke": 1, "cpu": 2, "gpu": 3}, 2),
    ("gpu", {"smoke": 1, "cpu": 2, "gpu": 3}, 3), ("smoke", {"cpu": 2, "gpu": 3}, 2),
    ("gpu", {"smoke": 1, "cpu": 2}, 2), ("smoke", {"smoke": 0, "cpu": 2}, 0),
    ("gpu", {"cpu": 2, "gpu": False}, False)])
def test_pick_takes_the_tier_s_value_or_that_of_cpu(tier, given, picked):
    assert Run(tier, "cpu", 0).pick(**given) is picked


def test_pick_needs_a_value_for_cpu():
    with pytest.raises(TypeError, match="cpu"):
        Run("smoke", "cpu", 0).pick(smoke=1)


def test_setup_seeds_every_generator(machine):
    torch = machine()
    drawn = []
    for seed in (7, 7, 8):
        assert runtime.setup(seed).seed == seed
        drawn.append((random.random(), np.random.random()))
    assert drawn[0] == drawn[1]
    assert drawn[0][0] != drawn[2][0] and drawn[0][1] != drawn[2][1]
    assert torch.seeds == [7, 7, 8]


@pytest.mark.parametrize("tier, says", [
    ("smoke", "its figures mean nothing"), ("cpu", "without a GPU"), ("gpu", "one GPU")])
def test_setup_says_what_it_found(machine, monkeypatch, capsys, tier, says):
    machine(mps=True)
    monkeypatch.setenv("COLDREC_TIER", tier)
    runtime.setup(seed=3)
    said = capsys.readouterr().out
    assert said.startswith(f"tier {tier} (") and says in said
    assert said.endswith("), device mps, seed 3\n")


def test_a_run_cannot_be_changed():
    with pytest.raises(AttributeError):
        Run("cpu", "cpu", 0).tier = "gpu"
